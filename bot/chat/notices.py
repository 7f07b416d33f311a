"""One short line for every failure: what happened and what to do. Internals go to the log.

The lines here are English, the keys of their translations; `notice_for` returns them translated.
"""

from __future__ import annotations

from bot.errors import (
    AnswerBroken,
    BackendError,
    BackendStalled,
    Busy,
    ContextOverflow,
    EmptyReply,
    ModelMissing,
    PermissionMissing,
    RequestRejected,
    StoreError,
    StreamBroken,
    TargetGone,
    ThreadClosed,
    UserFacing,
)
from bot.languages import mark, t, translated
from bot.ports import BucketScope, Waiting

_BROKEN = mark("The model's answer broke. Please ask again.")
_UNCHANGEABLE = mark("Discord no longer lets me change this reply. Ask again, and I answer anew.")
_CLOSED = mark("This thread is closed, so I can't go on here. Ask me somewhere else.")
_LINES: tuple[tuple[type[Exception], str], ...] = (
    (
        ModelMissing,
        mark("The model for this channel isn't installed. Please tell the bot's operator."),
    ),
    (BackendStalled, mark("The model stopped answering. Please ask again in a minute.")),
    (EmptyReply, mark("The model had nothing to say to that. Try putting it another way.")),
    (ContextOverflow, mark("That was too long for the model. Try a shorter message.")),
    (AnswerBroken, _BROKEN),
    (StreamBroken, _BROKEN),
    (
        RequestRejected,
        mark("The model's host refused this. Please tell the bot's operator."),
    ),
    (
        BackendError,
        mark("The model can't be reached right now. Please ask again in a few minutes."),
    ),
    (
        StoreError,
        mark("My memory is unreachable, so I can't answer now. Please try again shortly."),
    ),
    (ThreadClosed, _CLOSED),
    (TargetGone, _UNCHANGEABLE),
    (PermissionMissing, _UNCHANGEABLE),
)

UNEXPECTED = mark("Something went wrong on my side. Please ask again; if it stays, tell an admin.")
EXPIRED = mark(
    "I was restarted before I could answer this. Please ask again if you still want to know."
)
BROKEN_OFF = mark("I was restarted and broke off here. Please ask again if you want the rest.")
INTERRUPTED = mark("I'm restarting; I'll finish this in a moment.")
CUT_LONG = mark("That is as long as one reply may be. Ask me to go on.")
CUT_SHORT = mark("The model broke off here. Ask me to go on, or ask again.")
CUT_LOOP = mark(
    "The model went round in circles, so I ended it here. Ask me to go on, or ask again."
)

WAKING = mark("Waking the model… the first answer takes a moment longer.")


def in_line(place: int, seconds: float) -> str:
    """Return what somebody reads who waits in the queue."""
    about = max(5, round(seconds / 5) * 5)
    return small_print(
        t(
            "Many are asking: you are number {place} in line, about {seconds} seconds.",
            place=place,
            seconds=about,
        )
    )


def notice_for(error: BaseException) -> str:
    """Return the line that the person sees for an error, in the reader's language."""
    if isinstance(error, UserFacing):
        return error.translated
    for kind, line in _LINES:
        if isinstance(error, kind):
            return translated(line)
    return translated(UNEXPECTED)


def too_many(waiting: Waiting) -> Busy:
    """Return what to raise when a limit of turns is reached."""
    wait = max(1.0, waiting.seconds)
    seconds = f"{wait:.0f}"
    if waiting.scope is BucketScope.PERSON:
        return Busy(
            "That's a lot of messages. Please wait {seconds} seconds.",
            seconds=seconds,
            retry_after=wait,
        )
    if waiting.scope is BucketScope.ROLE:
        return Busy(
            "Your role has asked me a lot just now. Please wait {seconds} seconds.",
            seconds=seconds,
            retry_after=wait,
        )
    return Busy(
        "Everybody here has asked me a lot just now. Please wait {seconds} seconds.",
        seconds=seconds,
        retry_after=wait,
    )


def small_print(line: str) -> str:
    """Return a line as Discord's small print, which also reads well as plain text."""
    return f"-# {line}"
