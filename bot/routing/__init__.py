"""Routing: what a message asks for, and how that is spoken."""

from __future__ import annotations

from bot.routing.previous import PreviousRoute
from bot.routing.profiles import MemoryPolicy, RouteProfile, load_profiles
from bot.routing.route import Route, RouteDecision
from bot.routing.router import Router

__all__ = [
    "MemoryPolicy",
    "PreviousRoute",
    "Route",
    "RouteDecision",
    "RouteProfile",
    "Router",
    "load_profiles",
]
