"""Which lorebook entries go in: SillyTavern's observable behaviour, without its quirks.

Where it differs on purpose: words end by Unicode, ties keep the author's order, an entry that
fits exactly fits, a chance of 0 % never happens, an entry beyond the budget does not take part in
recursion, and what was cut is told. The books' own settings count, and all decorators of Version 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from bot.personas.lorebook import Entry, Logic, Lorebook, Position
from bot.prompting.lore.candidates import Candidate, Matching, prepare
from bot.prompting.lore.groups import choose
from bot.prompting.lore.keys import Buffer, Key, Stopwatch
from bot.prompting.lore.timed import LoreState, Timed, entry_key
from bot.prompting.macro_values import MacroContext
from bot.prompting.macros import without_comments

MAX_PASSES = 12
MAX_SCANNED = 16_000
"""Characters of one message that are searched for keys."""


@dataclass(frozen=True, slots=True)
class LoreSettings:
    """What holds where a book leaves the choice to us; SillyTavern's defaults."""

    depth: int = 2
    recursive: bool = True
    include_names: bool = True
    matching: Matching = field(default_factory=Matching)
    group_scoring: bool = False
    min_activations: int = 0
    max_passes: int = MAX_PASSES


@dataclass(frozen=True, slots=True)
class ScanMessage:
    """A message of the conversation, as keys are looked for in it."""

    name: str
    text: str
    by_character: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What an evaluation depends on. `chat` is oldest first; `budget` counts tokens."""

    chat: Sequence[ScanMessage]
    context: MacroContext
    budget: int
    count: Callable[[str], int]
    chance: Callable[[], float]
    length: int
    state: LoreState = field(default_factory=LoreState)
    turn: str = ""
    names: frozenset[str] = frozenset()
    """Name and id of the persona in small letters, for character filters."""
    trigger: str = "normal"
    greeting: int | None = None
    injected: tuple[str, ...] = ()
    """Further texts to be searched, such as a summary."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An entry that goes in, with its macros expanded."""

    entry: Entry
    book: Lorebook
    content: str
    depth: int
    """Messages from the end, for entries at a depth."""

    @property
    def label(self) -> str:
        """Return a name for reports: the entry's own, else its first key."""
        return self.entry.name or next(iter(self.entry.keys), f"entry {self.entry.uid}")

    @property
    def prefill(self) -> bool:
        """Whether this is how the reply should begin."""
        entry = self.entry
        return entry.position is Position.AT_DEPTH and not self.depth and entry.role == "assistant"


@dataclass(frozen=True, slots=True)
class LoreResult:
    """What goes in, in the order it was found; and what fired but did not fit."""

    fired: tuple[Fired, ...]
    cut: tuple[str, ...]
    state: LoreState
    tokens: int
    warnings: tuple[str, ...] = ()

    def placed(self) -> list[Fired]:
        """Return the entries as they stand in the text: rising order, ties as in the book."""
        return sorted(self.fired, key=lambda each: (each.entry.order, each.entry.index))

    def at(self, position: Position) -> list[Fired]:
        """Return the entries of one position as they stand in the text."""
        return [each for each in self.placed() if each.entry.position is position]


def scan(
    tiers: Sequence[Sequence[Lorebook]], scene: Scene, settings: LoreSettings | None = None
) -> LoreResult:
    """Return what goes in. Books of an earlier tier spend the budget first."""
    return _Scan(tiers, scene, settings or LoreSettings()).run()


class _Pass(Enum):
    FIRST = auto()
    RECURSION = auto()
    WIDER = auto()
    """More messages, because too few entries fired."""


class _Scan:
    """One evaluation."""

    def __init__(
        self, tiers: Sequence[Sequence[Lorebook]], scene: Scene, settings: LoreSettings
    ) -> None:
        self.scene = scene
        self.settings = settings
        self.candidates = prepare(tiers, settings.matching, scene.context)
        self.timed = Timed.of(scene.state, scene.length, (each.entry for each in self.candidates))
        self.buffer = Buffer(list(self._messages()), scene.injected)
        self.watch = Stopwatch()
        self.replies = sum(message.by_character for message in scene.chat)
        levels = {e.entry.recursion_level for e in self.candidates if e.entry.recursion_level}
        self.levels = sorted(levels)
        self.level = self.levels.pop(0) if self.levels else 0
        self.kind = _Pass.FIRST
        self.wider = 0
        self.active: dict[int, Fired] = {}
        self.failed: set[int] = set()
        self.spent = 0
        self.spent_by_book: dict[int, int] = {}
        self.overflowed = False
        self.cut: dict[int, str] = {}
        self.known: dict[tuple[Key, int], bool] = {}

    def run(self) -> LoreResult:
        limit = min(self.settings.max_passes or MAX_PASSES, MAX_PASSES)
        for _ in range(limit):
            if not self._next(self._take(self._matched())):
                break
        for number in self.active:
            self.timed.fired(self.candidates[number].entry)
        warnings = ("a pattern took too long: passed over",) if self.watch.exhausted else ()
        return LoreResult(
            fired=tuple(self.active.values()),
            cut=tuple(self.cut.values()),
            state=self.timed.state(self.scene.turn),
            tokens=self.spent,
            warnings=warnings,
        )

    def _messages(self) -> Iterator[str]:
        """Yield the messages newest first; comments within them are not searched."""
        for message in reversed(self.scene.chat):
            text = without_comments(message.text[:MAX_SCANNED]).replace("\x01", "").strip()
            yield f"{message.name}: {text}" if self.settings.include_names else text

    # ── one pass ────────────────────────────────────────────────────────────────────────────

    def _matched(self) -> list[Candidate]:
        skipped = self.active.keys() | self.failed | self.cut.keys()
        return [c for c in self.candidates if c.number not in skipped and self._wanted(c)]

    def _wanted(self, candidate: Candidate) -> bool:
        """Whether an entry fires in this pass, by the order of the rules."""
        entry, decorators = candidate.entry, candidate.entry.decorators
        if not self._for_us(entry):
            return False
        if decorators.activate:
            return True
        if decorators.dont_activate:
            return False
        remembered = decorators.keep_after_match or decorators.never_after_match
        if remembered and entry_key(entry) in self.timed.matched:
            return decorators.keep_after_match
        sticky = self._is_sticky(candidate)
        if not sticky and not self._may(candidate):
            return False
        if not self._decorated(candidate):
            return False
        return entry.constant or sticky or self._keys_match(candidate)

    def _for_us(self, entry: Entry) -> bool:
        if entry.triggers and self.scene.trigger not in entry.triggers:
            return False
        only = entry.characters
        return only is None or only.names.isdisjoint(self.scene.names) is only.exclude

    def _is_sticky(self, candidate: Candidate) -> bool:
        return bool(self.timed.sticky) and entry_key(candidate.entry) in self.timed.sticky

    def _may(self, candidate: Candidate) -> bool:
        """Delay, cooldown, and the rules of recursion."""
        entry = candidate.entry
        if self.scene.length < entry.delay:
            return False
        if entry.cooldown and entry_key(entry) in self.timed.cooldown:
            return False
        recursing = self.kind is _Pass.RECURSION
        if entry.recursion_level and (not recursing or entry.recursion_level > self.level):
            return False
        return not (recursing and entry.exclude_recursion and self._recursive(candidate))

    def _recursive(self, candidate: Candidate) -> bool:
        own = candidate.book.recursive
        return self.settings.recursive if own is None else own

    def _decorated(self, candidate: Candidate) -> bool:
        """Whether the conditions of the entry's decorators hold."""
        decorators = candidate.entry.decorators
        if decorators.only_after is not None and self.replies < decorators.only_after:
            return False
        if decorators.only_every is not None and self.replies % decorators.only_every:
            return False
        greeting = self.scene.greeting
        if None not in (greeting, decorators.greeting) and greeting != decorators.greeting:
            return False
        if any(not self._any(group, candidate) for group in candidate.additional):
            return False
        return not self._any(candidate.excluded, candidate)

    def _keys_match(self, candidate: Candidate) -> bool:
        if not self._any(candidate.primary, candidate):
            return False
        keys = candidate.secondary
        if not keys:
            return True
        match candidate.entry.logic:
            case Logic.AND_ANY:
                return self._any(keys, candidate)
            case Logic.NOT_ANY:
                return not self._any(keys, candidate)
            case Logic.AND_ALL:
                return all(self._found(key, candidate) for key in keys)
            case Logic.NOT_ALL:
                return not all(self._found(key, candidate) for key in keys)

    def _any(self, keys: Sequence[Key], candidate: Candidate) -> bool:
        return any(self._found(key, candidate) for key in keys)

    def _found(self, key: Key, candidate: Candidate) -> bool:
        depth = self._depth(candidate)
        base = self.buffer.base(depth)
        if base is None:
            return False
        found = self.known.get((key, depth))
        if found is None:
            found = self.known[key, depth] = key.found(base, self.watch)
        if found or self.kind is _Pass.WIDER or not self._recursive(candidate):
            return found
        added = self.buffer.added()
        return added is not None and key.found(added, self.watch)

    def _depth(self, candidate: Candidate) -> int:
        entry = candidate.entry
        for depth in (entry.decorators.scan_depth, entry.scan_depth):
            if depth is not None:
                return depth
        own = candidate.book.scan_depth
        return (self.settings.depth if own is None else own) + self.wider

    # ── what a pass takes in ────────────────────────────────────────────────────────────────

    def _take(self, matched: list[Candidate]) -> list[Fired]:
        """Let groups, chance and the budget decide; return what went in."""
        matched.sort(key=self._rank)
        chosen = choose(
            matched,
            [self.candidates[number] for number in self.active],
            is_sticky=self._is_sticky,
            score=self._score,
            scoring=self.settings.group_scoring,
            chance=self.scene.chance,
        )
        taken = []
        for candidate in chosen:
            if not self._lucky(candidate):
                self.failed.add(candidate.number)
                continue
            fired = self._fired(candidate)
            if self._affords(candidate, fired):
                self.active[candidate.number] = fired
                taken.append(fired)
            else:
                self.cut[candidate.number] = fired.label
        return taken

    def _rank(self, candidate: Candidate) -> tuple[bool, bool, int, int, int]:
        """Order of spending: what is dropped first comes last."""
        entry = candidate.entry
        return (
            not self._is_sticky(candidate),
            entry.decorators.drop_first,
            candidate.tier,
            -(entry.priority or 0),
            candidate.number,
        )

    def _lucky(self, candidate: Candidate) -> bool:
        probability = candidate.entry.probability
        if probability >= 100 or self._is_sticky(candidate):
            return True
        return probability > 0 and self.scene.chance() * 100 <= probability

    def _score(self, candidate: Candidate) -> int:
        """Return how many keys match, for groups that are scored."""
        primary = sum(self._found(key, candidate) for key in candidate.primary)
        if not candidate.primary or not candidate.secondary:
            return primary
        secondary = [self._found(key, candidate) for key in candidate.secondary]
        if candidate.entry.logic is Logic.AND_ANY:
            return primary + sum(secondary)
        if candidate.entry.logic is Logic.AND_ALL and all(secondary):
            return primary + len(secondary)
        return primary

    def _fired(self, candidate: Candidate) -> Fired:
        entry, total = candidate.entry, len(self.scene.chat)
        depth = entry.depth
        decorators = entry.decorators
        if decorators.depth is None and decorators.reverse_depth is not None:
            depth = max(0, total - decorators.reverse_depth)
        return Fired(entry, candidate.book, self.scene.context.expand(entry.content), depth)

    def _affords(self, candidate: Candidate, fired: Fired) -> bool:
        """Spend on an entry. The first that does not fit ends the spending of its book."""
        if not fired.content.strip():
            return True
        cost, book = self.scene.count(fired.content), id(candidate.book)
        spent, own = self.spent_by_book.get(book, 0), candidate.book.token_budget
        free = candidate.entry.ignore_budget
        if not free:
            if self.overflowed or self.spent + cost > self.scene.budget:
                self.overflowed = True
                return False
            if own is not None and spent + cost > own:
                self.spent_by_book[book] = own
                return False
        self.spent += cost
        self.spent_by_book[book] = spent + cost
        return True

    def _next(self, taken: list[Fired]) -> bool:
        """Settle which pass comes next. False when none does."""
        spreading = [each for each in taken if self._spreads(each)]
        kind: _Pass | None = None
        if not self.overflowed:
            if spreading or (self.kind is _Pass.WIDER and self.buffer.recursion):
                kind = _Pass.RECURSION
            elif self._too_few():
                kind = _Pass.WIDER
                self.wider += 1
        if kind is None and self.levels:
            kind = _Pass.RECURSION
            self.level = self.levels.pop(0)
        if kind is None:
            return False
        self.kind = kind
        self.buffer.recurse("\n".join(self._searched(each) for each in spreading))
        return True

    def _spreads(self, fired: Fired) -> bool:
        own = fired.book.recursive
        recursive = self.settings.recursive if own is None else own
        return recursive and not fired.entry.prevent_recursion

    def _searched(self, fired: Fired) -> str:
        """Return an entry's text for recursion, where `{{hidden_key:A}}` counts."""
        if "hidden_key" not in fired.entry.content.lower():
            return fired.content
        context = self.scene.context
        context.scanning = True
        try:
            return context.expand(fired.entry.content)
        finally:
            context.scanning = False

    def _too_few(self) -> bool:
        wanted = self.settings.min_activations
        return len(self.active) < wanted and self.settings.depth + self.wider <= len(
            self.scene.chat
        )
