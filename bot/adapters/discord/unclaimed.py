"""Presses and forms that discord.py has nobody for: it drops them without a word.

So it is with buttons of before a restart, or of a view whose time is over (discord/ui/view.py,
`ViewStore`): the person would read "This interaction failed".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
from discord.ext import commands

PRESSES = (discord.InteractionType.component, discord.InteractionType.modal_submit)


def is_unclaimed(bot: commands.Bot, interaction: discord.Interaction[Any]) -> bool:
    """Whether an interaction is a press or a form that discord.py dropped.

    To be asked before any task runs: a view that has done its work has left the store.
    """
    if interaction.type not in PRESSES:
        return False
    data: Any = interaction.data or {}
    store, ident = bot._connection._view_store, str(data.get("custom_id"))
    if interaction.type is discord.InteractionType.modal_submit:
        return ident not in store._modals
    message = interaction.message
    key = (data.get("component_type"), ident)
    if any(key in store._views.get(at, {}) for at in {message.id if message else None, None}):
        return False
    dynamic = any(pattern.fullmatch(ident) for pattern in store._dynamic_items)
    return not (dynamic and message is not None and ident in shown_on(message))


def shown_on(message: discord.Message) -> frozenset[str]:
    """Return the custom ids of everything on a message that can be pressed."""
    return frozenset(ident for part in message.components for ident in _idents(part))


def _idents(part: Any) -> Iterator[str]:
    if ident := getattr(part, "custom_id", None):
        yield str(ident)
    inner = [*getattr(part, "children", ()), getattr(part, "accessory", None)]
    for each in inner:
        if each is not None:
            yield from _idents(each)
