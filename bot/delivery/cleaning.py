"""What a model writes, made what a persona says: the filters of a reply in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.delivery.echoes import EchoFilter
from bot.delivery.loops import LoopWatch, unlooped
from bot.delivery.reasoning import ReasoningFilter, after_reasoning
from bot.delivery.speakers import SpeakerFilter


class ReplyCleaner:
    """Cleans one reply while it is written. The same text comes out however it comes in pieces."""

    def __init__(
        self,
        own_names: Sequence[str],
        other_names: Sequence[str],
        question: str = "",
        replies: Sequence[str] = (),
    ) -> None:
        """`question` and earlier `replies` are what the reply must not repeat."""
        self._reasoning = ReasoningFilter(own_names)
        self._speakers = SpeakerFilter(own_names, other_names, question)
        self._echoes = EchoFilter(question, replies)
        self._behind = SpeakerFilter((*own_names, *other_names), (), question)
        """Drops the label that stands right behind an echo, in its line: whosever it is, what
        follows is the reply."""
        self._loops = LoopWatch()

    @property
    def ended(self) -> bool:
        """Whether nothing that is still to come belongs to the reply."""
        return self._speakers.ended or self.went_round

    @property
    def went_round(self) -> bool:
        """Whether the reply was ended because it said the same over and over."""
        return self._loops.found is not None

    def feed(self, piece: str) -> str:
        """Return the text that may be passed on now."""
        said = self._echoes.feed(self._speakers.feed(self._reasoning.feed(piece)))
        return self._loops.feed(self._behind.feed(said) if self._echoes.dropped else said)

    def close(self) -> str:
        """Return what was held back."""
        said = self._speakers.feed(self._reasoning.close()) + self._speakers.close()
        rest = self._echoes.feed(said) + self._echoes.close()
        if self._echoes.dropped:
            rest = self._behind.feed(rest) + self._behind.close()
        return self._loops.feed(rest)

    def whole(self, text: str) -> str:
        """Return the released text as it is to stand: no thoughts, and what went round once."""
        text = after_reasoning(text)
        return unlooped(text) if self.went_round else text

    def cuts(self) -> Iterator[str]:
        """Yield what was cut, by name: for a metric."""
        if self._speakers.ended:
            yield "foreign_line"
        if self._speakers.dropped or self._behind.dropped:
            yield "label"
        if self._echoes.dropped:
            yield "echo"
        if self.went_round:
            yield "loop"
