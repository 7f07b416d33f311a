"""Troupe: a Discord bot that hosts routed personas."""

__version__ = "0.1.0"
