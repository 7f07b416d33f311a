"""Buttons, cards and forms: how they reach us after a restart, and what is told when they fail."""
