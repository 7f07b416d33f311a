"""What a guard model says, and what the room needs of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.errors import TroupeError


@dataclass(frozen=True, slots=True)
class GuardOpinion:
    """One opinion. `unsafe` is a probability; 0 or 1 where the server gives none."""

    unsafe: float
    categories: tuple[str, ...] = ()
    """Ids of our taxonomy, the gravest first."""


class GuardAway(TroupeError):
    """The guard model gave no opinion: too slow, unreachable, or not in its format."""


class GuardModel(Protocol):
    """Judges a bare message, or a draft as the answer to one."""

    async def opinion(self, user_text: str, draft: str | None = None) -> GuardOpinion:
        """Return an opinion on the last of the two.

        Raises:
            GuardAway: there is none; never an opinion that it is safe.
        """
        ...
