"""What a turn needs of the database before anything else, asked for at once.

For a message that begins a turn of its own it is asked for while the message is written down: one
round trip in place of two, before the model is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.chat.conversation import Conversation
from bot.chat.parts import Parts
from bot.chat.preparing.admitting import Admission
from bot.chat.turn import Turn
from bot.personas.binding import ResolvedBinding
from bot.ports import Waiting
from bot.scheduling.afterwards import meanwhile


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the database said."""

    binding: ResolvedBinding
    conversation: Conversation | None
    """None where something of it was edited or deleted meanwhile: it is to be read again."""
    refused: Waiting | None
    """Set when the person has asked too much for now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the database; the answers may be awaited, or left alone."""

    binding: ResolvedBinding
    answers: asyncio.Future[Any]
    """How long to wait if the turn is not let in, the conversation, and nothing for what is
    foreseen."""
    dismissals: tuple[Callable[[], None], ...] = ()
    """Each lets go of something that was read for the turn."""

    async def answered(self) -> LookedUp:
        """Wait for the answers.

        Raises:
            StoreError: the store is away.
        """
        refused, conversation, *_ = await self.answers
        return LookedUp(self.binding, conversation, refused)

    def dismiss(self) -> None:
        """Let go of what was read, or still will be: the turn does not begin."""
        self.answers.add_done_callback(self._let_go)

    def _let_go(self, _: asyncio.Future[Any]) -> None:
        for let_go in self.dismissals:
            let_go()


async def ask(parts: Parts, turn: Turn, admission: Admission) -> Asked:
    """Ask whether the turn is let in, and begin to read what it needs.

    Raises:
        StoreError: what is set at the place can't be read.
    """
    binding = await parts.casting.resolved(turn.place)
    answers = asyncio.gather(
        admission.ask(parts, turn, binding),
        parts.conversations.load(turn.place),
        *(foresee(turn) for foresee in parts.ahead),
        meanwhile(*(partial(work, turn) for work in parts.meanwhile)),
    )
    answers.add_done_callback(_seen)
    return Asked(binding, answers, tuple(partial(let_go, turn) for let_go in parts.let_go))


def _seen(answers: asyncio.Future[Any]) -> None:
    """Whoever asked may not want the answers any more: nobody is to be warned of an error."""
    if not answers.cancelled():
        answers.exception()
