"""Going on with a reply that broke off."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.place import MessageId
from bot.delivery.seams import joined, undecided
from bot.ports import Controls, ReplySink


@dataclass(slots=True)
class Continuing:
    """A sink on which a text goes on from another."""

    sink: ReplySink
    before: str

    def begin(self) -> None:
        self.sink.begin()

    def wait(self, line: str) -> None:
        self.sink.wait(line)

    def ready(self) -> bool:
        return self.sink.ready()

    def show(self, text: str) -> None:
        if not undecided(self.before, text):
            self.sink.show(joined(self.before, text))

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        return await self.sink.finish(joined(self.before, text), controls)

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        return await self.sink.notice(text)

    async def withdraw(self) -> None:
        await self.sink.withdraw()
