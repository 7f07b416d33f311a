"""What the menu of a message offers: to let a persona speak about it or to it, and to edit a reply.

Discord takes fifteen menus on messages ("Application Commands", limits); discord.py still counts
to five (discord/app_commands/tree.py, `add_command`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

import discord
from discord import app_commands
from discord.ext import commands

from bot.adapters.discord.commands.asking.answers import (
    answering_to,
    is_answer,
    may_speak,
    place_for,
    place_of_reply,
    webhook_of,
)
from bot.adapters.discord.commands.permissions import may_moderate
from bot.adapters.discord.commands.pressing.forms import Form, give_back
from bot.adapters.discord.commands.render import (
    place_of,
    say,
    shorten,
    speaker_of_reader,
    think_aloud,
)
from bot.adapters.discord.commands.replies.controls import SMALL_PRINT
from bot.adapters.discord.commands.services import Services, services_of
from bot.adapters.discord.reading.mapping import Us, is_by_us, message_of, quote_of, roles_of
from bot.adapters.discord.session.client import TroupeBot
from bot.adapters.discord.speaking.rows import turn_under
from bot.adapters.discord.unclaimed import shown_on
from bot.chat.place import MessageId, Place
from bot.chat.turn import Message, Wish
from bot.chat.wishes.claims import Claim
from bot.chat.wishes.variants import own_text
from bot.chat.wishing import Found, Press, Standing
from bot.errors import InvalidChoice, NotAllowed, NotFound, UserFacing
from bot.languages import t
from bot.personas import Persona
from bot.prompting.small_print import added_under

ASK: Final = "Ask a persona about this"
REPLY_AS: Final = "Reply as…"
EDIT: Final = "Edit this reply"
MOST_MENUS: Final = 15
MOST_PERSONAS: Final = 25
"""Options that a select takes."""
MOST_TEXT: Final = 4000
"""Characters that a field of a modal takes."""
MINUTES: Final = 15 * 60.0


class PersonaForm(Form):
    """Asks who shall speak."""

    def __init__(self, title: str, personas: list[Persona]) -> None:
        super().__init__(title=shorten(title, 45), timeout=MINUTES)
        self._who: discord.ui.Select[PersonaForm] = discord.ui.Select(
            custom_id="persona",
            options=[
                discord.SelectOption(
                    label=shorten(each.name, 100), value=each.id, default=number == 0
                )
                for number, each in enumerate(personas[:MOST_PERSONAS])
            ],
        )
        self.add_item(discord.ui.Label(text=t("Who shall speak?"), component=self._who))

    async def _speaks(
        self, interaction: discord.Interaction[Any], services: Services, message: Message
    ) -> None:
        """Let the chosen persona answer a message."""
        place = message.place
        await services.casting.ready(place.guild)
        chosen = self._who.values[0] if self._who.values else ""
        persona = services.casting.persona(chosen, place.guild)
        message = replace(message, persona=persona.id)
        if not may_speak(interaction):
            await think_aloud(interaction)
            message = replace(message, answering=answering_to(interaction))
            await services.intake.ordered(message)
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        await services.intake.ordered(message)
        await say(interaction, t("{name} answers below.", name=persona.name))


class AskForm(PersonaForm):
    """Asks a persona about a message."""

    def __init__(
        self, services: Services, personas: list[Persona], target: discord.Message
    ) -> None:
        super().__init__(t("Ask a persona about this"), personas)
        self._services, self._target = services, target
        self._question: discord.ui.TextInput[AskForm] = discord.ui.TextInput(
            custom_id="question",
            style=discord.TextStyle.paragraph,
            required=False,
            max_length=1000,
            placeholder=t("What do you make of this?"),
        )
        self.add_item(discord.ui.Label(text=t("Your question"), component=self._question))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Journal the question, and let the persona answer."""
        question = self._question.value.strip() or t("What do you make of this?")
        made = _message(interaction, question, MessageId(self._target.id))
        made = await cast("TroupeBot", interaction.client).with_quoted(made, self._target)
        await self._speaks(interaction, self._services, made)


class ReplyAsForm(PersonaForm):
    """Lets a persona reply to a message as if it had been addressed."""

    def __init__(self, services: Services, personas: list[Persona], said: Message) -> None:
        super().__init__(t("Reply as…"), personas)
        self._services, self._said = services, said

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Journal the message under the interaction's id, and let the persona answer."""
        said = self._said
        made = replace(said, id=MessageId(interaction.id), about=said.id, spoken=True)
        await self._speaks(interaction, self._services, made)


class EditReplyForm(Form):
    """Rewrites a reply."""

    def __init__(self, services: Services, place: Place, standing: Standing) -> None:
        super().__init__(title=shorten(t("Edit this reply"), 45), timeout=MINUTES)
        self._services, self._place, self._standing = services, place, standing
        self._text: discord.ui.TextInput[EditReplyForm] = discord.ui.TextInput(
            custom_id="text",
            style=discord.TextStyle.paragraph,
            default=own_text(standing.exchange),
            min_length=1,
            max_length=MOST_TEXT,
        )
        self.add_item(discord.ui.Label(text=t("The reply"), component=self._text))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Claim the reply, and put the text in its place."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        wishes, place = self._services.wishes, self._place
        told: list[str] = []

        async def refused(line: str) -> None:
            told.append(line)
            await say(interaction, line)

        shown = await self._shown(interaction)
        press = Press(
            MessageId(interaction.id),
            Wish.EDIT,
            speaker_of_reader(interaction),
            may_moderate(interaction),
            webhook=webhook_of(shown, interaction),
            small_print=added_under(shown.content, self._standing.reply.text)[:SMALL_PRINT],
            answer=is_answer(shown, interaction),
            text=self._text.value.replace("\r\n", "\n").strip(),
            roles=roles_of(interaction.user),
        )
        claim, standing = await wishes.claim(place, self._standing.turn, press)
        if claim is not Claim.OURS:
            raise InvalidChoice("This reply is being changed right now. Try again in a minute.")
        if own_text(standing.exchange) != own_text(self._standing.exchange):
            await wishes.let_go(place, standing, press)
            await say(
                interaction,
                t("The reply was changed while you were writing, so it stays as it is now."),
            )
            await give_back(interaction, press.text)
            return
        try:
            await wishes.begin(place, standing, press, Found(), refused)
        except BaseException:  # also when it is cancelled: else nobody may edit the reply again
            await wishes.let_go(place, standing, press)
            raise
        await self._services.intake.ended(standing.turn)
        if not told:
            await say(interaction, t("The reply is changed."))

    async def _shown(self, interaction: discord.Interaction[Any]) -> discord.Message:
        """Return the last message of the reply, as it stands there."""
        last = self._standing.reply.message_ids[-1]
        channel = interaction.client.get_partial_messageable(
            self._place.channel, guild_id=self._place.guild
        )
        try:
            shown: discord.Message = await channel.fetch_message(last)
        except discord.NotFound as error:
            raise NotFound("That reply is gone.") from error
        return shown


# ── the menus ───────────────────────────────────────────────────────────────────────────────


async def ask_about(interaction: discord.Interaction, message: discord.Message) -> None:
    """Ask a persona about a message."""
    services, place = services_of(interaction), place_for(interaction, private=False)
    about = quote_of(message, _us(interaction))
    if not about.text.strip() and not message.attachments:
        raise InvalidChoice("There is nothing in that message that I may read.")
    personas = await _personas(services, place)
    await interaction.response.send_modal(AskForm(services, personas, message))


async def reply_as(interaction: discord.Interaction, message: discord.Message) -> None:
    """Let a persona reply to a message."""
    services, place, us = services_of(interaction), place_of(interaction), _us(interaction)
    if is_by_us(message, us):
        raise InvalidChoice("That is a reply of mine. Its buttons write it again.")
    said = message_of(message, us, place)
    if said is None:
        raise InvalidChoice("Personas reply to people only, not to bots or system messages.")
    if not said.text.strip() and not message.attachments:
        raise InvalidChoice("There is nothing in that message that I may read.")
    if message.author.id != interaction.user.id and not may_moderate(interaction):
        raise NotAllowed(
            "You can let a persona reply to your own messages. For those of others you need the "
            "permission Manage Messages; or ask a persona about it."
        )
    if await services.conversations.find(place, said.id) is not None:
        raise InvalidChoice("That message was answered already. Its reply can be written again.")
    said = await cast("TroupeBot", interaction.client).with_files(said, message)
    personas = await _personas(services, place)
    await interaction.response.send_modal(ReplyAsForm(services, personas, said))


async def edit_reply(interaction: discord.Interaction, message: discord.Message) -> None:
    """Rewrite a reply of a persona."""
    services, place = services_of(interaction), place_of_reply(interaction, message)
    if not is_by_us(message, _us(interaction)):
        raise InvalidChoice("Only replies of mine can be edited here.")
    turn = turn_under(shown_on(message))
    standing = await services.wishes.standing(place, turn=turn, message=MessageId(message.id))
    standing.check_right(speaker_of_reader(interaction), moderator=may_moderate(interaction))
    if len(own_text(standing.exchange)) > MOST_TEXT:
        raise InvalidChoice("That reply is too long for a form. Write it again, or delete it.")
    await interaction.response.send_modal(EditReplyForm(services, place, standing))


def add_menus(bot: commands.Bot) -> None:
    """Offer all of it in the menu of every message."""
    asking = app_commands.ContextMenu(
        name=ASK,
        callback=ask_about,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=True, private_channel=True
        ),
    )
    add_message_menu(bot, asking)
    for name, work in ((REPLY_AS, reply_as), (EDIT, edit_reply)):
        add_message_menu(bot, app_commands.ContextMenu(name=name, callback=work))


def add_message_menu(bot: commands.Bot, menu: app_commands.ContextMenu) -> None:
    """Add a menu on messages, as many as Discord takes.

    Raises:
        app_commands.CommandLimitReached: that would be too many.
    """
    kind = discord.AppCommandType.message
    menus = bot.tree._context_menus  # `add_command` stops at five
    same = [key for key in menus if key[1:] == (None, kind.value) and key[0] != menu.name]
    if len(same) >= MOST_MENUS:
        raise app_commands.CommandLimitReached(None, MOST_MENUS, kind)
    menus[menu.name, None, kind.value] = menu


def _message(interaction: discord.Interaction[Any], text: str, about: MessageId) -> Message:
    """Return what a person said through a menu, about a message."""
    services = services_of(interaction)
    return Message(
        MessageId(interaction.id),
        place_for(interaction, private=False),
        speaker_of_reader(interaction),
        text,
        services.clock.now(),
        about=about,
        roles=roles_of(interaction.user),
    )


async def _personas(services: Services, place: Place) -> list[Persona]:
    """Return who may speak at a place, those that play there first."""
    binding = await services.casting.resolved(place)
    playing = list(dict.fromkeys(binding.cast.values()))
    known = [
        each for each in services.library.all(place.guild) if place.age_restricted or not each.adult
    ]
    if not known:
        raise UserFacing("There is no persona that may speak here.")

    def rank(persona: Persona) -> tuple[int, str]:
        first = playing.index(persona.id) if persona.id in playing else len(playing)
        return (first, persona.name.casefold())

    return sorted(known, key=rank)


def _us(interaction: discord.Interaction[Any]) -> Us:
    us = cast("TroupeBot", interaction.client).us
    if us is None:
        raise UserFacing("I am not connected yet. Please try again in a minute.")
    return us
