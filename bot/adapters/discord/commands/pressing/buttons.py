"""Buttons that outlive a restart: all they need stands in their custom id."""

from __future__ import annotations

from typing import Any, TypeAlias

import discord

from bot.adapters.discord.commands.failures import tell

Pressed: TypeAlias = discord.Interaction[Any]
PlainButton: TypeAlias = "discord.ui.Button[discord.ui.View]"


class Told:
    """For a dynamic item: whatever goes wrong is told to who pressed it."""

    async def callback(self, interaction: Pressed) -> None:
        """Do what the button says; called by discord.py."""
        try:
            await self.pressed(interaction)
        except Exception as error:  # noqa: BLE001  # a bug must not leave a person waiting
            await tell(interaction, error, type(self).__name__)

    async def pressed(self, interaction: Pressed) -> None:
        """Do what the button says."""
        raise NotImplementedError


def view_of(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view that discord.py forgets once it is sent.

    Its items are found by their ids; a view that is not stopped would be kept for ever.
    """
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
