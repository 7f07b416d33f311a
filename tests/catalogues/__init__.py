"""Collects what is shown to people, and keeps the translators' files in step with it."""
