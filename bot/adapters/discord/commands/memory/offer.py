"""The one quiet offer of a memory: posted once a person, with buttons that outlive a restart."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any, Final, Self, cast

import discord
import structlog
from discord.ext import commands

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.commands.memory.note import post_note
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told
from bot.adapters.discord.commands.render import say
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.account import TurnAccount
from bot.chat.place import UserId
from bot.chat.turn import Turn
from bot.errors import NotAllowed
from bot.guardrails.verdict import Action
from bot.languages import mark, reading, t, translated
from bot.memory import Consent, Memory, Notebook
from bot.ports import Outcome
from bot.recent import Recent

OFFER: Final = "memory:offer"
TROUBLE: Final = frozenset({Outcome.FAILED, Outcome.BUSY, Outcome.EXPIRED, Outcome.CANCELLED})
UPSET_FOR: Final = 600.0
"""Seconds after a turn that went wrong in which its person is asked for nothing."""
UPSET_KEPT: Final = 1000

TEXT = mark(
    "I could remember what you tell me, for you alone. You can look at it, change it and "
    "delete it at any time (`/memory show`, `/privacy`). Shall I?"
)

log = structlog.get_logger(__name__)


class Offering:
    """Looks after each turn whether its person should be asked. One object for the process."""

    def __init__(self, desk: Desk, memory: Memory) -> None:
        self._desk = desk
        self._memory = memory
        self._upset = Recent[UserId, float](UPSET_KEPT)

    def over(self, turn: Turn, account: TurnAccount) -> None:
        """A turn is over. Never waits, never raises."""
        if account.outcome in TROUBLE:
            self._upset[turn.speaker.id] = time.monotonic()
        calm = all(verdict.action is Action.ALLOW for _, verdict in account.verdicts)
        if (
            account.outcome is Outcome.ANSWERED
            and account.decision is not None
            and account.message_ids
            and turn.cue is None
            and not turn.by_token  # it is offered once, and must be seen
            and calm
            and not self._upset_lately(turn.speaker.id)
            and self._memory.may_offer(turn, account.decision.route)
        ):
            self._desk.own(self._offer(turn), "memory-offer")

    def _upset_lately(self, person: UserId) -> bool:
        """Whether we let a person down just now: no time to ask them for anything."""
        at = self._upset.get(person)
        return at is not None and time.monotonic() - at < UPSET_FOR

    async def _offer(self, turn: Turn) -> None:
        if not await self._memory.offer_due(turn):
            return
        with reading(turn.speaker.locale or ""):
            line = translated(TEXT)
            buttons = [OfferButton(turn.speaker.id, yes=yes) for yes in (True, False)]
        try:
            await post_note(self._desk, turn, [line], buttons)
        except FAILED as error:
            log.info("memory not offered", reason=type(error).__name__)


class OfferButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(OFFER + r":(?P<person>\d{1,20}):(?P<answer>yes|no)"),
):
    """Yes or no. All it needs is in its id: a restart does it no harm."""

    def __init__(self, person: int, *, yes: bool) -> None:
        self._person, self._yes = person, yes
        super().__init__(
            discord.ui.Button(
                label=t("Yes, remember") if yes else t("No, thanks"),
                style=discord.ButtonStyle.secondary,
                custom_id=f"{OFFER}:{person}:{'yes' if yes else 'no'}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["person"]), yes=match["answer"] == "yes")

    async def pressed(self, interaction: Pressed) -> None:
        """Note the answer, and take the question away: it is nobody else's business."""
        if interaction.user.id != self._person:
            raise NotAllowed("That is not for you. `/memory on` is yours.")
        notebook, person = notebook_of(interaction), UserId(self._person)
        decided = await notebook.consent(person)
        if self._yes:
            await notebook.set_consent(person, Consent.ON)
            text = t("I remember from now on. `/memory off` ends it.")
        elif decided in (Consent.ON, Consent.PAUSED):
            # An old button must not delete what was agreed to since.
            text = t("You have a memory already. `/memory off` deletes it and ends it.")
        else:
            await notebook.set_consent(person, Consent.DECLINED)
            text = t("Then I won't, and I won't ask again.")
        await say(interaction, text)
        if interaction.message is not None:
            with contextlib.suppress(*FAILED):  # pressed twice, say; the answer counts all the same
                await interaction.message.delete()


def notebook_of(interaction: Pressed) -> Notebook:
    """Return the notebook of the client that got an interaction."""
    for cog in cast("commands.Bot", interaction.client).cogs.values():
        if isinstance(cog, Owning):
            return cog.notebook
    raise LookupError("the memory commands were not installed")


class Owning(commands.GroupCog):
    """A cog with the notebook; buttons, which Discord makes anew, find it by it."""

    notebook: Notebook
