"""What a model writes that nobody should see: reasoning, a leaked name, other people's lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

_OPEN = re.compile(r"<(think|thinking|reasoning)>", re.IGNORECASE)
_OPENINGS = ("<think>", "<thinking>", "<reasoning>")


def _held_tail(text: str, starts: Sequence[str], first: str) -> int:
    """Return how many characters at the end of `text` could grow into one of `starts`."""
    at = text.rfind(first)
    if at < 0:
        return 0
    tail = text[at:].lower()
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
                end = text.lower().find(self._closing)
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


class SpeakerFilter:
    """Drops a leading `Name:` of the persona, and ends the reply at a line of somebody else.

    What could still become either is held back: at most one name's length.
    """

    def __init__(self, own_names: Sequence[str], other_names: Sequence[str]) -> None:
        own = {name.lower() for name in own_names if name}
        self._prefixes = tuple(
            form for name in own for form in (f"{name}:", f"**{name}:**", f"**{name}**:")
        )
        self._lines = tuple(
            form
            for name in {name.lower() for name in other_names if name} - own
            for form in (f"\n{name}:", f"\n**{name}:**", f"\n**{name}**:")
        )
        self._held = ""
        self._started = False
        self.ended = False
        """The rest of the stream is somebody else's line: generation can stop."""

    def feed(self, piece: str) -> str:
        """Return the text that may be passed on now."""
        if self.ended:
            return ""
        self._held += piece
        if not self._started and not self._start():
            return ""
        lowered = self._held.lower()
        cuts = [at for line in self._lines if (at := lowered.find(line)) >= 0]
        if cuts:
            self.ended = True
            out, self._held = self._held[: min(cuts)].rstrip(), ""
            return out
        keep = _held_tail(self._held, self._lines, "\n")
        out, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return out

    def close(self) -> str:
        """Return what was held back."""
        rest, self._held = self._held, ""
        return "" if self.ended else rest

    def _start(self) -> bool:
        """Drop a leading name. False while it is still open whether there is one."""
        text = self._held.lstrip()
        lowered = text.lower()
        for prefix in sorted(self._prefixes, key=len, reverse=True):
            if lowered.startswith(prefix):
                self._held = text[len(prefix) :].lstrip()
                self._started = bool(self._held)
                return self._started
        if not text or any(prefix.startswith(lowered) for prefix in self._prefixes):
            return False
        self._held, self._started = text, True
        return True
