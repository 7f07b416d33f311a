"""Calls to Discord's REST interface, within its limits."""
