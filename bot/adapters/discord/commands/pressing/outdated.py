"""Buttons and forms whose time is over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import discord
from discord.ext import commands

from bot.adapters.discord.commands.failures import tell
from bot.adapters.discord.commands.pressing.forms import give_back, written_in
from bot.adapters.discord.commands.replies.controls import ReplyButton
from bot.adapters.discord.commands.services import Services, Serving
from bot.chat.turn import TurnId
from bot.errors import InvalidChoice


class Outdated(Serving):
    """Answers presses and forms that nobody claims (`is_unclaimed`)."""

    def __init__(self, services: Services, cards: Collection[str]) -> None:
        """`cards`: first words of custom ids that are always answered (`Presses`)."""
        super().__init__(services)
        self._cards = frozenset(cards)

    @commands.Cog.listener()
    async def on_unclaimed(self, interaction: discord.Interaction[Any]) -> None:
        """Press the button of a reply that the person still saw; others are old."""
        data: Any = interaction.data or {}
        ident = str(data.get("custom_id"))
        if ident.split(":")[0] in self._cards:
            return
        named = ReplyButton.__discord_ui_compiled_template__.fullmatch(ident)
        if named is not None and interaction.message is not None:
            turn = TurnId(str(int(named["turn"])))
            await ReplyButton(named["action"], turn, int(named["number"])).callback(interaction)
            return
        old = InvalidChoice("This card is out of date. Please open a new one.")
        await tell(interaction, old, "outdated")
        written = written_in(interaction)
        if interaction.type is discord.InteractionType.modal_submit and written:
            await give_back(interaction, written)  # Discord has closed the form
