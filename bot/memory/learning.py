"""Reads what people newly said, after they fell silent, and notes what is worth keeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import structlog

from bot.chat.place import UserId
from bot.errors import BackendError, ConsentRequired, StoreError
from bot.memory import extraction
from bot.memory.arrays import np
from bot.memory.extraction import Learned
from bot.memory.gates import normalised
from bot.memory.item import STATEMENTS, Item, Kind
from bot.memory.observer import Observer
from bot.memory.retrieval import Passage, best, build
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, MemoryStore, Written
from bot.memory.stylist import Stylist
from bot.memory.telling import told
from bot.memory.vectors import SIMILAR, give_vectors
from bot.ports import ChatMessage, ChatModel, ChatRequest, Clock, Embedder

IDLE: Final = 45.0
"""Seconds of silence before a person's new messages are read."""
ENOUGH: Final = 8
"""New messages that are read without waiting for silence."""
LEASE: Final = 300.0
"""Seconds that one reading may take; then another process takes over."""
ANSWER_TIMEOUT: Final = 120.0
EMBED_TIMEOUT: Final = 30.0
TRIES: Final = 3
KEEPS: Final = 5
"""How often an answer is fitted to a memory that changed meanwhile."""
RETRY: Final = 60.0
POLL: Final = 2.0
AT_ONCE: Final = 12

READ_TO = "read_to"
TRIED = "tried"

log = structlog.get_logger(__name__)


def unread(shelf: Shelf) -> list[Item]:
    """Return the messages that were not read yet, oldest first."""
    return shelf.since(Kind.EPISODE, shelf.values.get(READ_TO, ""))


async def schedule(store: MemoryStore, person: UserId, now: float) -> None:
    """Set when a person's new messages are to be read, if there are any.

    Raises:
        StoreError: the store is away.
    """
    shelf = await store.load(person)
    waiting = len(unread(shelf)) if shelf is not None else 0
    if waiting:
        await store.schedule(person, now + (0.0 if waiting >= ENOUGH else IDLE))


class Learner:
    """Works through the queue of people, one at a time, in whichever process is free."""

    def __init__(
        self,
        store: MemoryStore,
        model: ChatModel,
        model_name: Callable[[], str],
        embedder: Embedder | None,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._store = store
        self._model = model
        self._model_name = model_name
        self._embedder = embedder
        self._clock = clock
        self._observer = observer
        self._stylist = Stylist(store, model, model_name, clock, observer)

    async def run(self) -> None:
        """Work until cancelled. While the store is away, wait for it."""
        await self._expect_memories()
        await self._enter_space()
        while True:
            try:
                worked = await self.work_once()
            except StoreError as error:
                log.info("memory waits for the store", reason=str(error))
                worked = False
            if not worked:
                await asyncio.sleep(POLL)

    async def _expect_memories(self) -> None:
        try:
            await self._store.expect()
        except StoreError as error:
            log.info("the first memory may come too late", reason=str(error))

    async def _enter_space(self) -> None:
        """Learn which space the embedding model's vectors are in, so that stored ones are used."""
        if self._embedder is None:
            return
        try:
            found = await self._embedder.embed(["space"], timeout=EMBED_TIMEOUT)
        except BackendError as error:
            log.info("memory searches by words until the embedding model answers")
            self._observer.embedding_fallback(type(error).__name__)
        else:
            self._store.move_to(found.space)

    async def work_once(self) -> bool:
        """Read what one person who is due newly said. False when nobody is.

        Raises:
            StoreError: the store is away.
        """
        now = self._clock.now()
        person = await self._store.take_due(now, LEASE)
        if person is None:
            return False
        try:
            async with asyncio.timeout(LEASE - 10):
                again = await self.learn(person)
        except ConsentRequired:
            self._observer.extracted("dropped")
            again = None
        except TimeoutError:
            self._observer.extracted("failed")
            again = RETRY
        if again is None:
            await self._store.done(person, now + LEASE)
        else:
            await self._store.schedule(person, self._clock.now() + again)
        return True

    async def learn(self, person: UserId) -> float | None:
        """Read what a person newly said. Return after how many seconds to go on, or None.

        Raises:
            ConsentRequired: the person paused, or forgot everything, meanwhile.
            StoreError: the store is away.
        """
        shelf = await self._store.load(person)
        if shelf is None or shelf.paused:
            return None
        new = unread(shelf)[:AT_ONCE]
        for _, group in groupby(new, key=lambda e: (e.guild, e.channel, e.persona)):
            if not await self._read(person, list(group)):
                return RETRY
        await self._give_vectors(person)
        await self._stylist.build_if_due(person)
        left = await self._store.load(person)
        if left is not None and unread(left):
            return 0.0
        await self._store.pack(person)
        return None

    async def _read(self, person: UserId, new: Sequence[Item]) -> bool:
        """Read messages of one place. False when it should be tried again."""
        shelf = await self._store.load(person)
        if shelf is None:
            raise ConsentRequired("the person wants no memory")
        ids = {item.id for item in shelf.items}
        new = [item for item in new if item.id in ids]  # the others were deleted meanwhile
        if not new:
            return True
        known = _candidates(shelf, new)
        try:
            answer = await self._ask(shelf, new, known)
            similar = await self._similarity(answer, known)
            await self._keep(person, shelf.epoch, answer, new, known, similar)
        except (BackendError, TimeoutError) as error:
            return await self._failed(person, shelf, new, "failed", type(error).__name__)
        except ValueError:
            return await self._failed(person, shelf, new, "malformed", "ValueError")
        return True

    async def _keep(
        self,
        person: UserId,
        epoch: bytes,
        answer: str,
        new: Sequence[Item],
        known: Sequence[Item],
        similar: Callable[[str, str], bool],
    ) -> None:
        """Write down what an answer changes in the memory as it is by now.

        Raises:
            ValueError: the answer is malformed.
        """
        for _ in range(KEEPS):
            shelf = await self._store.load(person)
            if shelf is None or shelf.epoch != epoch:
                raise ConsentRequired("the person wants no memory")
            found = extraction.learned(
                answer, new, known, shelf.items, self._clock.now(), similar=similar
            )
            changes = Changes(found.puts, found.remove, values=((READ_TO, new[-1].id), (TRIED, "")))
            written = await self._store.apply(person, shelf, changes, if_unchanged=True)
            if not written.stale:
                self._count(found, written)
                return
        raise TimeoutError("the memory changes too often")

    def _count(self, found: Learned, written: Written) -> None:
        for reason in found.refused:
            self._observer.refused(reason.value)
        for ident in written.stored:
            self._observer.stored(Kind(ident[0]).word)
        for ident in written.evicted:
            self._observer.evicted(Kind(ident[0]).word)
        self._observer.extracted("learned" if written.stored else "nothing")

    async def _failed(
        self, person: UserId, shelf: Shelf, new: Sequence[Item], outcome: str, kind: str
    ) -> bool:
        """Note a failure. After a few the messages count as read: they may be the reason."""
        self._observer.extracted(outcome)
        tried = int(shelf.values.get(TRIED) or 0) + 1
        log.info("memory extraction failed", outcome=outcome, kind=kind, tried=tried)
        gives_up = tried >= TRIES
        values = ((READ_TO, new[-1].id), (TRIED, "")) if gives_up else ((TRIED, str(tried)),)
        await self._store.apply(person, shelf, Changes(values=values))
        return gives_up

    async def _ask(self, shelf: Shelf, new: Sequence[Item], known: Sequence[Item]) -> str:
        episodes = shelf.of(Kind.EPISODE)
        before = [
            item
            for item in episodes
            if item.id < new[0].id
            and (item.guild, item.channel, item.persona)
            == (new[0].guild, new[0].channel, new[0].persona)
        ]
        day = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%d")
        request = ChatRequest(
            model=self._model_name(),
            messages=(
                ChatMessage("system", extraction.instruction()),
                ChatMessage("user", extraction.question(new, before, known, day)),
            ),
            options={"temperature": 0.0, "num_predict": extraction.REPLY_TOKENS},
            format=extraction.SCHEMA,
            affinity="memory",
        )
        return await told(self._model, request, ANSWER_TIMEOUT)

    async def _similarity(self, answer: str, known: Sequence[Item]) -> Callable[[str, str], bool]:
        """Return whether one text may replace another: near enough, or sharing a word."""
        texts = list(dict.fromkeys([item.text for item in known] + extraction.texts_in(answer)))
        if self._embedder is None or not known or len(texts) == len(known):
            return _share_a_word
        try:
            found = await self._embedder.embed(texts, timeout=EMBED_TIMEOUT)
        except BackendError as error:
            self._observer.embedding_fallback(type(error).__name__)
            return _share_a_word
        rows = {text: np.asarray(v) for text, v in zip(texts, found.vectors, strict=True)}

        def near(one: str, other: str) -> bool:
            if one not in rows or other not in rows:
                return _share_a_word(one, other)
            return float(rows[one] @ rows[other]) >= SIMILAR

        return near

    async def _give_vectors(self, person: UserId) -> None:
        if self._embedder is None:
            return
        shelf = await self._store.load(person)
        if shelf is None or shelf.paused:
            return
        try:
            await give_vectors(self._store, self._embedder, person, shelf, timeout=EMBED_TIMEOUT)
        except BackendError as error:
            self._observer.embedding_fallback(type(error).__name__)


def _candidates(shelf: Shelf, new: Sequence[Item]) -> list[Item]:
    """Return what the new messages may change: the profile, and what they have words about.

    Only of the same scope: the model's view of one place must not show it another's.
    """
    first = new[0]
    same = [
        item
        for item in shelf.of(*STATEMENTS)
        if (item.guild, item.closed) == (first.guild, first.closed)
        and (not item.closed or item.channel == first.channel)
        and item.persona in ("", first.persona)
        and not item.until
    ]
    question = " ".join(item.text for item in new)[:2000]
    index = build([Passage(item.id, item.text, group=item.id) for item in same])
    near = [same[row] for row in best(index.words(question), extraction.CANDIDATES)]
    profile = [item for item in same if item.kind is Kind.PROFILE and item not in near]
    recent = [item for item in reversed(same) if item not in near and item not in profile]
    return (near + profile + recent)[: extraction.CANDIDATES]


def _share_a_word(one: str, other: str) -> bool:
    return bool(set(normalised(one).split()) & set(normalised(other).split()))
