"""What people do and see, in the words that the scenes share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.e2e.troupe import Scene, until
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of

LARGER = "mistral-nemo:12b"
Body = Mapping[str, Any]


def prompt(body: Body) -> str:
    """Return everything that the model was given to read."""
    return "\n".join(str(message["content"]) for message in body["messages"])


def knows(word: str, *, yes: str = "I know.", no: str = "I don't know.") -> Callable[[Body], str]:
    """Return a model's voice that tells whether it has read a word."""
    return lambda body: yes if word in prompt(body) else no


def buttons(message: Message) -> dict[str, str]:
    """Return the custom ids of a message's buttons by label, or by emoji."""
    return {
        str(part.get("label") or part["emoji"]["name"]): str(part["custom_id"])
        for part in components_of(message.components)
        if part["type"] == 2
    }


async def press(person: Person, message: Message, label: str) -> Interaction:
    """Press the button of this name."""
    return await person.click(message, buttons(message)[label])


def shown(interaction: Interaction) -> Message:
    """Return the message that answered a command or a press."""
    message = interaction.response or next(iter(interaction.followups), None)
    assert message is not None, "nothing was answered"
    return message


async def with_buttons(scene: Scene, place: Place, asked: Message, label: str = "Why") -> Message:
    """Wait until the answer to a question has a button; return its last message."""

    def look() -> Message | None:
        last = place.replies_to(asked)[-1:]
        return last[0] if last and label in buttons(last[0]) else None

    return await scene.troupe.up(look, f"a reply with the button {label!r}")


async def reads(interaction: Interaction, part: str) -> None:
    """Wait until an answer, which may change after it was given, has a part."""
    try:
        await until(lambda: part in f"{interaction.text}\n{interaction.card}", part)
    except AssertionError:
        raise AssertionError(f"no {part!r} in {interaction.text!r}") from None


async def comes_true(look: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something that has to be asked for is so."""
    deadline = time.monotonic() + PATIENCE
    while not await look():
        assert time.monotonic() < deadline, f"{what} did not happen"
        await asyncio.sleep(0.05)


async def imported(stage: Place, admin: Person, card: bytes, name: str = "card.json") -> None:
    """Import a card, and accept its preview."""
    file = (name, card, "application/octet-stream")
    preview = await admin.slash(stage, "persona import", file=file)
    accepted = await press(admin, shown(preview), "Import")
    await reads(accepted, "Let them play here")
