"""Which mentions of a text reach people, after `allowed_mentions`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import permissions
from tests.fakes.discord.errors import invalid
from tests.fakes.discord.state import Channel, Message, Role, User, World

_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_KINDS = {"users", "roles", "everyone"}


@dataclass(slots=True)
class Mentions:
    """The mentions that take effect."""

    users: list[User] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    everyone: tuple[str, ...] = ()

    @property
    def pings(self) -> tuple[int | str, ...]:
        """Everything that is notified."""
        return (*(user.id for user in self.users), *self.roles, *self.everyone)


def check(allowed: Any) -> None:
    """Refuse a contradictory `allowed_mentions`.

    Raises:
        ApiError: 50035.
    """
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        raise invalid("allowed_mentions", "MODEL_TYPE_CONVERT", "Must be an object.")
    parse = allowed.get("parse") or []
    if any(kind not in _KINDS for kind in parse):
        raise invalid("allowed_mentions", "BASE_TYPE_CHOICES", f"Must be one of {sorted(_KINDS)}.")
    for kind in ("users", "roles"):
        listed = allowed.get(kind) or []
        if len(listed) > 100:
            raise invalid("allowed_mentions", "BASE_TYPE_MAX_LENGTH", "At most 100 ids.")
        if listed and kind in parse:
            text = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            raise invalid("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text)


def effective(
    world: World,
    channel: Channel,
    author: User,
    content: str,
    allowed: dict[str, Any] | None,
    reference: Message | None,
) -> Mentions:
    """Work out who is notified; without `allowed` every mention in the text counts."""
    given: dict[str, Any]
    given = {"parse": list(_KINDS), "replied_user": True} if allowed is None else allowed
    parse = set(given.get("parse") or [])
    found = Mentions()
    named = {int(i) for i in given.get("users") or []}
    for ident in dict.fromkeys(int(i) for i in _USER.findall(content)):
        user = world.users.get(ident)
        if user is not None and ("users" in parse or ident in named):
            found.users.append(user)
    own = (None, world.application_id)  # answers to interactions are the bot's own messages
    if reference is not None and given.get("replied_user") and reference.webhook_id in own:
        found.users += [reference.author] if reference.author not in found.users else []
    if channel.guild is not None:
        may_ping_all = (
            bool(permissions.in_channel(channel, author) & permissions.BITS["mention_everyone"])
            or author.id not in channel.guild.members
        )
        named_roles = {int(i) for i in given.get("roles") or []}
        for ident in dict.fromkeys(int(i) for i in _ROLE.findall(content)):
            role: Role | None = channel.guild.roles.get(ident)
            if role is None or not ("roles" in parse or ident in named_roles):
                continue
            if role.mentionable or may_ping_all:
                found.roles.append(ident)
        if "everyone" in parse and may_ping_all:
            found.everyone = tuple(dict.fromkeys(_EVERYONE.findall(content)))
    return found
