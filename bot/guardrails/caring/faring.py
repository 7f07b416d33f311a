"""How people fare: their trends, read and written so that a store that is away makes care
forgetful, never absent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from bot.chat.place import Place, UserId
from bot.errors import StoreError
from bot.guardrails.caring.risk import RiskState, TrendStore, advance, taken_back, where_of
from bot.guardrails.context import GuardContext

log = structlog.get_logger(__name__)


class Faring:
    """The trends of all people."""

    def __init__(self, store: TrendStore) -> None:
        self._store = store

    async def of(self, person: UserId, place: Place) -> RiskState:
        """Return how a person fares in a place; as if never seen where the store is away."""
        try:
            return RiskState.of(await self._store.load(person, where_of(place)))
        except StoreError:
            log.warning("risk trend unreadable: judged without it")
            return RiskState()

    async def keep(self, person: UserId, place: Place, state: RiskState) -> None:
        """Keep it, if the store is there."""
        try:
            await self._store.save(person, where_of(place), state.as_numbers)
        except StoreError:
            log.warning("risk trend not kept")

    async def needed_at(self, person: UserId, place: Place) -> float:
        """Return when the person was last `in_need` here, in unix seconds: 0 for never, or where
        the store is away."""
        return (await self.of(person, place)).needed_at

    async def in_need(self, person: UserId, place: Place, now: float) -> None:
        """Remember that signs of need sent the person to the companion."""
        await self._change(person, place, lambda state: replace(state, needed_at=now))

    async def heard(self, context: GuardContext, weight: float) -> bool:
        """Note need of this weight that only a guard model heard; return whether lines are to be
        named, as they are where the store is away."""

        def changed(state: RiskState) -> RiskState:
            now, turns = context.now, state.turns  # the message was counted when it came
            due = state.resource_due(now)
            if not context.heard_before:
                state = replace(advance(state, now, weight=weight, dependency=0.0), turns=turns)
            return replace(state, resource_at=now) if due else state

        before = await self._change(context.person, context.place, changed)
        return before is None or before.resource_due(context.now)

    async def take_back(self, person: UserId, place: Place) -> None:
        """Let personas play again for a person who says that their crisis card was a mistake.

        Raises:
            StoreError: nothing changed.
        """
        where = where_of(place)
        state = RiskState.of(await self._store.load(person, where))
        await self._store.save(person, where, taken_back(state).as_numbers)

    async def _change(
        self, person: UserId, place: Place, change: Callable[[RiskState], RiskState]
    ) -> RiskState | None:
        """Change how a person fares; return how they did before. None where the store is away: it
        is never begun anew."""
        where = where_of(place)
        try:
            before = RiskState.of(await self._store.load(person, where))
            await self._store.save(person, where, change(before).as_numbers)
        except StoreError:
            log.warning("risk trend not kept")
            return None
        return before
