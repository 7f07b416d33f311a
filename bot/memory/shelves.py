"""A person's memory, read and changed as it is then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from bot.chat.place import UserId
from bot.errors import NotFound, StoreError
from bot.languages import mark
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, MemoryStore

NO_MEMORY: Final = mark("I keep no memory of you. `/memory on` starts one.")
NOTHING: Final = Changes()
TRIES: Final = 5
"""How often a change is fitted to a memory that changed meanwhile."""
Done = TypeVar("Done")


class Shelves:
    """Memories by person, as those who own them see and change them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def of(self, person: UserId) -> Shelf:
        """Return a person's memory.

        Raises:
            NotFound: there is none.
        """
        shelf = await self._store.load(person)
        if shelf is None:
            raise NotFound(NO_MEMORY)
        return shelf

    async def change(self, person: UserId, change: Callable[[Shelf], tuple[Changes, Done]]) -> Done:
        """Change the memory as it is then, and not as it was when somebody looked.

        Raises:
            NotFound: there is none.
            StoreError: the store is away, or the memory changes all the time.
        """
        for _ in range(TRIES):
            shelf = await self.of(person)
            changes, done = change(shelf)
            if changes == NOTHING:
                return done
            written = await self._store.apply(
                person, shelf, changes, by_person=True, if_unchanged=True
            )
            if not written.stale:
                return done
        raise StoreError("the memory changes too often")
