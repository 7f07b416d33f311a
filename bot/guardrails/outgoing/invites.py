"""Invites as a browser reads them: with ports, escapes, other dots and letters.

To other servers, of bots that somebody is to add, and to servers made of a template.

A browser folds look-alike forms of a host (UTS 46) and decodes `%69`; so an address is read the
same way here before it is compared.
"""

from __future__ import annotations

import re
import unicodedata

GONE = "[invite removed]"
HIDDEN = (
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)
"""Characters that nobody sees and a browser drops."""
SLASH = r"[/\\]+"
HOST_END = r"\.?(?::\d{0,5})?"
"""A root dot and a port."""
INVITE = re.compile(
    rf"(?:<?(?:https?:\\?/\\?/)?(?:www\.|ptb\.|canary\.)?)"
    rf"(?:discord(?:app)?(?:\.|\(dot\))(?:gg|me|li|io){HOST_END}{SLASH}(?:(?:invite|#){SLASH})*[\w-]{{1,64}}"
    rf"|discord(?:app)?\.com{HOST_END}{SLASH}(?:[\w.-]{{1,30}}{SLASH}){{0,4}}?(?:invite|servers)"
    rf"{SLASH}[\w-]{{1,64}}"
    rf"|discord(?:app)?\.com{HOST_END}{SLASH}(?:[\w.-]{{1,30}}{SLASH}){{0,3}}?oauth2{SLASH}authorize"
    rf"|(?:dsc\.gg|invite\.gg|discord\.link|discord\.new){HOST_END}{SLASH}[\w-]{{1,64}})[^\s<>)\]`]{{0,100}}>?",
    re.IGNORECASE,
)  # fmt: skip
WORDS = ("discord", "dsc.gg", "invite.gg")
"""One of them is in every invite; they are looked for first, since the pattern is slow."""
ESCAPE = re.compile(r"%([2-7][0-9a-f])", re.IGNORECASE)
PIECE = re.compile(r"%[2-7][0-9a-f]|.", re.IGNORECASE | re.DOTALL)
UNSEEN = re.compile(HIDDEN)
DOTS = str.maketrans("。．｡", "...")


def uninvited(text: str) -> str:
    """Return the text with its invites replaced by a note."""
    seen = _seen(text)
    low = seen.casefold()
    if not any(word in low for word in WORDS):
        return text
    if seen == text:
        return INVITE.sub(GONE, text)
    return _without(text) if INVITE.search(seen) else text


def _seen(text: str) -> str:
    """Return what a browser makes of a text."""
    if not text.isascii():
        text = UNSEEN.sub("", unicodedata.normalize("NFKC", text.translate(DOTS)))
    return ESCAPE.sub(lambda m: chr(int(m[1], 16)), text) if "%" in text else text


def _without(text: str) -> str:
    """Cut invites out of a text that is not as it is seen; the rest stays as it is written."""
    shown: list[str] = []
    places: list[tuple[int, int]] = []
    for piece in PIECE.finditer(text):
        seen = _seen(piece[0])
        shown.append(seen)
        places += [piece.span()] * len(seen)
    parts: list[str] = []
    at = 0
    for match in INVITE.finditer("".join(shown)):
        start, end = places[match.start()][0], places[match.end() - 1][1]
        parts += (text[at:start], GONE)
        at = max(at, end)
    return "".join(parts) + text[at:]
