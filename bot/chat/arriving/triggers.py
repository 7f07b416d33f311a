"""Is a message for us? Pure decisions: values in, value out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.chat.turn import Message, Trigger
from bot.personas.binding import TriggerMode

HIDDEN_PREFIX = "//"
"""A message that starts with this is hidden from the bot, whatever else it says."""


def why_answer(
    message: Message, mode: TriggerMode, words: Sequence[str], *, own_thread: bool = False
) -> Trigger | None:
    """Return why this message is for us, or None.

    Mention beats reply beats DM beats thread beats word beats auto. `own_thread` says that the
    place is a thread which the bot opened for a conversation. In mode `off` nothing is.
    """
    if mode is TriggerMode.OFF or _is_empty(message) or message.text.startswith(HIDDEN_PREFIX):
        return None
    if message.mentions_us:
        return Trigger.MENTION
    if message.replies_to is not None and message.replies_to.by_us:
        return Trigger.REPLY
    if message.place.is_dm:
        return Trigger.DM
    if own_thread:
        return Trigger.THREAD
    if any(_has_word(message.text, word) for word in words):
        return Trigger.WORD
    if mode is TriggerMode.AUTO and message.replies_to is None:
        return Trigger.AUTO
    return None


def is_only_files(message: Message) -> bool:
    """Whether a message is a file without a word, to nobody."""
    has_file = bool(message.attachments or message.unread_attachments)
    return has_file and not message.text.strip() and message.replies_to is None


def _is_empty(message: Message) -> bool:
    """Whether there is nothing to answer: a bare ping is answered, an empty message is not."""
    has_file = bool(message.attachments or message.unread_attachments)
    return not (message.text.strip() or has_file or message.mentions_us)


def _has_word(text: str, word: str) -> bool:
    """Whether `word` stands in `text` as a whole word, in any case."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
