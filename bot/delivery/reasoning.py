"""What a model thinks aloud before it answers: nobody should see it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.delivery.small import small

_OPEN = re.compile(r"<(think|thinking|reasoning)>", re.IGNORECASE)
_ALONE = re.compile(r"^[ \t]*</(?:think|thinking|reasoning)>[ \t]*$", re.IGNORECASE | re.MULTILINE)
_OPENINGS = ("<think>", "<thinking>", "<reasoning>")


def _held_tail(text: str, starts: Sequence[str], first: str) -> int:
    """Return how many characters at the end of `text` could grow into one of `starts`."""
    at = text.rfind(first)
    if at < 0:
        return 0
    tail = small(text[at:])
    return len(tail) if any(start.startswith(tail) for start in starts) else 0


def after_reasoning(text: str) -> str:
    """Return what follows the last closing tag that stands alone on a line.

    Some templates open the block in the prompt (DeepSeek R1's does), so that only its end is in the
    reply: what was shown by then is taken back.
    """
    ends = [found.end() for found in _ALONE.finditer(text)] if "</" in text else []
    return text[ends[-1] :].lstrip() if ends else text


class ReasoningFilter:
    """Drops `<think>…</think>` blocks from a stream of pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""
        self._spoke = False

    def feed(self, piece: str) -> str:
        """Return what is no reasoning and can no longer become any."""
        text, self._held = self._held + piece, ""
        out = ""
        while text:
            if self._closing:
                end = small(text).find(self._closing)
                if end < 0:
                    self._held = text[-len(self._closing) + 1 :]
                    break
                text, self._closing = text[end + len(self._closing) :], ""
                continue
            opened = _OPEN.search(text)
            if opened is None:
                keep = _held_tail(text, _OPENINGS, "<")
                out, self._held = out + text[: len(text) - keep], text[len(text) - keep :]
                break
            out += text[: opened.start()]
            self._closing = f"</{opened.group(1).lower()}>"
            text = text[opened.end() :]
        if not self._spoke:
            out = out.lstrip()
            self._spoke = bool(out)
        return out

    def close(self) -> str:
        """Return what was held back; an unfinished reasoning block is dropped."""
        rest, self._held = ("" if self._closing else self._held), ""
        return rest
