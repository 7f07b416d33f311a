"""The last turn's route, as far as the next decision needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.errors import RecordCorrupt
from bot.routing.route import Route


@dataclass(frozen=True, slots=True)
class PreviousRoute:
    """The route of the last turn that one person had in one place."""

    route: Route
    at: float
    """When the reply was given, in unix seconds."""
    scene: bool = False
    """Whether that turn left a role-play scene open."""

    def to_json(self) -> str:
        """Return a short text to store."""
        return json.dumps({"route": self.route.value, "at": self.at, "scene": self.scene})

    @classmethod
    def from_json(cls, text: str) -> PreviousRoute:
        """Return what `to_json` stored.

        Raises:
            RecordCorrupt: the text is not such a record.
        """
        try:
            record = json.loads(text)
            return cls(Route(record["route"]), float(record["at"]), bool(record["scene"]))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RecordCorrupt(f"previous route: {type(error).__name__}") from error
