"""`/report`, "Report this reply", and the button "This was a mistake"."""

from __future__ import annotations

import re
from typing import Any, Self

import discord
from discord import app_commands
from discord.ext import commands

from bot.adapters.discord.commands.permissions import may_moderate
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told
from bot.adapters.discord.commands.pressing.forms import Form
from bot.adapters.discord.commands.render import place_of, say
from bot.adapters.discord.commands.replies.which import message_id
from bot.adapters.discord.commands.services import Services, Serving, services_of
from bot.adapters.discord.moderation import MISTAKE, mistake_id
from bot.chat.place import ChannelId, MessageId, UserId
from bot.errors import InvalidChoice, NotAllowed, NotFound
from bot.guardrails.moderation import MAX_REASON, PRIVATE, Report
from bot.languages import t

MENU = "Report this reply"
REPORTS = 5
"""Reports of one person in `WINDOW` seconds."""
WINDOW = 300.0


class ReportModal(Form):
    """Asks what is wrong."""

    def __init__(self, services: Services, message: int) -> None:
        super().__init__(title=t("Report this reply"), timeout=900)
        self.reason: discord.ui.TextInput[ReportModal] = discord.ui.TextInput(
            custom_id="reason",
            style=discord.TextStyle.paragraph,
            max_length=MAX_REASON,
            required=False,
            placeholder=t("The moderators read this, with a link to the reply."),
        )
        self.add_item(discord.ui.Label(text=t("What is wrong with it?"), component=self.reason))
        self._services = services
        self._message = message

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        place = place_of(interaction)
        report = Report(
            reporter=UserId(interaction.user.id),
            channel=ChannelId(place.channel),
            message=MessageId(self._message),
            reason=" ".join(self.reason.value.split())[:MAX_REASON],
            at=self._services.clock.now(),
        )
        told = await self._services.moderation.reported(place, report)
        await say(
            interaction,
            t("Thank you: your report is filed. The moderators have been told.")
            if told
            else t("Thank you: your report is filed. It is kept for those who run this bot."),
        )


class ReportCommands(Serving):
    """For everybody."""

    @app_commands.command(description="Report a reply of mine to the moderators")
    @app_commands.describe(message="Link or id of the reply; without it, the last one here")
    @app_commands.checks.cooldown(REPORTS, WINDOW)
    async def report(self, interaction: discord.Interaction, message: str | None = None) -> None:
        place, conversations = place_of(interaction), self.services.conversations
        wanted = message_id(message)
        if wanted is None:
            exchanges = (await conversations.load(place)).exchanges
            replies = [each.reply for each in exchanges if each.reply and each.reply.message_ids]
            if not replies:
                raise NotFound("I have not replied here yet, or the conversation was reset.")
            wanted = replies[-1].message_ids[0]
        else:
            exchange = await conversations.find(place, wanted)
            if exchange is None or any(said.message_id == wanted for said in exchange.said):
                raise NotFound(
                    "That is no reply of mine here. Right-click it: Apps, {menu}.", menu=MENU
                )
        await interaction.response.send_modal(ReportModal(self.services, wanted))


@app_commands.checks.cooldown(REPORTS, WINDOW)
async def report_message(interaction: discord.Interaction, message: discord.Message) -> None:
    """Report the reply that was chosen from the context menu."""
    us = interaction.client.user
    if message.application_id != interaction.application_id and message.author != us:
        raise InvalidChoice("Only replies of mine can be reported here. Ask your moderators.")
    await interaction.response.send_modal(ReportModal(services_of(interaction), message.id))


def add_menu(bot: commands.Bot) -> None:
    """Offer the report in the menu of every message."""
    everywhere = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
    bot.tree.add_command(
        app_commands.ContextMenu(
            name=MENU,
            callback=report_message,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=everywhere,
        )
    )


class MistakeButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(
        MISTAKE + r":(?P<person>\d{1,20}):(?P<category>[a-z_]{1,24}):(?P<digest>[0-9a-f]{32})"
    ),
):
    """Says that a refusal, or a crisis card, was wrong.

    All it needs is in its id: a restart does it no harm.
    """

    def __init__(self, person: int, category: str, digest: str) -> None:
        self._person, self._category, self._digest = person, category, digest
        super().__init__(
            discord.ui.Button(
                label=t("This was a mistake"),
                style=discord.ButtonStyle.secondary,
                custom_id=mistake_id(person, category, digest),
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["person"]), match["category"], match["digest"])

    async def pressed(self, interaction: Pressed) -> None:
        own = interaction.user.id == self._person
        if not own and self._category == PRIVATE:
            raise NotAllowed("Only the person to whom this was said can tell.")
        if not own and not may_moderate(interaction):
            raise NotAllowed("Only the person who was refused, or a moderator, can say so.")
        message = interaction.message
        place = place_of(interaction)
        await interaction.response.edit_message(view=None)
        fresh = await services_of(interaction).moderation.mistaken(
            place, message.id if message else 0, self._category, self._digest
        )
        noted = (
            t("Thank you: it is noted, without your words.") if fresh else t("It is noted already.")
        )
        if self._category == PRIVATE:
            noted += "\n" + await services_of(interaction).moderation.rails.take_back(
                UserId(self._person), place, str(interaction.locale)
            )
        await say(interaction, noted)
