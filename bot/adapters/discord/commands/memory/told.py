"""What became of a wish to remember or forget: told in small print, and undone by a button."""

from __future__ import annotations

import re
from typing import Any, Final, Self

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.commands.memory.note import post_note
from bot.adapters.discord.commands.memory.offer import notebook_of
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told
from bot.adapters.discord.commands.render import say
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.account import TurnAccount
from bot.chat.place import UserId
from bot.chat.turn import Turn
from bot.errors import NotAllowed
from bot.languages import reading, t, tn
from bot.memory import Fulfilled, Notebook, Undo, Wish

UNDO: Final = "memory:undo"

log = structlog.get_logger(__name__)


class Telling:
    """Looks after each turn whether a wish was fulfilled or refused. One for the process."""

    def __init__(self, desk: Desk, notebook: Notebook) -> None:
        self._desk = desk
        self._notebook = notebook

    def over(self, turn: Turn, account: TurnAccount) -> None:
        """A turn is over. Never waits, never raises."""
        if account.wishes and account.message_ids:
            self._desk.own(self._tell(turn, account.wishes), "memory-told")

    async def _tell(self, turn: Turn, wishes: tuple[Fulfilled, ...]) -> None:
        with reading(turn.speaker.locale or ""):
            lines, buttons = [told(wish) for wish in wishes], self._buttons(turn, wishes)
        try:
            await post_note(self._desk, turn, lines, buttons)
        except FAILED as error:
            log.info("memory wish not told", reason=type(error).__name__)

    def _buttons(self, turn: Turn, wishes: tuple[Fulfilled, ...]) -> list[UndoButton]:
        person = turn.speaker.id
        return [
            UndoButton(person, self._notebook.keep(person, wish.undo))
            for wish in wishes
            if wish.undo
        ]


def told(wish: Fulfilled) -> str:
    """Return a line about what became of a wish. It stands where others read it."""
    if wish.refused is not None:
        if wish.wish is Wish.REMEMBER:
            return t("Not remembered: {why}", why=wish.refused.translated)
        return t("Not forgotten: {why}", why=wish.refused.translated)
    if wish.wish is Wish.REMEMBER:
        return t("Remembered. `/memory show` lists it.")
    return t("Forgotten: {what}.", what=what(wish.undo))


def what(undo: Undo) -> str:
    """Return how much a change took away."""
    facts, messages = undo.counts()
    return t(
        "{facts} and {messages}",
        facts=tn("{count} fact", "{count} facts", facts),
        messages=tn("{count} message", "{count} messages", messages),
    )


class UndoButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(UNDO + r":(?P<person>\d{1,20}):(?P<name>[0-9a-f]{16})"),
):
    """Takes a fulfilled wish back. What it undoes is kept in the process for a while."""

    def __init__(self, person: int, name: str) -> None:
        self._person, self._name = person, name
        super().__init__(
            discord.ui.Button(
                label=t("Undo"),
                style=discord.ButtonStyle.secondary,
                custom_id=f"{UNDO}:{person}:{name}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["person"]), match["name"])

    async def pressed(self, interaction: Pressed) -> None:
        """Undo it, once."""
        if interaction.user.id != self._person:
            raise NotAllowed("That is not for you.")
        await notebook_of(interaction).take_back(UserId(self._person), self._name)
        await say(interaction, t("Undone."))
