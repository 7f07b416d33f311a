"""The buttons under a reply. All that they need is in their ids and in the store."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import discord
import structlog

from bot.adapters.discord.calling.refusals import ANSWERED, FAILED
from bot.adapters.discord.commands.asking.answers import (
    answering_press,
    is_answer,
    place_of_pressed,
    webhook_of,
)
from bot.adapters.discord.commands.permissions import may_moderate
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told
from bot.adapters.discord.commands.render import say, speaker_of_reader
from bot.adapters.discord.commands.replies.account_text import account_text
from bot.adapters.discord.commands.replies.which import summary_of_turn
from bot.adapters.discord.commands.services import Services, services_of
from bot.adapters.discord.reading.mapping import roles_of
from bot.adapters.discord.session.client import TroupeBot
from bot.adapters.discord.speaking.rows import (
    PREFIX,
    Rows,
    control_id,
    fixed_rows,
    reply_rows,
    stop_row,
)
from bot.chat.place import MessageId, Place, UserId
from bot.chat.turn import Message, TurnId, Wish
from bot.chat.wishes.claims import Claim
from bot.chat.wishing import Found, Press, Standing
from bot.errors import Busy, DeliveryError, InvalidChoice, NotAllowed, NotFound, StoreError
from bot.languages import t
from bot.prompting.small_print import added_under

log = structlog.get_logger(__name__)

SMALL_PRINT: Final = 400
"""Characters of the program's notes that a changed reply keeps."""
_WISHES: Final = {
    "again": Wish.REGENERATE,
    "more": Wish.CONTINUE,
    "back": Wish.SHOW,
    "on": Wish.SHOW,
    "duel": Wish.COMPARE,
    "pick": Wish.PICK,
}


class ReplyButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(PREFIX + r":(?P<action>[a-z]{2,6}):(?P<turn>\d{1,20}):(?P<number>\d{1,6})"),
):
    """Any button under a reply."""

    def __init__(self, action: str, turn: TurnId, number: int) -> None:
        self._action, self._turn, self._number = action, turn, number
        # Only its id counts: what stands there was rendered by `rows`.
        super().__init__(discord.ui.Button(label="…", custom_id=control_id(action, turn, number)))

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["action"], TurnId(str(int(match["turn"]))), int(match["number"]))

    async def pressed(self, interaction: Pressed) -> None:
        match self._action:
            case "stop":
                await stop(interaction, self._turn)
            case "up" | "down":
                await vote(interaction, self._turn, up=self._action == "up")
            case "why":
                await why(interaction, self._turn)
            case "delete":
                await delete(interaction, self._turn)
            case action if action in _WISHES:
                await wish(interaction, self._turn, _WISHES[action], self._number)
            case _:
                await acknowledge(interaction)


async def stop(interaction: Pressed, turn: TurnId) -> None:
    """End a reply that is being written."""
    services = services_of(interaction)
    by = UserId(interaction.user.id)
    if services.intake.stop(turn, by, moderator=may_moderate(interaction)):
        await acknowledge(interaction)
        return
    # Over, or another process writes it: then that one has answered, and this changes nothing.
    rows: Rows = []
    message = interaction.message
    with contextlib.suppress(NotFound, Busy):
        found = await services.wishes.standing(
            place_of_pressed(interaction), message=MessageId(message.id if message else 0)
        )
        rows = rows_under(interaction, found)
    await acknowledge(interaction, rows)


async def vote(interaction: Pressed, turn: TurnId, *, up: bool) -> None:
    """Take a 👍 or 👎."""
    services, place = services_of(interaction), place_of_pressed(interaction)
    standing = await services.wishes.standing(place, turn=turn)
    services.counted.voted(standing.reply.route.value, up=up)
    kept = False
    if services.memory is not None:
        kept = await services.memory.preferences.voted(
            UserId(interaction.user.id), place, standing.exchange, up=up
        )
    thanks = t("Thank you. I keep in mind that you like this better.") if kept else t("Thank you.")
    await say(interaction, thanks)


async def why(interaction: Pressed, turn: TurnId) -> None:
    """Show how a reply came about, to who asks."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    account = await summary_of_turn(services_of(interaction), place_of_pressed(interaction), turn)
    await say(interaction, account_text(account))


async def delete(interaction: Pressed, turn: TurnId) -> None:
    """Remove a reply: from the conversation first, then from the channel."""
    services, place = services_of(interaction), place_of_pressed(interaction)
    message = interaction.message
    if message is None:
        raise NotFound("That reply is gone.")
    here = MessageId(message.id)
    moderator = may_moderate(interaction)
    try:
        standing = await services.wishes.standing(place, turn=turn, message=here)
        standing.check_right(speaker_of_reader(interaction), moderator=moderator)
        ids = tuple(dict.fromkeys((*standing.reply.message_ids, here)))
    except NotFound:
        if not (moderator or place.is_dm):
            raise NotAllowed("Only a moderator can delete this one now.") from None
        ids = (here,)
    await acknowledge(interaction)
    services.counted.wished("delete")
    await services.intake.deleted(place, ids)
    if answering_press(interaction) is not None:
        await interaction.delete_original_response()
        return
    try:
        await services.remover.remove(place, ids, webhook_of(message, interaction))
    except DeliveryError:
        if ids != (here,):
            raise
        await interaction.delete_original_response()  # a press may do this to its own message


async def wish(interaction: Pressed, turn: TurnId, what: Wish, number: int) -> None:
    """Rewrite, continue or flip a reply."""
    services, place = services_of(interaction), place_of_pressed(interaction)
    message = interaction.message
    if message is None:
        raise NotFound("That reply is gone.")
    answering = answering_press(interaction)
    try:
        standing = await services.wishes.standing(place, turn=turn)
        if standing.controls is None:
            await acknowledge(interaction, [])  # a row that was left over
        press = Press(
            MessageId(interaction.id),
            what,
            speaker_of_reader(interaction),
            # By a press's token, another person's reply could not be found again afterwards.
            may_moderate(interaction) and answering is None,
            seen=None if what.points else number,
            index=number if what.points else 0,
            webhook=webhook_of(message, interaction),
            roles=roles_of(interaction.user),
            small_print=added_under(message.content, standing.reply.text)[:SMALL_PRINT],
            answer=is_answer(message, interaction),
            answering=answering,
        )
        claim, standing = await services.wishes.claim(place, turn, press)
    except NotFound:
        await acknowledge(interaction, [])
        raise
    if claim is Claim.TWICE:
        return
    if claim is Claim.TAKEN:
        await acknowledge(interaction)
        return
    await Work(interaction, services, place, standing, press).begin(writes=not what.points)


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed wish on its way into the journal."""

    interaction: discord.Interaction[Any]
    services: Services
    place: Place
    standing: Standing
    press: Press

    async def begin(self, *, writes: bool) -> None:
        """Answer the press, look at the question again, and begin. `writes`: it can be stopped."""
        # Before it begins: else this answer could replace the row of the finished reply.
        rows = stop_row(TurnId(str(self.press.id))) if writes else None
        try:
            await acknowledge(self.interaction, rows)
            begun = await self._journalled()
        except BaseException:  # also when it is cancelled: the reply would stay without its buttons
            await self._give_up(rows_under(self.interaction, self.standing) if writes else None)
            raise
        if not begun:
            await self._give_up([])
            raise NotFound("The question was deleted, so I can't answer it again.")

    async def _journalled(self) -> bool:
        """Look at the question again, and begin; False when it is gone."""
        found = Found()
        if self.press.wish.writes_another:
            client = cast("TroupeBot", self.interaction.client)
            found = Found(*await self._reread(client))
        begun = await self.services.wishes.begin(
            self.place, self.standing, self.press, found, self.tell
        )
        return begun or not found.gone

    async def _give_up(self, rows: Rows | None) -> None:
        """Let others have wishes: this one was not begun, and there is nothing to stop."""
        await self.services.wishes.let_go(self.place, self.standing, self.press)
        if rows is not None:
            await self._show_rows(rows)

    async def _reread(self, client: TroupeBot) -> tuple[tuple[Message, ...], tuple[MessageId, ...]]:
        """Return what holds the question in its channel now, and what of it is gone.

        Raises:
            InvalidChoice: it was about a message that can't be read any more.
        """
        about = self.standing.about
        if about is None:
            return await client.reread(self.place, self.standing.written)
        read, gone = await client.reread_quoted(self.place, about)
        if not (read or gone):
            raise InvalidChoice("I can't read again what you asked about. Ask about it once more.")
        return read, gone

    async def tell(self, line: str) -> None:
        """Say why the wish is not fulfilled."""
        try:
            await say(self.interaction, line)
        except FAILED as error:
            log.info("wish not answered", reason=type(error).__name__)
        # Where the reply could not be put back, this press still can: nothing is left to stop.
        with contextlib.suppress(NotFound, Busy, StoreError):
            now = await self.services.wishes.standing(self.place, turn=self.standing.turn)
            await self._show_rows(rows_under(self.interaction, now))

    async def _show_rows(self, rows: Rows) -> None:
        with contextlib.suppress(*FAILED):
            await self.interaction.edit_original_response(view=view_from(rows))


def rows_under(interaction: Pressed, standing: Standing) -> Rows:
    """Return what stands under a reply, as far as it can be changed."""
    split = len(standing.reply.message_ids) > 1
    if split and answering_press(interaction) is not None:
        return fixed_rows(standing.controls)
    return reply_rows(standing.controls)


async def acknowledge(interaction: Pressed, rows: Rows | None = None) -> None:
    """Answer a press without a word; with rows: put them under the message."""
    if interaction.response.is_done():
        return
    try:
        if rows is None:
            await interaction.response.defer()
        else:
            await interaction.response.edit_message(view=view_from(rows))
    except discord.HTTPException as error:
        if error.code not in ANSWERED:
            raise


def view_from(rows: Rows) -> discord.ui.View | None:
    """Return rows as discord.py takes them, in a view that it forgets at once."""
    if not rows:
        return None
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(rows):
        for item in row["components"]:
            emoji = item.get("emoji", {}).get("name")
            view.add_item(
                discord.ui.Button[discord.ui.View](
                    label=item.get("label"),
                    emoji=emoji,
                    custom_id=item["custom_id"],
                    disabled=item.get("disabled", False),
                    row=number,
                )
            )
    view.stop()
    return view
