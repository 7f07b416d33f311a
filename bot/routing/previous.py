"""The last turn's route, as far as the next decision needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.routing.route import Route

LATELY = 3
"""Turns that tell what a talk has been of late."""


@dataclass(frozen=True, slots=True)
class PreviousRoute:
    """The route of the last turn that one person had in one place."""

    route: Route
    at: float
    """When the reply was given, in unix seconds."""
    scene: bool = False
    """Whether that turn left a role-play scene open."""
    turns: int = 1
    """How many of the last `LATELY` turns took this route, this one among them."""


def after(routes: Sequence[Route], at: float, *, scene: bool = False) -> PreviousRoute:
    """Return what the next decision needs of the last turns' routes, the oldest first.

    Args:
        routes: one at least.
        at: when the last reply was given, in unix seconds.
        scene: whether the last turn left a scene open.
    """
    last = routes[-1]
    return PreviousRoute(last, at, scene, sum(each is last for each in routes[-LATELY:]))
