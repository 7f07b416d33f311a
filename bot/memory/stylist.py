"""Builds user personas in the background: explain, synthesise, verify, store only what helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from bot.chat.place import UserId
from bot.errors import BackendError
from bot.memory import style
from bot.memory.item import Item, Kind
from bot.memory.observer import Observer
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, MemoryStore, Put
from bot.memory.telling import told
from bot.ports import ChatMessage, ChatModel, ChatRequest, Clock

TIMEOUT: Final = 60.0
REPLY_TOKENS: Final = 400
WANTED = "style"
"""The person's value that says they want a user persona."""
BUILT_TO = "style_built_to"

log = structlog.get_logger(__name__)


def due(shelf: Shelf) -> bool:
    """Whether there is enough that is new, and the person wants it."""
    pairs = shelf.of(Kind.TASTE)
    new = [pair for pair in pairs if pair.id > shelf.values.get(BUILT_TO, "")]
    written_by_hand = any(item.pinned for item in shelf.of(Kind.PERSONA))
    return (
        shelf.values.get(WANTED) == "1"
        and not written_by_hand
        and len(pairs) >= style.ENOUGH_PAIRS
        and len(new) >= style.NEW_PAIRS
    )


def _personas(shelf: Shelf) -> tuple[str, ...]:
    return tuple(item.id for item in shelf.of(Kind.PERSONA))


class Stylist:
    """Some 35 short calls a build, at most; none of them in the way of a reply."""

    def __init__(
        self,
        store: MemoryStore,
        model: ChatModel,
        model_name: Callable[[], str],
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._store = store
        self._model = model
        self._model_name = model_name
        self._clock = clock
        self._observer = observer

    async def build_if_due(self, person: UserId) -> str:
        """Build a person's user persona; return how that ended, or an empty string if not due.

        Raises:
            StoreError: the memory was forgotten meanwhile, or the store is away.
        """
        shelf = await self._store.load(person)
        if shelf is None or shelf.paused or not due(shelf):
            return ""
        pairs = shelf.of(Kind.TASTE)
        # Before the work: should it never end, it is not begun again without new pairs.
        await self._store.apply(person, shelf, Changes(values=((BUILT_TO, pairs[-1].id),)))
        try:
            persona = await self._persona(pairs)
        except (BackendError, TimeoutError) as error:
            log.info("user persona not built", kind=type(error).__name__)
            outcome, persona = "persona_failed", None
        else:
            outcome = "persona_built" if persona else "persona_no_better"
        if persona is not None:
            # A pair that was taken back while the model worked takes the persona with it.
            needed = tuple(pair.id for pair in pairs[-style.MOST_PAIRS :])
            await self._put(person, Put(persona, only_if=needed), _personas(shelf))
        self._observer.extracted(outcome)
        return outcome

    async def _put(self, person: UserId, put: Put, old: tuple[str, ...]) -> None:
        """Store a persona in place of another, unless the person changed that meanwhile."""
        stale = True
        while stale:
            shelf = await self._store.load(person)
            if shelf is None or _personas(shelf) != old:
                return
            written = await self._store.apply(
                person, shelf, Changes((put,), old), if_unchanged=True
            )
            stale = written.stale

    async def _persona(self, pairs: Sequence[Item]) -> Item | None:
        train, held_out = style.split(pairs)
        judgements: list[str] = []
        evidence: list[str] = []
        for pair in train:
            reasoning = await self._explained(pair)
            if reasoning is not None:
                judgements.append(reasoning)
                evidence.append(pair.id)
        if len(judgements) < style.EVIDENCE:
            return None
        try:
            answer = await self._ask(style.synthesising(judgements), style.SYNTHESIS)
            statements = style.read_statements(answer, evidence)
        except ValueError:
            return None
        if not statements:
            return None
        text = " ".join(statement for statement, _ in statements)
        scores = await self._score(held_out, text), await self._score(held_out, "")
        if scores[0] <= scores[1] or scores[0] < style.GOOD_ENOUGH:
            return None
        return style.persona_item(statements, scores, self._clock.now())

    async def _explained(self, pair: Item) -> str | None:
        """Return why a reply was chosen, if the model sees it in both orders alike."""
        taste = style.taste_of(pair)
        reasoning = await self._right(taste, chosen_first=True, persona="")
        if reasoning is None or await self._right(taste, chosen_first=False, persona="") is None:
            return None
        return reasoning

    async def _score(self, pairs: Sequence[Item], persona: str) -> float:
        """Return the share of right judgements, each pair in both orders."""
        right = 0
        for pair in pairs:
            for chosen_first in (True, False):
                taste = style.taste_of(pair)
                found = await self._right(taste, chosen_first=chosen_first, persona=persona)
                right += found is not None
        return right / (2 * len(pairs))

    async def _right(self, taste: style.Taste, *, chosen_first: bool, persona: str) -> str | None:
        """Return the reasoning of a judgement that is right; None of one that is not."""
        asked = style.judging(taste, chosen_first=chosen_first, persona=persona)
        try:
            reasoning, first = style.read_judgement(await self._ask(asked, style.JUDGEMENT))
        except ValueError:
            return None
        return reasoning if first is chosen_first else None

    async def _ask(self, messages: tuple[str, str], schema: Mapping[str, Any]) -> str:
        request = ChatRequest(
            model=self._model_name(),
            messages=(ChatMessage("system", messages[0]), ChatMessage("user", messages[1])),
            options={"temperature": 0.0, "num_predict": REPLY_TOKENS},
            format=schema,
            affinity="memory",
        )
        return await told(self._model, request, TIMEOUT)
