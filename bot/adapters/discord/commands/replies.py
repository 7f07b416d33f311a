"""Which reply, or message, a person means by a link, an id, or nothing."""

from __future__ import annotations

import re

from bot.adapters.discord.commands.services import Services
from bot.chat.account import TurnAccount
from bot.chat.place import MessageId, Place
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


async def account_of(services: Services, place: Place, given: str | None) -> TurnAccount:
    """Return the account of a reply here; of the last one when none is given.

    Raises:
        InvalidChoice: what was given is no message.
        NotFound: it is no reply of ours, or its account is gone.
    """
    wanted = message_id(given)
    if wanted is None:
        exchanges = (await services.conversations.load(place)).exchanges
        replies = [exchange.reply for exchange in exchanges if exchange.reply]
        ids = replies[-1].message_ids if replies else ()
        if not ids:
            raise NotFound("I have not replied here yet.")
        wanted = ids[0]
    else:
        exchange = await services.conversations.find(place, wanted)
        if exchange is None:
            raise NotFound("That message is no reply of mine in this channel.")
        if exchange.reply and exchange.reply.message_ids:
            wanted = exchange.reply.message_ids[0]
    account = services.accounts.of_reply(wanted)
    if account is None:
        raise NotFound("I no longer have the details of that reply. Ask about a newer one.")
    return account
