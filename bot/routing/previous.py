"""The last turn's route, as far as the next decision needs it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.routing.route import Route


@dataclass(frozen=True, slots=True)
class PreviousRoute:
    """The route of the last turn that one person had in one place."""

    route: Route
    at: float
    """When the reply was given, in unix seconds."""
    scene: bool = False
    """Whether that turn left a role-play scene open."""
