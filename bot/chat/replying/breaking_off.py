"""What becomes of a reply that an earlier process left in the middle, and nobody goes on with."""

from __future__ import annotations

from bot.chat.notices import BROKEN_OFF, EXPIRED, INTERRUPTED, small_print
from bot.delivery.split import split, units
from bot.languages import translated
from bot.prompting.small_print import SMALL, code_closed, without_small_print


def broken_off(shown: str, room: int, *, complete: bool) -> str | None:
    """Return what is to stand there instead: what was said, marked as broken off.

    None where it is `complete`; an empty text where nothing was said yet but why it takes a while.
    `room` is for the whole text, in Discord's units.
    """
    if complete and not shown.endswith(small_print(translated(INTERRUPTED))):
        return None
    own = without_small_print(shown)
    if own == translated(EXPIRED):
        return None  # a start that died over it had said so
    if own.startswith(SMALL):
        return ""
    mark = f"\n\n{small_print(translated(BROKEN_OFF))}"
    if units(own) + units(mark) > room:
        own = split(own, limit=room - units(mark))[0].text
    return code_closed(f"{own}{mark}")
