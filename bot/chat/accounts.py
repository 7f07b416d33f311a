"""The accounts of recent turns, for `/why`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from bot.chat.account import TurnAccount
from bot.chat.place import Place
from bot.chat.turn import TurnId
from bot.recent import Recent


class AccountStore(Protocol):
    """Keeps accounts over restarts. Every method raises `StoreError`."""

    async def keep_account(self, place: Place, turn: TurnId, summary: Mapping[str, Any]) -> None:
        """Keep what is shown of a turn."""
        ...

    async def account(self, place: Place, turn: TurnId) -> Mapping[str, Any] | None:
        """Return what is shown of a turn, if it is still known."""
        ...


class Accounts:
    """The last `limit` accounts of this process."""

    def __init__(self, limit: int = 500) -> None:
        self._by_turn = Recent[TurnId, TurnAccount](limit)

    def keep(self, account: TurnAccount) -> None:
        """Keep an account, without prompt and reply: `/why` never shows them."""
        self._by_turn[account.turn] = replace(account, messages=(), reply="")

    def of_turn(self, turn: TurnId) -> TurnAccount | None:
        """Return the account of a turn."""
        return self._by_turn.get(turn)
