"""Which permission is missing at a place, and what takes it away.

The steps are Discord's own (API reference, "Permission Overwrites"): the roles' permissions, then
the overwrite of @everyone, those of the roles together, and the member's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10


class Cause(StrEnum):
    """What takes a permission away."""

    NO_ROLE = "no_role"
    """None of the roles has it."""
    EVERYONE = "everyone"
    """The channel's overwrite of @everyone denies it."""
    ROLE = "role"
    """The channel's overwrite of a role denies it."""
    MEMBER = "member"
    """The channel's overwrite of the member denies it."""
    UNSEEN = "unseen"
    """The channel can't be seen, so that nothing else is possible there."""


@dataclass(frozen=True, slots=True)
class Overwrite:
    """An overwrite of a channel, as permission bits."""

    allow: int
    deny: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A missing permission. `target` is the id of the role whose overwrite denies it."""

    bit: int
    cause: Cause
    target: int | None = None


def diagnose(
    wanted: Sequence[int],
    *,
    everyone: int,
    roles: Mapping[int, int],
    overwrites: Mapping[int, Overwrite],
    me: int,
) -> tuple[Missing, ...]:
    """Return which of the `wanted` bits a member lacks, in their order.

    `everyone` is the guild's id, which is also that of its @everyone role; `roles` are the
    permissions of the member's roles by id, @everyone among them; `overwrites` are the channel's
    by role or member id.
    """
    base = 0
    for permissions in roles.values():
        base |= permissions
    if base & ADMINISTRATOR:
        return ()
    found = {bit: _cause(bit, base, everyone, roles, overwrites, me) for bit in wanted}
    unseen = _cause(VIEW_CHANNEL, base, everyone, roles, overwrites, me) is not None
    missing = []
    for bit in wanted:
        known = found[bit]
        if known is not None:
            missing.append(known)
        elif unseen and bit != VIEW_CHANNEL:
            missing.append(Missing(bit, Cause.UNSEEN))
    return tuple(missing)


def _cause(
    bit: int,
    base: int,
    everyone: int,
    roles: Collection[int],
    overwrites: Mapping[int, Overwrite],
    me: int,
) -> Missing | None:
    """Return what took a permission away at last; None when it is there."""
    nothing = Overwrite(0, 0)
    theirs = {role: overwrites[role] for role in roles if role != everyone and role in overwrites}
    denying = [role for role, overwrite in theirs.items() if overwrite.deny & bit]
    together = Overwrite(
        bit if any(overwrite.allow & bit for overwrite in theirs.values()) else 0,
        bit if denying else 0,
    )
    steps = (
        (overwrites.get(everyone, nothing), Missing(bit, Cause.EVERYONE)),
        (together, Missing(bit, Cause.ROLE, denying[0] if denying else None)),
        (overwrites.get(me, nothing), Missing(bit, Cause.MEMBER)),
    )
    cause = None if base & bit else Missing(bit, Cause.NO_ROLE)
    for overwrite, missing in steps:
        if overwrite.deny & bit:
            cause = cause or missing
        if overwrite.allow & bit:
            cause = None
    return cause
