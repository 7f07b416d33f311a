"""What a person does that makes an interaction: commands, buttons, menus, modals."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord import commands, payloads, permissions
from tests.fakes.discord.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL,
    Interaction,
)
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.state import GROUP, Channel, Message, Role, User
from tests.fakes.discord.validation import components_of

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = 3, 4, 5, 6, 7, 8, 9, 10
ATTACHMENT = 11
BUTTON, TEXT_SELECT, TEXT_INPUT, LABEL = 2, 3, 4, 18
_PYTHON_TYPES: dict[int, type | tuple[type, ...]] = {
    STRING: str,
    INTEGER: int,
    BOOLEAN: bool,
    NUMBER: (int, float),
}


class Actions:
    """Turns what a person does into an INTERACTION_CREATE, checked as Discord's client would."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def slash(
        self, user: User, channel: Channel, path: str, options: dict[str, Any], focused: str = ""
    ) -> Interaction:
        """Use "group command"; with `focused`, ask for completions of that option instead.

        Raises:
            LookupError: there is no such command, subcommand or option.
            PermissionError: this person is not offered the command.
            ValueError: a value that Discord's client would not accept.
        """
        name, *rest = path.lstrip("/").split()
        command = self._offered(commands.SLASH, name, user, channel)
        resolved: dict[str, Any] = {}
        leaf = command
        for part in rest:
            leaf = _named(leaf.get("options") or [], part)
        given = [
            self._option(_named(leaf.get("options") or [], key), value, channel, resolved, focused)
            for key, value in options.items()
        ]
        if not focused:
            _check_required(leaf, options)
        for part in reversed(rest):
            kind = _named_type(command, rest, part)
            given = [{"name": part, "type": kind, "options": given}]
        data = self._data(command, channel) | {"options": given}
        if resolved:
            data["resolved"] = resolved
        return self._begin(AUTOCOMPLETE if focused else COMMAND, user, channel, data)

    def menu(self, user: User, channel: Channel, name: str, target: Message | User) -> Interaction:
        """Use a context menu on a message or a person."""
        on_message = isinstance(target, Message)
        kind = commands.MESSAGE_MENU if on_message else commands.USER_MENU
        command = self._offered(kind, name, user, channel)
        resolved: dict[str, Any] = {}
        if isinstance(target, Message):
            resolved["messages"] = {str(target.id): payloads.message(target)}
        else:
            self._resolve_user(target, channel, resolved)
        data = self._data(command, channel)
        data |= {"target_id": str(target.id), "resolved": resolved}
        return self._begin(COMMAND, user, channel, data)

    def press(
        self,
        user: User,
        message: Message,
        custom_id: str,
        values: list[str | User | Role] | None = None,
        *,
        stale: bool = False,
    ) -> Interaction:
        """Press a button or choose from a select.

        `stale`: a button that this person's screen still shows, though it was replaced meanwhile.

        Raises:
            LookupError: the message shows no such component.
            ValueError: it is disabled, or a value is not among its options.
        """
        if message.deleted_at is not None:
            raise LookupError("the message was deleted")
        found = components_of(message.components)
        part = next((item for item in found if item.get("custom_id") == custom_id), None)
        if part is None and stale:
            part = {"type": BUTTON}
        if part is None:
            shown = [i["custom_id"] for i in components_of(message.components) if "custom_id" in i]
            raise LookupError(f"no component {custom_id!r} on the message; it has {shown}")
        if part.get("disabled"):
            raise ValueError(f"component {custom_id!r} is disabled")
        data: dict[str, Any] = {
            "custom_id": custom_id,
            "component_type": part["type"],
            "id": part.get("id", 1),
        }
        if part["type"] != BUTTON:
            resolved: dict[str, Any] = {}
            chosen = [self._chosen(value, message.channel, resolved) for value in values or []]
            low, high = part.get("min_values", 1), part.get("max_values", 1)
            if not low <= len(chosen) <= high:
                raise ValueError(f"{len(chosen)} values, not {low} to {high}")
            offered = {option["value"] for option in part.get("options") or []}
            if part["type"] == TEXT_SELECT and not set(chosen) <= offered:
                raise ValueError(f"{chosen} not among {sorted(offered)}")
            data |= {"values": chosen} | ({"resolved": resolved} if resolved else {})
        return self._begin(COMPONENT, user, message.channel, data, message)

    def submit(self, user: User, opened: Interaction, values: dict[str, Any]) -> Interaction:
        """Fill in and submit the modal that `opened` showed.

        Raises:
            LookupError: it opened none, or the modal has no such field.
            ValueError: a text out of the field's bounds.
        """
        modal = opened.modal
        if modal is None:
            raise LookupError("this interaction opened no modal")
        left = dict(values)
        filled = [_filled(item, left) for item in modal["components"]]
        if left:
            raise LookupError(f"the modal has no fields {sorted(left)}")
        data = {"custom_id": modal["custom_id"], "components": filled}
        return self._begin(MODAL, user, opened.channel, data, opened.message)

    def _begin(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: dict[str, Any],
        message: Message | None = None,
    ) -> Interaction:
        return self._rest.interactions.begin(kind, user, channel, data, message)

    def _offered(self, kind: int, name: str, user: User, channel: Channel) -> dict[str, Any]:
        group = channel.kind == GROUP
        command = self._rest.commands.find(kind, name, channel.guild, group=group)
        may = permissions.in_channel(channel, user)
        if not may & permissions.BITS["use_application_commands"]:
            raise PermissionError("this person may use no commands here")
        needed = int(command["default_member_permissions"] or 0)
        if channel.guild is not None and needed & ~may:
            raise PermissionError(f"{name!r} needs permissions {needed}")
        return command

    @staticmethod
    def _data(command: dict[str, Any], channel: Channel) -> dict[str, Any]:
        data = {"id": command["id"], "name": command["name"], "type": command["type"]}
        return data | {"guild_id": command["guild_id"]} if "guild_id" in command else data

    def _option(
        self,
        option: dict[str, Any],
        value: Any,
        channel: Channel,
        resolved: dict[str, Any],
        focused: str,
    ) -> dict[str, Any]:
        kind = option["type"]
        body = {"name": option["name"], "type": kind}
        if option["name"] == focused:
            return body | {"value": str(value), "focused": True}
        if isinstance(value, User):
            self._resolve_user(value, channel, resolved)
        elif isinstance(value, Channel):
            shown = payloads.channel(value) | {"permissions": str(permissions.ALL)}
            resolved.setdefault("channels", {})[str(value.id)] = shown
        elif isinstance(value, Role):
            resolved.setdefault("roles", {})[str(value.id)] = payloads.role(value)
        elif kind == ATTACHMENT:
            attachment = self._rest.posting.store(channel, [], [value])[0]
            resolved.setdefault("attachments", {})[attachment["id"]] = attachment
            return body | {"value": attachment["id"]}
        else:
            _check_value(option, value)
            return body | {"value": value}
        return body | {"value": str(value.id)}

    def _chosen(self, value: str | User | Role, channel: Channel, resolved: dict[str, Any]) -> str:
        """Return a chosen value; people and roles come with what they are."""
        if isinstance(value, User):
            self._resolve_user(value, channel, resolved)
            return str(value.id)
        if isinstance(value, Role):
            resolved.setdefault("roles", {})[str(value.id)] = payloads.role(value)
            return str(value.id)
        return value

    @staticmethod
    def _resolve_user(user: User, channel: Channel, resolved: dict[str, Any]) -> None:
        resolved.setdefault("users", {})[str(user.id)] = payloads.user(user)
        if channel.guild is not None and user.id in channel.guild.members:
            member = payloads.resolved_member(channel.guild, channel, user)
            resolved.setdefault("members", {})[str(user.id)] = member


def _named(options: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for option in options:
        if option["name"] == name:
            return option
    raise LookupError(f"no option {name!r} among {[option['name'] for option in options]}")


def _named_type(command: dict[str, Any], path: list[str], name: str) -> int:
    leaf = command
    for part in path:
        leaf = _named(leaf["options"], part)
        if part == name:
            break
    return int(leaf["type"])


def _check_required(leaf: dict[str, Any], given: dict[str, Any]) -> None:
    missing = [
        option["name"]
        for option in leaf.get("options") or []
        if option.get("required") and option["name"] not in given
    ]
    if missing:
        raise ValueError(f"required options are missing: {missing}")


def _check_value(option: dict[str, Any], value: Any) -> None:
    name, kind = option["name"], option["type"]
    expected = _PYTHON_TYPES.get(kind)
    if expected is None or not isinstance(value, expected):
        raise ValueError(f"option {name!r} of type {kind} cannot be {value!r}")
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise ValueError(f"option {name!r}: {value!r} is not among {choices}")
    size = len(value) if isinstance(value, str) else value
    text = "length" if isinstance(value, str) else "value"
    low, high = option.get(f"min_{text}"), option.get(f"max_{text}")
    if (low is not None and size < low) or (high is not None and size > high):
        raise ValueError(f"option {name!r}: {value!r} is not within {low} to {high}")
    if isinstance(value, str) and len(value) > 6000:
        raise ValueError(f"option {name!r} is longer than 6000 characters")


def _filled(item: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    if item["type"] == LABEL:
        return {
            "type": LABEL,
            "id": item.get("id", 1),
            "component": _filled(item["component"], values),
        }
    if "components" in item:
        parts = [_filled(part, values) for part in item["components"]]
        return {"type": item["type"], "id": item.get("id", 1), "components": parts}
    ident = item.get("custom_id")
    if ident is None:
        return {"type": item["type"], "id": item.get("id", 1)}
    body = {"type": item["type"], "id": item.get("id", 1), "custom_id": ident}
    if item["type"] != TEXT_INPUT:
        return body | {"values": values.pop(ident, [])}
    text = values.pop(ident, item.get("value") or "")
    low, high = item.get("min_length") or 0, item.get("max_length") or 4000
    if (text or item.get("required", True)) and not max(low, 1) <= len(text) <= high:
        raise ValueError(f"field {ident!r}: {len(text)} characters, not {low} to {high}")
    return body | {"value": text}
