"""What a model thinks aloud before it answers: nobody should see it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.delivery.small import small

_OPEN = re.compile(r"<(think|thinking|reasoning)>", re.IGNORECASE)
_OPENINGS = ("<think>", "<thinking>", "<reasoning>")


def _held_tail(text: str, starts: Sequence[str], first: str) -> int:
    """Return how many characters at the end of `text` could grow into one of `starts`."""
    at = text.rfind(first)
    if at < 0:
        return 0
    tail = small(text[at:])
    return len(tail) if any(start.startswith(tail) for start in starts) else 0


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
