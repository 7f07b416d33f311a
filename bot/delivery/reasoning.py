"""What a model thinks aloud before it answers: nobody should see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.delivery.labels import Whose, label_of, names_of

_THINK: Final = r"(?:seed:)?(?:think|thinking|reasoning)"
_ENDS: Final = rf"</{_THINK}[ \t]{{0,3}}>"
_BLOCKS: Final = tuple(
    (re.compile(begin, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for begin, end in (
        (rf"<{_THINK}[ \t]{{0,3}}>", _ENDS),
        (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
        (r"<tool_call>", r"</tool_call>"),
        (r"<<SYS>>", r"<</SYS>>"),
        (r"<unused94>", r"<unused95>"),  # Gemma
        (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Cohere
        # Harmony (gpt-oss): only the final channel is the reply, and it may be the first.
        (r"(?=<\|(?:start|channel)\|>[a-z])", r"<\|channel\|>final<\|message\|>"),
        # Cohere's header of a turn: dropped, and nothing with it.
        (r"<\|(?:START_OF_TURN_TOKEN|CHATBOT_TOKEN|START_RESPONSE)\|>", ""),
    )
)
"""How what is not for the reader begins and ends."""
_OPENERS: Final = ("<", "[")
_MAGISTRAL: Final = "[THINK]"
_LONGEST: Final = 40
"""Characters that no beginning and no end exceeds."""
_LONE: Final = re.compile(
    rf"^[ \t]*{_ENDS}[ \t]*$|(?<=[\w.!?…)]){_ENDS}(?!`)", re.IGNORECASE | re.MULTILINE
)
"""An end that stands alone on its line, or at once after what was thought."""
_END_FIRST: Final = re.compile(_ENDS, re.IGNORECASE)
_TAG: Final = re.compile(rf"<(/?){_THINK}[ \t]{{0,3}}>", re.IGNORECASE)


def after_reasoning(text: str) -> str:
    """Return what follows the last closing tag that stands alone on a line, or ends one's thoughts.

    Some templates open the block in the prompt (DeepSeek R1's does), so that only its end is in the
    reply: what was shown by then is taken back. An end whose beginning is there to be read is
    talk about tags.
    """
    if "</" not in text:
        return text
    ends = [found.end() for found in _LONE.finditer(text) if not _opened(text[: found.start()])]
    return text[ends[-1] :].lstrip() if ends else text


def _opened(before: str) -> bool:
    tags = _TAG.findall(before)
    return bool(tags) and not tags[-1]


class ReasoningFilter:
    """Drops `<think>…</think>` and its like from a stream of pieces.

    Models write such a block before their first word, or later as lines of their own. Any other
    tag is talk about tags, and so is all in a code block.
    """

    def __init__(self, own_names: Sequence[str] = ()) -> None:
        """A label with one of `own_names` is no word yet."""
        self._names = names_of(own_names, ())
        self._held = ""
        self._end: re.Pattern[str] | None = None
        """How the block ends that is being dropped."""
        self._at_start = True
        """What is held begins a line, or the reply."""
        self._spoke = self._said = self._fenced = False
        """Something was passed on; it was more than a label."""

    def feed(self, piece: str) -> str:
        """Return what is no reasoning and can no longer become any."""
        self._held += piece
        return self._advance(closing=False)

    def close(self) -> str:
        """Return what was held back; an unfinished reasoning block is dropped."""
        return self._advance(closing=True)

    def _advance(self, *, closing: bool) -> str:
        out = ""
        while self._held:
            if self._end is not None:
                if not self._dropped(self._end):
                    break
            elif self._at_start:
                passed = self._begun(closing=closing)
                if passed is None:
                    break
                out += passed
            else:
                line, newline, self._held = self._held.partition("\n")
                out += line + newline
                self._at_start = bool(newline)
                self._said = self._said or bool(line.strip())
        if not self._spoke:
            out = out.lstrip()
            self._spoke = bool(out)
        return out

    def _dropped(self, end: re.Pattern[str]) -> bool:
        """Drop what belongs to the open block. False while its end is to come."""
        found = end.search(self._held)
        if found is None:
            self._held = self._held[-_LONGEST:]
            return False
        self._held, self._end = self._held[found.end() :], None
        return True

    def _begun(self, *, closing: bool) -> str | None:
        """Look at the beginning of a line; return what of it is passed on. None while it is open.

        Where it begins a block or a label, what follows is looked at again.
        """
        bare = self._held.lstrip(" \t") if self._said else self._held.lstrip()
        line, newline, _ = bare.partition("\n")
        ended = closing or bool(newline)
        if not ended and len(line) < 3 and not line.strip("`"):
            return None
        if not self._fenced and line.startswith(_OPENERS):
            if not ended and self._open(line):
                return None
            if self._block(bare, line):
                return ""
        if not self._said and line:
            label = label_of(line, self._names, ended=ended)
            if label.whose is Whose.OPEN:
                return None
            if label.whose is Whose.OWN:
                size = len(self._held) - len(bare) + label.size
                passed, self._held = self._held[:size], self._held[size:]
                return passed
        self._fenced ^= line.startswith("```")
        self._at_start = False
        return ""

    def _open(self, line: str) -> bool:
        """Whether it is open, until more of a line is there, if a block begins it."""
        if line.startswith("["):
            return len(line) < len(_MAGISTRAL) and _MAGISTRAL.startswith(line.upper())
        tag, closed, rest = line.partition(">")
        if not closed:
            return len(tag) < _LONGEST
        # `<<SYS>>` has one more to come; after words, and for Harmony, the next character counts.
        return not rest.strip(" \t>") and (self._said or tag.startswith(("<<", "<|")))

    def _block(self, bare: str, line: str) -> bool:
        """Enter the block that begins here, if one does. An end before any word ends nothing."""
        if not self._said and (end_first := _END_FIRST.match(line)):
            self._held = bare[end_first.end() :]
            return True
        for begin, end in _BLOCKS:
            found = begin.match(line)
            if found and (not self._said or line[found.end() :].lstrip(" \t")[:1] in ("", "{")):
                self._held, self._end = bare[found.end() :], end
                return True
        return False
