"""Which lorebook entries go in: SillyTavern's observable behaviour, without its quirks.

Where it differs on purpose: words end by Unicode, ties keep the author's order, an entry that
fits exactly fits, a chance of 0 % never happens, an entry beyond the budget does not take part in
recursion, and what was cut is told. The books' own settings count, and all decorators of Version 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import islice

from bot.personas.lorebook import Entry, Logic, Lorebook
from bot.prompting.lore.candidates import Candidate, prepare
from bot.prompting.lore.groups import choose
from bot.prompting.lore.keys import Buffer, Key, Literal, Stopwatch
from bot.prompting.lore.scene import (
    MAX_PASSES,
    Fired,
    LoreResult,
    LoreSettings,
    Scene,
    label_of,
)
from bot.prompting.lore.timed import Timed
from bot.prompting.macros import without_comments

MAX_SCANNED = 16_000
"""Characters of one message that are searched for keys."""


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
        self.prepared = prepare(tiers, settings.matching, scene.context)
        self.candidates = self.prepared.candidates
        self.timed = Timed.of(scene.state, scene.length, self.prepared.by_name)
        self.wider = 0
        self.buffer = Buffer(list(islice(self._messages(), self._deepest())), scene.injected)
        self.watch = Stopwatch()
        self.levels = list(self.prepared.levels)
        self.level = self.levels.pop(0) if self.levels else 0
        self.kind = _Pass.FIRST
        self.active: dict[int, Fired] = {}
        self.failed: set[int] = set()
        self.spent = 0
        self.spent_by_book: dict[int, int] = {}
        self.overflowed = False
        self.cut: dict[int, str] = {}
        self.hits: dict[int, set[Literal]] = {}
        """Literal keys found in messages, by depth."""
        self.spread: set[Literal] = set()
        """Literal keys found in what recursion added."""
        self.known: dict[tuple[Key, int, int], bool] = {}

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

    def _deepest(self) -> int | None:
        """Return how many messages are looked at, at most; None for all."""
        return None if self.settings.min_activations else max([0, *self._depths()])

    # ── one pass ────────────────────────────────────────────────────────────────────────────

    def _matched(self) -> list[Candidate]:
        numbers = set(self.prepared.anyway)
        for keys in (self.spread, *map(self._literals, self._depths())):
            for key in keys:
                numbers.update(self.prepared.by_key.get(key, ()))
        numbers -= self.active.keys() | self.failed | self.cut.keys()
        likely = (self.candidates[number] for number in sorted(numbers))
        return [candidate for candidate in likely if self._wanted(candidate)]

    def _depths(self) -> set[int]:
        """Return every depth that any entry's keys are looked for in."""
        return {*self.prepared.depths, *map(self._book_depth, self.prepared.books)}

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
        if remembered and candidate.key in self.timed.matched:
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
        return only is None or all(
            asked.isdisjoint(own) is only.exclude
            for asked, own in ((only.names, self.scene.names), (only.tags, self.scene.tags))
            if asked
        )

    def _is_sticky(self, candidate: Candidate) -> bool:
        return bool(self.timed.sticky) and candidate.key in self.timed.sticky

    def _may(self, candidate: Candidate) -> bool:
        """Delay, cooldown, and the rules of recursion."""
        entry = candidate.entry
        if self.scene.length < entry.delay:
            return False
        if entry.cooldown and candidate.key in self.timed.cooldown:
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
        if decorators.only_after is not None and self._replies() < decorators.only_after:
            return False
        if decorators.only_every is not None and self._replies() % decorators.only_every:
            return False
        greeting = self.scene.greeting
        if None not in (greeting, decorators.greeting) and greeting != decorators.greeting:
            return False
        if any(not self._any(group, candidate) for group in candidate.additional):
            return False
        return not self._any(candidate.excluded, candidate)

    def _replies(self) -> int:
        return sum(message.by_character for message in self.scene.chat)

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
        """Whether a key stands in what this entry searches: messages, then recursion's texts."""
        depth = self._depth(candidate)
        if depth <= 0:
            return False
        recursing = self.kind is not _Pass.WIDER and self._recursive(candidate)
        if isinstance(key, Literal) and not candidate.has_macros:
            return key in self._literals(depth) or (recursing and key in self.spread)
        hay = self.buffer.whole(depth) if recursing else self.buffer.base(depth)
        name = (key, depth, len(self.buffer.recursion) if recursing else 0)
        if name not in self.known:
            self.known[name] = hay is not None and key.found(hay, self.watch)
        return self.known[name]

    def _literals(self, depth: int) -> set[Literal]:
        """Return the literal keys that stand in the newest `depth` messages."""
        depth = min(depth, len(self.scene.chat) or 1)  # beyond all messages is the same text
        if depth not in self.hits:
            hay = self.buffer.base(depth)
            self.hits[depth] = set() if hay is None else self.prepared.index.found(hay)
        return self.hits[depth]

    def _depth(self, candidate: Candidate) -> int:
        own = candidate.depth
        return self._book_depth(candidate.book) if own is None else own

    def _book_depth(self, book: Lorebook) -> int:
        return (self.settings.depth if book.scan_depth is None else book.scan_depth) + self.wider

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
            fired = self._afforded(candidate)
            if fired is None:
                self.cut[candidate.number] = label_of(candidate.entry)
            else:
                self.active[candidate.number] = fired
                taken.append(fired)
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

    def _afforded(self, candidate: Candidate) -> Fired | None:
        """Spend on an entry. The first that does not fit ends the spending of its book."""
        book, own = id(candidate.book), candidate.book.token_budget
        spent, free = self.spent_by_book.get(book, 0), candidate.entry.ignore_budget
        if not free and (self.overflowed or (own is not None and spent >= own > 0)):
            return None  # before its text is made and counted: there may be hundreds
        fired = self._fired(candidate)
        if not fired.content.strip():
            return fired
        cost = self.scene.count(fired.content)
        if not free:
            if self.spent + cost > self.scene.budget:
                self.overflowed = True
                return None
            if own is not None and spent + cost > own:
                self.spent_by_book[book] = own
                return None
        self.spent += cost
        self.spent_by_book[book] = spent + cost
        return fired

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
        added = self.buffer.recurse("\n".join(self._searched(each) for each in spreading))
        if added is not None:  # no key spans two texts: each is searched once
            self.spread |= self.prepared.index.found(added)
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
        deepest = self.settings.depth + self.wider
        most = self.settings.min_activations_depth
        if deepest > len(self.scene.chat) or 0 < most < deepest:
            return False
        return len(self.active) < self.settings.min_activations
