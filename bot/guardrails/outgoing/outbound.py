"""What leaves: no pings, no invites, no masked links, no remote images or previews, no turned text.

`AllowedMentions.none()` at the sink is the first lock; this is the second, for text that is
copied, quoted or posted by webhook.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.guardrails.outgoing.invites import HIDDEN, uninvited
from bot.guardrails.reading.code_spans import code_spans

MAX_CHARS = 40_000
BREAK = "\u200b"
"""A zero-width space after `@`: reads the same, never pings."""

TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of writing until told otherwise: it may show a text as another."""
AT = re.compile(
    f"[@＠﹫]{HIDDEN}*(?={f'{HIDDEN}*'.join('everyone')}|{f'{HIDDEN}*'.join('here')})",
    re.IGNORECASE,
)
MENTION = re.compile(rf"(?<!<)<++{HIDDEN}*+(@[!&]?|#){HIDDEN}*(\d{{1,25}}){HIDDEN}*>+")
GUILD_MENTION = re.compile(r"<(id:(?:customize|browse|guide|linked-roles)(?::\d{1,25})?)>")
SLASH = re.compile(r"</([^\s:<>][^:<>]{0,99}):\d{1,25}>")
IMAGE = re.compile(r"!\[([^\]\n]{0,1000}+)\]\(\s*<?([^)\s<>]{0,2000}+)>?[^)\n]{0,300}+\)?")
LINK = re.compile(
    r"\[((?:[^\[\]\n]|\[[^\[\]\n]{0,100}\]){0,1000})\]\(\s*<?(\w{1,12}:[^)\s<>]{1,2000}+)>?(?:\s[^)\n]{0,300}+)?\)"
)
REFERENCE = re.compile(r"(?m)^ {0,3}\[[^\]\n]{1,100}\]:\s*(\S{1,2000}).*$")
HTML_IMAGE = re.compile(
    r"<(?:img|iframe|video|audio|script|object|embed)\b[^>]{0,2000}>?", re.IGNORECASE
)
BAD_SCHEME = re.compile(
    r"\b(?:javascript|vbscript|data|file|discord|steam|ms-\w{1,20}):(?=\S)", re.IGNORECASE
)
ADDRESS = re.compile(r"<https?://[^\s<>]*+>|https?://[^\s<>]++", re.IGNORECASE)
AFTER_ADDRESS = ".,;:!?)]}'\"*_~|`”’»。、"
"""What ends a sentence or a quote, and no address."""
LOOK_OF_LINK = re.compile(r"(?:https?:/|www\.|\w\.\w{2,})", re.IGNORECASE)
BARE = re.compile(r"\]\((?=\s*<?\w{1,12}:)")
"""What makes a link of any label, also of one that `LINK` can't follow."""
LONGEST_SPAN = 500
"""Characters of inline code that stays in one message (`bot.delivery.split`)."""
LONGEST_LABEL, LONGEST_ADDRESS = 1000, 2000
"""Characters of a link that is still being written."""


def sanitise(text: str) -> str:
    """Return the text so that it pings nobody and shows where its links go. Idempotent.

    Code keeps its links and images as text, since Discord does not render them there; mentions
    and invites are undone in code too.
    """
    return _pings(_outside_code(TURNED.sub("", text[:MAX_CHARS]), _links))


def without_previews(text: str) -> str:
    """Return a text of ours whose links Discord makes no preview of. Idempotent.

    For a preview the far server is asked at once, and its picture is loaded: it learns that the
    reply was read, and whatever a model was talked into writing in the address.
    """
    return _outside_code(text, lambda part: ADDRESS.sub(_bare_address, part))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return the text changed where it is no code, since Discord renders nothing there."""
    parts: list[str] = []
    at = 0
    for start, end in code_spans(text):
        if end - start > LONGEST_SPAN and not text.startswith("```", start):
            continue  # it may be cut into two messages, neither of which has the whole span
        parts += (change(text[at:start]), text[start:end])
        at = end
    parts.append(change(text[at:]))
    return "".join(parts)


def _bare_address(match: re.Match[str]) -> str:
    """Return an address in angle brackets; what punctuates its sentence stays outside."""
    address = match[0]
    if address.startswith("<"):
        return address
    end = len(address)
    while address[end - 1] in AFTER_ADDRESS and (
        address[end - 1] != ")" or address.count("(", 0, end) < address.count(")", 0, end)
    ):
        end -= 1
    return f"<{address[:end]}>{address[end:]}"


def open_link(text: str) -> int | None:
    """Return where a link or an image begins that may go on after the end of a text, if one does.

    Each character is looked at a few times at most, whatever the text looks like.
    """
    line, size = text.rfind("\n") + 1, len(text)
    ends = []  # of labels: before an address that is still open, or where the text ends
    at = text.find("](", max(line, text.rfind(")") + 1, size - 2 - LONGEST_ADDRESS))
    while at >= 0:
        ends.append(at)
        at = text.find("](", at + 1)
    for end in (*ends, size - 1, size) if text.endswith("]") else (*ends, size):
        begins = max(line, text.rfind("]", line, end) + 1, end - 1 - LONGEST_LABEL)
        at = text.find("[", begins, end)
        if at >= 0:
            return at - 1 if text[at - 1 : at] == "!" else at
    return None


def _pings(text: str) -> str:
    text = uninvited(text)
    if "<" in text:
        text = MENTION.sub(lambda m: f"{m[1][0]}{BREAK}{m[2]}", text)
        text = SLASH.sub(r"/\1", GUILD_MENTION.sub(r"\1", text))
    if "@" in text or "＠" in text or "﹫" in text:
        text = AT.sub(f"@{BREAK}", text)
    return text


def _links(text: str) -> str:
    if "[" in text:
        text = IMAGE.sub(_image, text)
        text = LINK.sub(_link, text)
        text = REFERENCE.sub(r"\1", text)
    text = BARE.sub("] (", text)  # also without a "[": the note in an invite's place brings one
    if "<" in text:
        text = HTML_IMAGE.sub("", text)
    return BAD_SCHEME.sub(lambda m: f"{m[0][:-1]} :", text) if ":" in text else text


def _image(match: re.Match[str]) -> str:
    """Return the caption; the address goes, since fetching it would tell that it was read."""
    caption = match[1].strip()
    return f"({caption})" if caption else ""


def _link(match: re.Match[str]) -> str:
    label, url = match[1].strip(), match[2]
    if not label or LOOK_OF_LINK.search(label):
        return f"<{url}>"  # a label that looks like an address lies about where it goes
    return f"{label} (<{url}>)"
