"""Which reply, or message, a person means by a link, an id, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.adapters.discord.commands.services import Services
from bot.chat.account import route_summary
from bot.chat.conversation import Exchange
from bot.chat.place import MessageId, Place
from bot.chat.turn import TurnId
from bot.errors import InvalidChoice, NotFound

LINK = re.compile(r"(?:https?://\S{1,200}/)?(\d{15,20})/?")


def message_id(given: str | None) -> MessageId | None:
    """Return the id of a message that somebody gave by link or id; None when they gave none.

    Raises:
        InvalidChoice: it is neither.
    """
    if given is None:
        return None
    found = LINK.fullmatch(given.strip())
    if found is None:
        raise InvalidChoice("Give the link of a message (Copy Message Link), or its id.")
    return MessageId(int(found.group(1)))


async def route_of(services: Services, place: Place, given: str | None) -> Mapping[str, Any]:
    """Return what is known of the route of a message or reply here; of the last when none is given.

    Known already while the reply is written, and still after a restart. Of a turn long ago only
    `route` is left.

    Raises:
        InvalidChoice: what was given is no message.
        NotFound: it is none that was routed here.
    """
    wanted = message_id(given)
    running = services.intake.under_way(place, wanted)
    if running is not None and running.decision is not None:
        return route_summary(running.decision)
    if running is not None and wanted is not None:
        raise NotFound("That message has no route yet. Ask again in a moment.")
    exchange = await _exchange_of(services, place, wanted)
    if exchange.reply is None or not exchange.said:
        raise NotFound("That message was not routed.")
    account = services.accounts.of_turn(exchange.turn)
    kept = account.summary() if account else await services.replies.account(place, exchange.turn)
    return (kept or {}).get("route") or {"route": exchange.reply.route.value}


async def summary_of(services: Services, place: Place, given: str | None) -> Mapping[str, Any]:
    """Return what `/why` shows of a reply here; of the last one when none is given.

    Raises:
        InvalidChoice: what was given is no message.
        NotFound: it is no reply of ours, or its account is gone.
    """
    return await summary_of_turn(services, place, await _turn_of(services, place, given))


async def summary_of_turn(services: Services, place: Place, turn: TurnId) -> Mapping[str, Any]:
    """Return what `/why` shows of a turn, also after a restart.

    Raises:
        NotFound: its account is gone.
    """
    await services.intake.ended(turn)  # asked so soon that it is not written down yet
    account = services.accounts.of_turn(turn)
    found = account.summary() if account else await services.replies.account(place, turn)
    if found is None:
        raise NotFound("I no longer have the details of that reply. Ask about a newer one.")
    return found


async def _turn_of(services: Services, place: Place, given: str | None) -> TurnId:
    """Return the turn of a reply, by its link or id; the last one when none is given."""
    return (await _exchange_of(services, place, message_id(given))).turn


async def _exchange_of(services: Services, place: Place, wanted: MessageId | None) -> Exchange:
    if wanted is None:
        exchanges = (await services.conversations.load(place)).exchanges
        answered = [each for each in exchanges if each.reply and each.reply.message_ids]
        if not answered:
            raise NotFound("I have not replied here yet, or the conversation was reset.")
        return answered[-1]
    exchange = await services.conversations.find(place, wanted)
    if exchange is None:
        raise NotFound("That message is no reply of mine in this channel.")
    return exchange
