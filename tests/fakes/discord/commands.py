"""The registered application commands, with Discord's checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.state import Guild, World

SLASH, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP = 1, 2
BY_PERSON = 1
"""Installation type: a person's own."""
_LIMITS = {SLASH: 100, USER_MENU: 15, MESSAGE_MENU: 15}
_NAME = re.compile(r"^[-_'\w]{1,32}$")
_MAX_CHARACTERS = 8000


class Commands:
    """Commands by guild (None: everywhere) and how often they were written."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_guild: dict[int | None, list[dict[str, Any]]] = {}
        self.syncs = 0
        """How many bulk writes there were."""

    def listed(self, guild_id: int | None) -> list[dict[str, Any]]:
        """Return the commands of one scope."""
        return self._by_guild.get(guild_id, [])

    def replace(self, guild_id: int | None, given: Any) -> list[dict[str, Any]]:
        """Write a scope anew; ids of commands that stay are kept.

        Raises:
            ApiError: 50035 or 30032.
        """
        if not isinstance(given, list):
            raise ApiError(400, 50109)
        for kind, limit in _LIMITS.items():
            same = [item for item in given if item.get("type", SLASH) == kind]
            if len(same) > limit:
                raise ApiError(400, 30032)
            names = [item.get("name") for item in same]
            if len(set(names)) != len(names):
                text = "Application command names must be unique"
                raise invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", text)
        for item in given:
            check_command(item)
        old = {(c["type"], c["name"]): c["id"] for c in self.listed(guild_id)}
        stored = []
        for item in given:
            kind = item.get("type", SLASH)
            ident = old.get((kind, item["name"])) or str(self._world.new_id())
            stored.append(self._complete(item, kind, ident, guild_id))
        self._by_guild[guild_id] = stored
        self.syncs += 1
        self._world.changed()
        return stored

    def _complete(
        self, item: dict[str, Any], kind: int, ident: str, guild_id: int | None
    ) -> dict[str, Any]:
        body = {
            "default_member_permissions": None,
            "dm_permission": True,
            "nsfw": False,
            "contexts": None,
            "integration_types": [0],
            "options": [],
            "description": "",
        } | {key: value for key, value in item.items() if value is not None}
        body |= {
            "id": ident,
            "type": kind,
            "application_id": str(self._world.application_id),
            "version": str(self._world.new_id()),
        }
        return body | {"guild_id": str(guild_id)} if guild_id else body

    def remove(self, guild_id: int | None, ident: str) -> None:
        """Delete one command.

        Raises:
            ApiError: 10063.
        """
        commands = self.listed(guild_id)
        kept = [command for command in commands if command["id"] != ident]
        if len(kept) == len(commands):
            raise ApiError(404, 10063)
        self._by_guild[guild_id] = kept

    def find(
        self, kind: int, name: str, guild: Guild | None, *, group: bool = False
    ) -> dict[str, Any]:
        """Return a command as a person here sees it; the guild's own come first.

        Raises:
            LookupError: there is none of that name, or not in this context.
        """
        scopes = [guild.id, None] if guild else [None]
        for scope in scopes:
            for command in self.listed(scope):
                if command["type"] == kind and command["name"] == name:
                    contexts = command["contexts"]
                    here = 0 if guild else 2 if group else 1
                    if contexts is not None and here not in contexts:
                        raise LookupError(f"command {name!r} is not offered here")
                    abroad = group or (guild is not None and not guild.has(self._world.bot))
                    if abroad and BY_PERSON not in command["integration_types"]:
                        raise LookupError(f"command {name!r} is for servers with the bot")
                    return command
        known = sorted(c["name"] for scope in scopes for c in self.listed(scope))
        raise LookupError(f"no command {name!r}; registered: {known}")


def check_command(item: dict[str, Any]) -> None:
    """Refuse a command whose names, texts or options are out of bounds.

    Raises:
        ApiError: 50035.
    """
    kind = item.get("type", SLASH)
    name = item.get("name") or ""
    if kind == SLASH:
        _check_name(name)
        _check_text("description", item.get("description"))
    elif not 1 <= len(name) <= 32:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
    elif item.get("options") or item.get("description"):
        text = "Context menu commands cannot have description"
        raise invalid("description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", text)
    _check_options(item.get("options") or [], depth=0)
    if sum(len(text) for text in _texts(item)) > _MAX_CHARACTERS:
        raise invalid("name", "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds 8000 characters.")


def _check_options(options: list[dict[str, Any]], depth: int) -> None:
    if len(options) > 25 or depth > 2:
        raise invalid("options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    optional = False
    for option in options:
        _check_name(option.get("name") or "")
        _check_text("description", option.get("description"))
        choices = option.get("choices") or []
        if len(choices) > 25 or (choices and option.get("autocomplete")):
            raise invalid("choices", "BASE_TYPE_MAX_LENGTH", "25 choices, or autocomplete.")
        for choice in choices:
            _check_text("choices", choice.get("name"))
        if option["type"] in (SUBCOMMAND, GROUP):
            _check_options(option.get("options") or [], depth + 1)
            continue
        if option.get("required") and optional:
            text = "Required options must be placed before non-required options"
            raise invalid("options", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text)
        optional = optional or not option.get("required")


def _check_name(name: str) -> None:
    if not _NAME.match(name) or name != name.lower():
        raise invalid("name", "APPLICATION_COMMAND_INVALID_NAME", f"Command name {name!r}")


def _check_text(field: str, text: Any) -> None:
    if not isinstance(text, str) or not 1 <= len(text) <= 100:
        raise invalid(field, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _texts(item: dict[str, Any]) -> Iterator[str]:
    yield from (str(item.get("name") or ""), str(item.get("description") or ""))
    for choice in item.get("choices") or []:
        yield from (str(choice.get("name")), str(choice.get("value")))
    for option in item.get("options") or []:
        yield from _texts(option)
