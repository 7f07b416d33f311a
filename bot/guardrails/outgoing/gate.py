"""The output gate: nothing of a reply is visible before its verdict.

With rules alone only the tail that could still become a match is held back, so text flows word
by word. With a guard model text is released sentence by sentence, each time after the whole draft
so far was judged. While a judgement is awaited the host goes on writing into the socket.
Text is looked at when more of it could be seen, and else now and then, to end a bad draft early.

Whether a draft is blocked does not depend on how it came: it is judged at checkpoints that lie
where its sentences lie, and as a whole. What would be blocked as it is cut anywhere else is not
shown there; what comes next decides.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.delivery.seams import joined
from bot.guardrails.context import DraftBlocked, GuardContext, Release
from bot.guardrails.matching.rules import RuleSet
from bot.guardrails.outgoing.checkpoints import SENTENCE_END, next_checkpoint
from bot.guardrails.outgoing.leak import Spelled, canary_begins, leaks_canary, recital
from bot.guardrails.outgoing.outbound import open_link, sanitise, without_previews
from bot.guardrails.pii import open_number
from bot.guardrails.policy import ALLOWED, Decision
from bot.guardrails.reading.normalise import plain_view
from bot.guardrails.taxonomy import Measure, Severity
from bot.guardrails.verdict import ALLOWED as PASS
from bot.guardrails.verdict import Verdict

BEGIN = 8
"""Characters before the first look: a word or two, to begin at once."""
FIRST_STEP = 12
"""Characters until another try."""
EAGER_STEP = 4
"""Characters until another try while nothing is visible: about one token."""
STEP = 72
"""Characters between two looks, under half a second at 40 tokens a second."""
LONGEST_STEP = 400
"""The same while nothing new would be seen: a bad draft is ended all the same."""
OVERLAP = 320
"""Released characters that are looked at again: no pattern is longer."""
MAX_HELD = 4000
"""Characters; more than this is looked at as a whole only when the reply ends."""
LONGEST_OPEN = 3200
"""Characters from the end on of what may go on there; no link is longer."""
GUARD_STEP = 240
"""Characters between two judgements of the guard model (guardrails reference, "Hold-back")."""

EMOJI_LETTER = (
    "(?::[a-z]_rotacidni_lanoiger:|[\u24b6-\u24e9\U0001f110-\U0001f189\U0001f1e6-\U0001f1ff])"
)
"""A letter as an emoji or in a circle, read backwards."""
SPACED = re.compile(
    rf"(?:(?!{EMOJI_LETTER})[a-z_]{{0,21}}:)?(?:(?:(?!{EMOJI_LETTER})[\W_]){{0,8}}"
    rf"(?:{EMOJI_LETTER}|[^\W\d_](?![^\W_])))+"
)
"""Letters that stand alone at the end of a text, read backwards: a word may be coming, spaced out.
Forwards, each letter of a long row would be tried as the first."""
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
"""Scripts without spaces between words."""

CLEANED = frozenset({Measure.SANITIZE, Measure.REDACT})
"""What is shown otherwise than it is written."""
LEAK = (Measure.REWRITE, "leak", Severity.PLAIN)
SEAM = Decision(Measure.REWRITE, "mention", rule="seam", score=1.0)
"""What stands and what comes after it make a link, a ping or a number that neither was."""

Judge = Callable[[str], Awaitable[Decision]]
"""The guard model on the draft so far."""


def _at_once() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class GateTerms:
    """What a gate needs of the room."""

    rules: RuleSet
    decide: Callable[[str], Decision]
    """Rules, heads and policy on a text; raises nothing."""
    blocks: Callable[[Decision], bool]
    verdict: Callable[[Decision], Verdict]
    clean: Callable[[str], str]
    """Redaction of others' data and secrets."""
    judge: Judge | None = None
    by_sentence: bool = False
    whole: bool = False
    opening: str = ""
    """Said before the reply, such as the truth about being an AI."""


class OutputGate:
    """Judges one reply while it is written. `visible` is what was released."""

    def __init__(self, context: GuardContext, terms: GateTerms) -> None:
        self._context = context
        self._terms = terms
        self._draft = ""
        self._next = self._latest = BEGIN
        self._released = 0
        self._judged = 0
        self._checkpoints = (0, 0)
        """The last two that were passed."""
        self._met = False
        """Whether the text is past the place where it goes on from what stands."""
        self.visible = ""

    async def feed(self, piece: str, ready: Callable[[], bool] = _at_once) -> str | None:
        """Take a piece; return the whole releasable text so far when it grew.

        `ready` says whether more text would be seen now; until then looks are rare.

        Raises:
            DraftBlocked: the draft may not go on; what is visible may stay.
        """
        self._draft += piece
        size = len(self._draft)
        if size < self._next:
            return None
        if size < self._latest and not ready():
            self._next = size + FIRST_STEP
            return None
        if size < self._latest and self._within_sentence():
            self._next = size + EAGER_STEP
            return None
        self._next, self._latest = size + STEP, size + LONGEST_STEP
        if self._terms.whole or size - self._released > MAX_HELD:
            return None
        limit = self._safe_limit()
        if limit <= self._released:
            self._next = size + (FIRST_STEP if self._released else EAGER_STEP)
            return None
        if self._terms.judge is not None:
            if limit - self._judged < GUARD_STEP and self._released:
                return None
            self._stop_at(await self._terms.judge(self._draft[:limit]))
            self._judged = limit
        return self._release(limit)

    def _within_sentence(self) -> bool:
        """Whether only whole sentences may be shown, and none has ended since the last one."""
        return self._terms.by_sentence and not SENTENCE_END.search(self._draft, self._released)

    async def break_off(self) -> str:
        """Return what can be shown of a draft that ends here, unfinished."""
        self._next = 0
        with contextlib.suppress(DraftBlocked):  # then what is visible stays
            await self.feed("")
        return self.visible

    async def close(self) -> Release:
        """Judge the whole reply and return it, sanitised.

        Raises:
            DraftBlocked: it may not be shown.
        """
        self._leaks_begin(Spelled(self._draft))
        self._pass_checkpoints()
        decision = self._as_cut(self._draft)
        self._stop_at(decision)
        if self._terms.judge is not None and self._draft.strip():
            self._stop_at(await self._terms.judge(self._draft))
        self.visible = self._shown(self._draft).rstrip()
        self._stop_at(self._at_seam())
        verdict = self._terms.verdict(decision) if decision is not ALLOWED else PASS
        return Release(self.visible, verdict)

    def _safe_limit(self) -> int:
        """Look at what is new, and return up to where the draft may be shown."""
        self._pass_checkpoints()
        start = max(0, self._released - OVERLAP)
        window = self._draft[start:]
        said = Spelled(window)
        hold = min(
            self._leaks_begin(said),
            self._held_by_rules(window, self._released - start),
            canary_begins(said, self._context.canary),
        )
        end = window[-LONGEST_OPEN:]
        before = len(window) - len(end)
        if (number := open_number(window)) is not None:
            hold = min(hold, number)
        if (linked := open_link(end)) is not None:
            hold = min(hold, before + linked)
        if spaced := SPACED.match(window[:hold][::-1]):
            hold -= spaced.end()  # also where the rest of a spaced word comes after it
        return start + self._boundary(window, hold)

    def _pass_checkpoints(self) -> None:
        """Judge the draft at each checkpoint that it has reached; raise where one is not passed."""
        while (end := next_checkpoint(self._draft, self._checkpoints[1])) is not None:
            self._stop_at(self._as_cut(self._draft[self._checkpoints[0] : end]))
            self._checkpoints = self._checkpoints[1], end

    def _as_cut(self, text: str) -> Decision:
        """Judge a piece of the draft as it is written, and as it would be seen."""
        decision = self._terms.decide(text)
        if decision.measure in CLEANED or without_previews(text) != text:
            seen = self._terms.decide(self._clean(text))
            return seen if self._terms.blocks(seen) else decision
        return decision

    def _held_by_rules(self, window: str, fresh: int) -> int:
        """Return where in the window something begins that could become a match.

        Only what is not released yet is searched: every beginning of a beginning is held back
        too, so nothing released can be one.
        """
        tail = window[fresh:]
        plain = plain_view(tail)
        begun = self._terms.rules.begun(plain)
        if begun >= len(plain):
            return len(window)
        held = plain[begun:]
        start = len(tail) - len(held)
        for at in range(start, max(-1, start - 60), -1):
            if plain_view(tail[at:]).endswith(held):
                return fresh + at
        return fresh

    def _boundary(self, window: str, hold: int) -> int:
        """Return the last place at or before `hold` where text may be cut."""
        if self._terms.by_sentence:
            ends = [match.end() for match in SENTENCE_END.finditer(window, 0, hold)]
            return ends[-1] if ends else 0
        at = hold
        while at > 0 and not (window[at - 1].isspace() or WIDE.match(window[at - 1])):
            at -= 1
        return at

    def _leaks_begin(self, said: Spelled) -> int:
        """Return where a recital of the prompt may be beginning; raise where one, or the canary, is
        there already."""
        if leaks_canary(said, self._context.canary):
            self._stop_at(Decision(*LEAK, rule="canary", score=1.0))
        recites, begins = recital(said, self._context.protected)
        if recites:
            self._stop_at(Decision(*LEAK, rule="recital", score=0.9))
        return begins

    def _stop_at(self, decision: Decision) -> None:
        if self._terms.blocks(decision):
            raise DraftBlocked(self._terms.verdict(decision))

    def _release(self, limit: int) -> str | None:
        """Show the draft up to a place, unless it may not be seen as it is cut there."""
        start = max(0, self._released - OVERLAP)
        if self._terms.blocks(self._as_cut(self._draft[start:limit])):
            return None
        before, self.visible = self.visible, self._shown(self._draft[:limit]).rstrip()
        if self._terms.blocks(self._at_seam()):
            self.visible = before
            return None
        self._released = limit
        self._met = len(self.visible) > OVERLAP
        return self.visible

    def _at_seam(self) -> Decision:
        """Judge the place where a reply is gone on with: two harmless halves can make a whole."""
        before = self._context.before
        if not before or self._met:
            return ALLOWED
        whole = joined(before, self.visible)
        start = max(0, len(before) - OVERLAP)
        stands, window = before[start:], whole[start : len(before) + OVERLAP]
        self._leaks_begin(Spelled(window))
        decision = self._terms.decide(window)
        if self._terms.blocks(decision):
            return decision
        return SEAM if self._clean(window) != window and self._clean(stands) == stands else ALLOWED

    def _shown(self, text: str) -> str:
        return self._terms.opening + self._clean(text)

    def _clean(self, text: str) -> str:
        return without_previews(sanitise(self._terms.clean(text)))
