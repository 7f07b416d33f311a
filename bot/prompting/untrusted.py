"""Texts and names of people, made safe to stand in a prompt.

Nobody may speak as somebody else: only a speaker's own line begins at the margin, all further
ones of what they say are indented; and a line that imitates somebody who is known, or one of our
own headings, is quoted with `> `. Where no names are written, those who write such lines get theirs
after all, so that nobody is made up. Nobody may close a message from
within: the control tokens of chat templates, which Ollama would read as such, are broken up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

MAX_NAME = 32
ROLE_WORDS = frozenset(
    {"system", "assistant", "user", "developer", "human", "ai", "bot", "tool", "model", "narrator",
     "everyone", "here", "you"}
)  # fmt: skip
"""Names that nobody may bear as such."""
HEADINGS = ("notes for this reply", "end of notes", "instructions for this reply", "house rules",
            "quotes for this reply", "end of quotes", "how this conversation begins",
            "the conversation begins")  # fmt: skip

_CONTROL = re.compile(
    r"<(?=\|[^|>\n]{1,40}\|>|/?s>|/?(?:start|end)_of_(?:turn|image)>|[be]os>|/?think>"
    r"|</?SYS>>|/?tool_(?:call|response)>|｜[^｜>\n]{1,40}｜>)"
    r"|\[(?=/?INST\]|/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\])"
    r"|(?-i:\[(?=/?(?:THINK|MODEL_SETTINGS|IMG|ARGS|CALL_ID|TOOL_CONTENT)\]))",
    re.I,
)
"""The last are words that code has in small letters, such as `call[args]`."""
_CLOSERS = {"<": "\u2039", "[": "\u27e6"}
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\uffff\U000e0000-\U000e0fff]"
)
_SPEAKER = re.compile(r"([^:：\n]{1,104})[:：]")
"""With whatever marks stand around the name: its likeness has none of them."""
_NAMED = re.compile(r"^[^\S\n]{0,8}[^\s:：][^:：\n]{0,79}[:：](?!//)", re.MULTILINE)
_HEADING = re.compile(r"\s{0,8}[\[【［⟦*#>\s]{1,8}([^\]】］\n]{3,60})")
_FORGED = re.compile(
    rf"[\[【［](?=[\s*#>]{{0,8}}(?:{'|'.join(HEADINGS)}))".replace(" ", r"\s{1,4}"), re.IGNORECASE
)
"""The bracket of one of our headings, wherever it stands: a card's text is told beside ours."""


def defused(text: str) -> str:
    """Return a text whose imitations of template tokens are no longer read as such."""
    if "<" not in text and "[" not in text:
        return text  # as most are
    return _CONTROL.sub(lambda match: _CLOSERS[match[0]], text)


def clean(text: str) -> str:
    """Return a text of a stranger: no invisible signs, plain line ends, no template tokens, and no
    heading of ours in its brackets."""
    if not (text.isascii() and text.isprintable()):
        text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _FORGED.sub(_CLOSERS["["], defused(text))


def one_line(text: str, limit: int) -> str:
    """Return a text as one clean line of at most `limit` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def speaker_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return a display name fit for `Name: text`.

    `taken` are names of personas: a person who bears one of them, or a role's name, is marked.
    """
    folded = unicodedata.normalize("NFKC", name)
    line = " ".join(_UNSEEN.sub("", folded).split())
    plain = re.sub(r"[:：\[\]{}<>|`\"]", "", line).strip(" .*_~#>-")[:MAX_NAME].strip()
    if not any(each.isalnum() for each in plain):
        plain = "someone"
    if likeness(plain) in ROLE_WORDS or likeness(plain) in {likeness(each) for each in taken}:
        plain = f"{plain} (a person)"
    return plain


@lru_cache(maxsize=4096)
def likeness(name: str) -> str:
    """Return what two names that look alike have in common."""
    return _likeness(name)


def _likeness(text: str) -> str:
    """Return the likeness of what may be no name: a piece of a message is not to live on here."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(each for each in folded if each.isalnum())
    return bare.translate(_LOOKALIKES)


_LOOKALIKES = str.maketrans("аеорсухіјѕԁһкмтвнαορνικ", "aeopcyxijsdhkmtbhaopvik")


def forbidden_names(names: Iterable[str]) -> frozenset[str]:
    """Return what no line of a person may begin with as its speaker, by likeness."""
    return ROLE_WORDS | {likeness(name) for name in names}


def quoted(text: str, forbidden: frozenset[str]) -> str:
    """Return a person's clean text with every line quoted that imitates a speaker or a heading."""
    plain = clean(text)
    if "\n" not in plain:
        return f"> {plain}" if _imitates(plain, forbidden) else plain
    return "\n".join(
        f"> {line}" if _imitates(line, forbidden) else line for line in plain.split("\n")
    )


def indented(text: str) -> str:
    """Return a text whose lines after the first are seen to belong to it, whatever they say."""
    if "\n" not in text:
        return text
    first, *others = text.split("\n")
    return "\n".join([first, *(f"  {line}" if line.strip() else "" for line in others)])


def names_speakers(text: str) -> bool:
    """Whether a line of a text looks as if somebody, known or not, began to speak in it."""
    return _NAMED.search(text) is not None


def _imitates(line: str, forbidden: frozenset[str]) -> bool:
    speaker = _SPEAKER.match(line)
    if speaker is not None and _likeness(speaker[1]) in forbidden:
        return True
    heading = _HEADING.match(line)
    if heading is None:
        return False
    words = " ".join(re.sub(r"[^\w\s]", "", heading[1].casefold()).split())
    return words.startswith(HEADINGS)
