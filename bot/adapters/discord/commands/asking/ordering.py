"""From an interaction to an order, and from listed ideas to the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.adapters.discord.commands.asking.answers import (
    answering_to,
    may_speak,
    place_for,
    place_of_pressed,
)
from bot.adapters.discord.commands.render import speaker_of_reader, think_aloud
from bot.adapters.discord.commands.services import Services, services_of
from bot.adapters.discord.reading.mapping import roles_of
from bot.chat.place import MessageId, snowflake_seconds
from bot.chat.preparing.ordering import as_said
from bot.chat.turn import Answering, Attachment, Message, Trigger, Turn, TurnId
from bot.chat.wishes.variants import ideas_of
from bot.creative.order import Order, Tool
from bot.errors import InvalidChoice, NotFound
from bot.guardrails import Action, GuardContext
from bot.languages import t
from bot.routing.route import Route


@dataclass(frozen=True, slots=True)
class Begun:
    """An interaction that was told that its answer is coming."""

    interaction: discord.Interaction[Any]
    answering: Answering | None

    async def order(
        self,
        services: Services,
        order: Order,
        said: str,
        pictures: Sequence[Attachment],
        how: str,
    ) -> None:
        """Hand an order over.

        Raises:
            UserFacing: it can't be taken; the text says why.
            StoreError: it could not be journalled.
        """
        interaction, answering = self.interaction, self.answering
        message = Message(
            MessageId(interaction.id),
            place_for(interaction, private=False),
            speaker_of_reader(interaction),
            said,
            snowflake_seconds(interaction.id),
            attachments=tuple(pictures),
            roles=roles_of(interaction.user),
            order=order,
            answering=answering,
        )
        if answering is None and await between_us(services, message, Route.CREATIVE):
            answering = answering_to(interaction, private=True)
            private = place_for(interaction, private=True)
            message = replace(message, place=private, answering=answering)
        if not await services.intake.ordered(message):
            return  # another process has it: this interaction came twice
        services.orders.ordered(order.tool.value, how)
        if answering is None:
            await interaction.followup.send(t("It is being written here."), ephemeral=True)


async def between_us(services: Services, message: Message, route: Route) -> bool:
    """Whether what was said by command is answered by words of care or a refusal: nobody else has
    read it, so nobody else reads these."""
    turn = as_said(Turn((message,), Trigger.COMMAND))
    context = GuardContext(
        route=route,
        place=message.place,
        person=message.speaker.id,
        user_text=turn.text,
        locale=message.speaker.locale,
        now=services.clock.now(),
    )
    verdict = await services.moderation.rails.foretell(turn.text, context)
    return verdict.action in (Action.SUPPORT, Action.REFUSE)


async def begin(interaction: discord.Interaction[Any]) -> Begun:
    """Answer within Discord's three seconds that something is coming.

    Where the bot may speak in the channel, the persona does so there, and only its person reads
    that it will. Elsewhere the answer to the interaction is the place of the reply.
    """
    if may_speak(interaction):
        await interaction.response.defer(ephemeral=True, thinking=True)
        return Begun(interaction, None)
    await think_aloud(interaction)
    return Begun(interaction, answering_to(interaction))


@dataclass(frozen=True, slots=True)
class Ideas:
    """Ideas that stand in a reply, and what they were asked for."""

    prompt: str
    order: Order
    texts: tuple[str, ...]

    def more(self) -> Order:
        """Return an order of as many other ones."""
        known = (*self.order.known, *self.texts)[-24:]
        return replace(self.order, known=known)


async def known_ideas(interaction: discord.Interaction[Any], turn: TurnId) -> Ideas:
    """Return the ideas of a turn.

    Raises:
        NotFound: they are gone.
    """
    place = place_of_pressed(interaction)
    conversation = await services_of(interaction).conversations.load(place)
    exchange = conversation.exchange(turn)
    order = exchange.said[-1].order if exchange is not None and exchange.said else None
    if exchange is None or order is None:
        raise NotFound("These ideas are no longer here. Ask for new ones.")
    return Ideas(exchange.said[-1].text, order, tuple(ideas_of(exchange)))


def idea_order(ideas: Ideas, number: int, tool: Tool = Tool.WRITE) -> Order:
    """Return the order to work one of the ideas out. Numbers count from 1.

    Raises:
        InvalidChoice: there is none of this number.
    """
    if not 1 <= number <= len(ideas.texts):
        raise InvalidChoice("Choose a number from 1 to {count}.", count=len(ideas.texts))
    return replace(ideas.order, tool=tool, count=1, material=ideas.texts[number - 1], known=())
