"""How a reply will speak, and what of it stands there already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

import discord
import structlog

from bot.adapters.discord.calling.calls import Posted, Webhook
from bot.adapters.discord.calling.refusals import FAILED, TOKEN_OVER, WEBHOOK_GONE
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.rows import turn_under
from bot.adapters.discord.speaking.voices import (
    BotVoice,
    InteractionVoice,
    Voice,
    WebhookVoice,
)
from bot.adapters.discord.speaking.webhooks import header_of, webhook_name
from bot.chat.turn import Answering, Turn
from bot.errors import TargetGone
from bot.ports import Face, Progress

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE: Final = 1.5
"""Seconds to wait for a webhook before a reply is spoken by the bot itself."""
QUESTION: Final = 200
"""Characters of a question that are shown above its answer."""
RESUME_PATIENCE: Final = 20.0
"""Seconds that the webhook of a half-written reply is looked for after a restart."""
_LOOK_BACK: Final = 50
"""Messages looked at for a reply that an earlier process began."""


class Speaking:
    """Finds the voice of one reply; starts early, so that the first text need not wait."""

    def __init__(self, desk: Desk, turn: Turn, face: Face, resumed: Progress | None) -> None:
        """`resumed`: what an earlier process had noted, should this turn be taken up again."""
        self._desk = desk
        self._turn = turn
        self._face = face
        self._resumed = resumed
        self._search: asyncio.Task[tuple[Voice, Sequence[int]]] | None = None
        self._looked_again = False

    @property
    def resumed(self) -> bool:
        """Whether messages of the reply may stand there already."""
        return self._resumed is not None

    @property
    def _doubtful(self) -> bool:
        """Whether some of them may not have been noted before a crash."""
        return self._resumed is not None and not self._resumed.whole

    def start(self) -> asyncio.Task[tuple[Voice, Sequence[int]]]:
        """Begin the search, once."""
        if self._search is None:
            self._search = self._desk.own(self._find(), "voice")
        return self._search

    async def found(self) -> tuple[Voice, Sequence[int]]:
        """Return the voice, and the ids of the reply's messages that stand there already."""
        return await asyncio.shield(self.start())

    async def settled(self) -> None:
        """Wait until the voice is known, or is not looked for any more. Never raises."""
        await asyncio.wait((self.start(),), timeout=2 * PATIENCE)

    async def instead(self, voice: Voice, error: Exception, *, begun: bool) -> Voice | None:
        """Return another voice after a webhook was refused; None if that was not the reason.

        A reply that was begun goes on in another voice only where its webhook was removed.
        """
        if voice.webhook is None or not isinstance(error, discord.Forbidden | discord.NotFound):
            return None
        if begun and (error.code != WEBHOOK_GONE or self._turn.again is not None):
            return None
        self._desk.webhooks.forget(self._channel)
        if self._looked_again:
            return self._own_voice()
        self._looked_again = True
        return await self._by_webhook() or self._own_voice()

    def without_token(self, voice: Voice, error: Exception) -> Voice | None:
        """Return the voice that goes on with an answer, and may change what stands there, once the
        token of its interaction is over; None where that is not so, or nothing else reaches it."""
        answering = self._turn.answering
        over = isinstance(error, discord.HTTPException) and error.code in TOKEN_OVER
        if answering is None or not answering.lasting or not over:
            return None
        return self._own_voice() if isinstance(voice, InteractionVoice) else None

    @property
    def _channel(self) -> int:
        """Return the channel that holds the webhooks: threads use their parent's."""
        place = self._turn.place
        return place.channel if place.parent is None else place.parent

    async def _find(self) -> tuple[Voice, Sequence[int]]:
        if self._turn.answering is not None:
            return await self._by_interaction(self._turn.answering)
        fresh = await self._by_webhook() or self._own_voice()
        if self._resumed is None:
            return fresh, ()
        standing, webhook = await self._standing(self._resumed)
        if webhook == fresh.webhook or not standing:
            return fresh, standing
        if webhook is not None and (other := await self._by_webhook(webhook)) is not None:
            return other, standing  # another process had made one of its own
        if webhook is not None and self._turn.again is not None:
            raise TargetGone("the webhook that wrote the reply is gone")
        # Only who wrote a message can edit it: the bot itself, or a webhook that may be gone.
        return (fresh, ()) if webhook is not None else (self._own_voice(), standing)

    async def _by_interaction(self, answering: Answering) -> tuple[Voice, Sequence[int]]:
        """Return the voice that answers an interaction, and what of the answer stands there."""
        hook = Webhook(answering.application, answering.token)
        header = f"{self._question()}{self._header()}"
        voice = InteractionVoice(self._desk.calls, hook, header, hidden=answering.hidden)
        if self._resumed is None:
            return voice, ()
        try:
            standing = await voice.standing()
        except FAILED as error:
            if (own := self.without_token(voice, error)) is not None:
                return own, self._resumed.reply_ids
            raise TargetGone("the interaction can't be answered any more") from error
        return voice, self._resumed.reply_ids or standing

    def _question(self) -> str:
        """Return what was asked by command, for those who read the answer only."""
        turn = self._turn
        if turn.again is not None:
            words = turn.again.asked
        else:
            words = turn.text if turn.answering is not None and turn.order is None else ""
        asked = " ".join(words.split())
        if not asked:
            return ""
        asked = asked if len(asked) <= QUESTION else f"{asked[: QUESTION - 1]}…"
        plain = discord.utils.escape_mentions(discord.utils.escape_markdown(asked))
        return f"> {plain}\n"

    async def posted_before(self, voice: Voice, index: int, text: str) -> Posted | None:
        """Return a further message of the reply with this text, if one was posted before a crash
        and not noted."""
        if not self._doubtful or index == 0:
            return None
        return await voice.find(index, text)

    async def _standing(self, noted: Progress) -> tuple[Sequence[int], int | None]:
        """Return what of the reply stands there, and the webhook that wrote it."""
        standing: Sequence[int] = noted.reply_ids
        if not self._doubtful:
            return standing, noted.webhook
        latest, webhook = await self._latest(), noted.webhook
        if not standing:
            begun = await self._begun_unnoted(latest)
            if begun is None:
                return (), None
            standing, webhook = (begun.id,), begun.webhook
        return (*standing, *self._further(latest, max(standing), webhook)), webhook

    async def _latest(self) -> Sequence[Posted]:
        """Return what was posted since the question, oldest first."""
        try:
            latest = await self._desk.calls.latest(
                self._turn.place.channel, _LOOK_BACK, after=min(self._turn.message_ids)
            )
        except FAILED as error:
            log.warning("resume without history", reason=type(error).__name__)
            return ()
        return latest[::-1]

    async def _begun_unnoted(self, latest: Sequence[Posted]) -> Posted | None:
        """Return a first message that was posted, but not noted, before a crash."""
        asked = {*self._turn.message_ids, self._turn.points_at}
        for message in latest:
            if message.answers in asked and await self._is_ours(message):
                return message
        return None

    def _further(self, latest: Sequence[Posted], last: int, webhook: int | None) -> Sequence[int]:
        """Return what was posted after the last known message, by the buttons under it: those of
        this reply say so."""
        again = self._turn.again
        named = {self._turn.id, again.turn if again is not None else self._turn.id}
        return [
            message.id
            for message in latest
            if message.id > last
            and message.webhook == webhook
            and turn_under(message.buttons) in named
        ]

    async def _is_ours(self, message: Posted) -> bool:
        if message.webhook is not None:
            webhooks, ident = self._desk.webhooks, message.webhook
            return webhooks.is_ours(ident) or await webhooks.named(self._channel, ident) is not None
        me = self._desk.account
        return me is not None and message.author == me.id

    async def _by_webhook(self, named: int | None = None) -> Voice | None:
        """Return the persona's own voice; None in DMs, or where we may have no webhook.

        `named`: through this webhook and no other.
        """
        if self._turn.place.is_dm:
            return None
        # A reply that stands there can be continued by its webhook alone: worth waiting for.
        patience = PATIENCE if self._resumed is None else RESUME_PATIENCE
        webhooks, channel = self._desk.webhooks, self._channel
        guild = self._turn.place.guild
        find = webhooks.of(channel, guild) if named is None else webhooks.named(channel, named)
        hook, url = await asyncio.gather(
            _in_time(find, patience),
            _in_time(self._desk.avatars.url(self._face), PATIENCE),
        )
        if hook is None:
            return None
        name = webhook_name(self._face.name)
        return WebhookVoice(self._desk.calls, self._turn, hook, name, url)

    def _own_voice(self) -> BotVoice:
        """Return the bot's voice, with the persona's name in the first line."""
        header = f"{self._question()}{self._header()}"
        me = self._desk.account
        return BotVoice(self._desk.calls, self._turn, header, me=me.id if me is not None else 0)

    def _header(self) -> str:
        """Return the line that says who speaks, unless the bot itself is called so."""
        me = self._desk.account
        name = self._face.name
        if me is not None and name.strip().casefold() == me.name.casefold():
            return ""
        return header_of(name)


async def _in_time(lookup: Awaitable[T], patience: float) -> T | None:
    """Return what a lookup finds, or None when it takes longer than people should wait."""
    try:
        return await asyncio.wait_for(lookup, patience)
    except TimeoutError:
        log.info("lookup late")
        return None
