"""`/conversation reset`, `/why` and `/route`."""

from __future__ import annotations

import re

import discord
from discord import app_commands

from bot.adapters.discord.commands.render import account_text, place_of, say
from bot.adapters.discord.commands.services import Serving
from bot.chat.place import MessageId
from bot.errors import InvalidChoice, NotFound

LINK = re.compile(r"(?:https?://\S*/)?(\d{15,20})/?")


class ConversationCommands(Serving):
    """Looking into a conversation, and forgetting it."""

    conversation = app_commands.Group(
        name="conversation", description="The conversation of this place"
    )
    route = app_commands.Group(name="route", description="Which route a message takes")

    @conversation.command(name="reset", description="Forget the conversation of this place")
    @app_commands.checks.has_permissions(manage_messages=True)
    async def reset(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        count = await self.services.conversations.reset(place_of(interaction))
        await say(
            interaction,
            f"Forgotten: {count} exchanges. The next message starts afresh."
            if count
            else "There was nothing to forget here.",
        )

    @app_commands.command(description="Why did the last reply come out as it did?")
    @app_commands.describe(message="Link or id of a reply; without it, the last one here")
    async def why(self, interaction: discord.Interaction, message: str | None = None) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        wanted = self._reply_id(message)
        if wanted is None:
            exchanges = (await self.services.conversations.load(place)).exchanges
            replies = [exchange.reply for exchange in exchanges if exchange.reply]
            ids = replies[-1].message_ids if replies else ()
            if not ids:
                raise NotFound("I have not replied here yet.")
            wanted = ids[0]
        elif await self.services.conversations.find(place, wanted) is None:
            raise NotFound("That message is no reply of mine in this channel.")
        account = self.services.accounts.of_reply(wanted)
        if account is None:
            raise NotFound("I no longer have the details of that reply. Ask about a newer one.")
        await say(interaction, account_text(account))

    @route.command(name="try", description="Which route would this message take?")
    @app_commands.describe(text="The message")
    async def try_route(
        self, interaction: discord.Interaction, text: app_commands.Range[str, 1, 2000]
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        decision = self.services.router.route(text, previous=None, now=self.services.clock.now())
        lines = [
            f"- {route.value}: {share:.0%}"
            for route, share in sorted(decision.probabilities.items(), key=lambda each: -each[1])
        ]
        sure = "unsure" if decision.uncertain else "sure"
        await say(interaction, f"Route: **{decision.route.value}** ({sure})\n" + "\n".join(lines))

    @staticmethod
    def _reply_id(message: str | None) -> MessageId | None:
        if message is None:
            return None
        found = LINK.fullmatch(message.strip())
        if found is None:
            raise InvalidChoice("Give the link of a message (Copy Message Link), or its id.")
        return MessageId(int(found.group(1)))
