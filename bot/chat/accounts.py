"""The accounts of recent turns, for `/why`."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from bot.chat.account import TurnAccount
from bot.chat.place import MessageId
from bot.chat.turn import TurnId


class Accounts:
    """The last `limit` accounts, found by turn or by a message of the reply."""

    def __init__(self, limit: int = 500) -> None:
        self._limit = limit
        self._by_turn: OrderedDict[TurnId, TurnAccount] = OrderedDict()
        self._by_reply: dict[MessageId, TurnId] = {}

    def keep(self, account: TurnAccount) -> None:
        """Keep an account, without prompt and reply: `/why` never shows them."""
        kept = replace(account, messages=(), reply="")
        self._by_turn[account.turn] = kept
        self._by_turn.move_to_end(account.turn)
        for message in account.message_ids:
            self._by_reply[message] = account.turn
        while len(self._by_turn) > self._limit:
            _, oldest = self._by_turn.popitem(last=False)
            for message in oldest.message_ids:
                self._by_reply.pop(message, None)

    def of_reply(self, message: MessageId) -> TurnAccount | None:
        """Return the account of the turn whose reply this message is part of."""
        turn = self._by_reply.get(message)
        return self._by_turn.get(turn) if turn else None
