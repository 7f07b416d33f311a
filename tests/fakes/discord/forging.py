"""What Discord's own client would not send, but a stranger's or an outdated one might."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord import payloads
from tests.fakes.discord.commands import GROUP, SLASH, SUBCOMMAND
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Message

BUTTON, TEXT_INPUT = 2, 4
Options = Sequence[dict[str, Any]]
"""Given options: name, type and value."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A command that can be used: a slash command without subcommands, or a menu."""

    command: dict[str, Any]
    path: tuple[tuple[str, int], ...]
    """Groups and subcommand below the command: name and type."""
    options: tuple[dict[str, Any], ...]

    @property
    def name(self) -> str:
        """The words that a person types or picks."""
        return " ".join((self.command["name"], *(name for name, _ in self.path)))

    @property
    def is_menu(self) -> bool:
        """Whether it is a menu on a message or a person."""
        return bool(self.command["type"] != SLASH)


def leaves(discord: FakeDiscord) -> list[Leaf]:
    """Return every command that the bot has registered, by name."""
    found = [
        leaf for command in discord.rest.commands.listed(None) for leaf in _leaves(command, command)
    ]
    return sorted(found, key=lambda leaf: leaf.name)


def _leaves(
    command: dict[str, Any], node: dict[str, Any], path: tuple[tuple[str, int], ...] = ()
) -> Iterator[Leaf]:
    options = node.get("options") or []
    inner = [option for option in options if option["type"] in (SUBCOMMAND, GROUP)]
    for option in inner:
        yield from _leaves(command, option, (*path, (option["name"], option["type"])))
    if not inner:
        yield Leaf(command, path, tuple(options))


class Forger:
    """Sends interactions as they are, unchecked."""

    def __init__(self, discord: FakeDiscord) -> None:
        self._discord = discord

    async def use(
        self,
        who: Person,
        where: Place,
        leaf: Leaf,
        options: Options = (),
        *,
        target: Message | None = None,
        typing: bool = False,
    ) -> Interaction:
        """Use a command whatever its options are, whoever it is offered to.

        `typing`: ask for completions instead; one of the options is `focused`.
        """
        given: list[dict[str, Any]] = list(options)
        for name, kind in reversed(leaf.path):
            given = [{"name": name, "type": kind, "options": given}]
        data = {
            "id": leaf.command["id"],
            "name": leaf.command["name"],
            "type": leaf.command["type"],
        }
        data["options"] = given
        if target is not None:
            data["target_id"] = str(target.id)
            data["resolved"] = {"messages": {str(target.id): payloads.message(target)}}
        return await self._sent(AUTOCOMPLETE if typing else COMMAND, who, where, data)

    async def press(
        self, who: Person, where: Place, message: Message, custom_id: str, *values: str
    ) -> Interaction:
        """Press a button, or choose from a menu, of any custom id."""
        data: dict[str, Any] = {"custom_id": custom_id, "component_type": BUTTON, "id": 1}
        if values:
            data |= {"component_type": 3, "values": list(values)}
        return await self._sent(COMPONENT, who, where, data, message)

    async def submit(
        self, who: Person, where: Place, modal: dict[str, Any], text: str
    ) -> Interaction:
        """Submit a form with the same text in every field, and in every choice."""
        parts = [_filled(part, text) for part in modal["components"]]
        data = {"custom_id": modal["custom_id"], "components": parts}
        return await self._sent(MODAL, who, where, data)

    async def _sent(
        self,
        kind: int,
        who: Person,
        where: Place,
        data: dict[str, Any],
        message: Message | None = None,
    ) -> Interaction:
        begun = self._discord.rest.interactions.begin(kind, who.record, where.record, data, message)
        return await self._discord.answered(begun)


def _filled(part: dict[str, Any], text: str) -> dict[str, Any]:
    body = {"type": part["type"], "id": part.get("id", 1)}
    if "component" in part:
        return body | {"component": _filled(part["component"], text)}
    if "components" in part:
        return body | {"components": [_filled(each, text) for each in part["components"]]}
    if part.get("custom_id") is None:
        return body
    body["custom_id"] = part["custom_id"]
    return body | ({"value": text} if part["type"] == TEXT_INPUT else {"values": [text]})
