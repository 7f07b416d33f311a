"""Vectors for memories: within a deadline for questions, in the background for items."""

from __future__ import annotations

from bot.chat.place import UserId
from bot.errors import BackendError
from bot.memory.arrays import np
from bot.memory.item import Item, Kind
from bot.memory.observer import Observer
from bot.memory.retrieval import Vectors
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, MemoryStore, Put
from bot.ports import Embedder

SEARCHED = (Kind.FACT, Kind.EPISODE)
"""Kinds that are searched, so that vectors are of use."""
AT_ONCE = 64
SIMILAR = 0.35
"""Texts further apart than this are about different things: neither replaces the other."""


async def question_vector(
    embedder: Embedder | None, text: str, shelf: Shelf, timeout: float, observer: Observer
) -> Vectors | None:
    """Return the question's vector; None when there is nothing to compare it with, or no time."""
    if embedder is None or shelf.rows.vectors is None:
        return None
    try:
        found = await embedder.embed([text[:2000]], timeout=timeout)
    except BackendError as error:
        observer.embedding_fallback(type(error).__name__)
        return None
    if found.space != shelf.space:
        observer.embedding_fallback("other_space")
        return None
    return np.asarray(found.vectors[0], dtype=np.float32)


def without_vectors(shelf: Shelf) -> list[Item]:
    """Return what is searched but has no vector in the space that is in use."""
    rows = shelf.rows
    lacking = np.isin(rows.letters(), [ord(kind.value) for kind in SEARCHED])
    if rows.vectors is not None:
        lacking &= rows.vectors.scales == 0
    return list(rows.items(np.flatnonzero(lacking)))


async def give_vectors(
    store: MemoryStore, embedder: Embedder, person: UserId, shelf: Shelf, *, timeout: float
) -> int:
    """Give items their vectors, some at a time. Return how many got one.

    Raises:
        BackendError: the embedding model does not answer in time.
        StoreError: the memory is off, or the store is away.
    """
    items = without_vectors(shelf)[-AT_ONCE:]
    if not items:
        return 0
    found = await embedder.embed([item.text for item in items], timeout=timeout)
    store.move_to(found.space)
    vectors = {item.id: vector for item, vector in zip(items, found.vectors, strict=True)}
    puts: tuple[Put, ...] = ()
    stale = True
    while stale and (now := await store.load(person)) is not None:
        # As they are by now: while the model worked, something may have been cut from them.
        left = [item for item in now.items if item.id in vectors]
        puts = tuple(Put(item, vectors[item.id], found.space) for item in left)
        stale = (await store.apply(person, now, Changes(put=puts), if_unchanged=True)).stale
    return len(puts)
