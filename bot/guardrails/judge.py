"""Rules and policy together, on one text; pure and fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain, islice

from bot.guardrails.context import GuardContext
from bot.guardrails.doubts import BONDS, doubted, doubtful, softened, with_plain
from bot.guardrails.earnest.circumstances import (
    NOTHING_SAID,
    Circumstances,
    circumstances,
    strained,
)
from bot.guardrails.earnest.company import (
    ORDERLY,
    PASTIME,
    STUDIED,
    harmless_company,
    without_figures,
)
from bot.guardrails.earnest.jest import in_jest, of_a_trifle
from bot.guardrails.earnest.pasted import gives_no_orders
from bot.guardrails.earnest.play import (
    own_voice,
    plays,
)
from bot.guardrails.earnest.signs import shows
from bot.guardrails.earnest.telling import LONG_AGO
from bot.guardrails.matching.rules import Hit, Rule, RuleSet
from bot.guardrails.outgoing.outbound import sanitise
from bot.guardrails.pii import find, redact
from bot.guardrails.policy import WEIGHTS, Decision, decide
from bot.guardrails.reading.normalise import Views, normalise
from bot.guardrails.reading.places import closer, places, with_neighbours
from bot.guardrails.stories import Stories, serious
from bot.guardrails.taxonomy import CARE, ORDERS, Measure, Severity
from bot.guardrails.triage.heads import DANGER, SILENCE, SURE, Heads, Heard, alarms
from bot.languages.spoken import NAMES, spoken_language
from bot.recent import Recent
from bot.routing.route import Route

MOST_PLACES = 3
"""Places of a long text in which the heads are asked about one finding."""
PREPARED = 1500
"""Pieces of words that are added up at the start: a quarter of what a first message calls for anew,
for 1.6 MiB that a running bot soon takes anyway."""
REMEMBERED = 256
"""Messages whose findings are remembered."""
DEEDS = frozenset({"illicit", "mass_harm", "gore"})
OWN_DANGER = frozenset({Severity.ACTIVE, Severity.PASSIVE, Severity.INJURY, Severity.URGE})
JESTED = frozenset({Severity.ACTIVE, Severity.PASSIVE, Severity.METHOD})
"""What people say of themselves laughing and don't mean."""
TOLD_APART = frozenset(NAMES) - {"id"}
"""Languages of rules of everyday words that need the language; `id` stands for its neighbours."""
PLAYED_BY_US = frozenset({"human_claim", "sh_promo"})
"""What a persona may say in a story, in a play line, and never as itself."""
UNSETTLED = BONDS | {"illicit", "sh_support", "distress", "minor"}
"""Categories of which a message may turn out to be graver than the rules alone can tell."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision with what it rests on."""

    decision: Decision
    hits: tuple[Hit, ...] = ()
    weight: float = 0.0
    """What the message adds to the risk trend."""
    dependency: float = 0.0
    data: tuple[str, ...] = field(default=())
    """Kinds of personal data found."""
    care: float = 0.0
    """The care head's odds over those of its threshold; 0 where nothing can be heard."""
    acute: float = 0.0
    """The same of the acute head."""
    around: Circumstances = NOTHING_SAID

    def has(self, category: str) -> bool:
        return any(hit.category == category for hit in self.hits)

    @property
    def sounds_of_need(self) -> bool:
        """Whether a head or any rule, however mild, heard need."""
        return max(self.care, self.acute) >= 1.0 or any(hit.category in CARE for hit in self.hits)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is found in a message before its route is known. It holds nothing of the text."""

    hits: tuple[Hit, ...]
    heard: Heard
    around: Circumstances
    pastime: bool
    """It is about a game, a film or the like."""

    @property
    def silent(self) -> bool:
        """Whether no rule and no head has anything to say of it, on whatever route."""
        return not self.hits and not self.heard.loud(aside=True)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in a message, and when it plays."""

    hits: tuple[Hit, ...]
    care: float
    acute: float
    around: Circumstances


class Judge:
    """Holds the compiled rules of both sides, and the heads."""

    def __init__(self, asked: RuleSet, drafted: RuleSet, heads: Heads | None = None) -> None:
        self.asked, self.drafted, self.heads = asked, drafted, heads
        self._stories = Stories(asked, drafted, self._views)
        self._known = Recent[int, _Found](REMEMBERED)
        self._ahead = Recent[int, _Looked](REMEMBERED)
        """By hash, not by text: what a person deletes must not live on here."""

    def warm(self, rules: Sequence[Rule]) -> None:
        """Run every example of the rules once, for an evaluation: some 90 MiB.

        RE2 makes its automata as texts need them; the first to need one waits for milliseconds.
        """
        for rule_set, role in ((self.drafted, "assistant"), (self.asked, "user")):
            rule_set.warm(rule for rule in rules if role in rule.roles)

    def listen(self, lines: Iterable[str]) -> None:
        """Run everyday messages once, so that the first people's find most of it made.

        Cheap, since it makes only what everyday words call for, and a running bot soon has that
        anyway: 100 lines take 0.1 s and 2 MiB. Of 300 the first messages gained nothing more.
        """
        if self.heads is not None:
            self.heads.phrases.prepare(PREPARED)
        for line in lines:
            self._found(line, creative=False)

    def look_through(self, text: str) -> None:
        """Find in a message what can be found before its route is known."""
        self._ahead[hash((text, len(text)))] = self._looked(self._views(text))

    def message(self, text: str, context: GuardContext, *, minor: bool = False) -> Judgement:
        """Judge what a person wrote."""
        found = self._findings(text, creative=context.route is Route.CREATIVE)
        hits = found.hits
        decision = decide(
            hits, "user", context, minor=minor or any(h.category == "minor" for h in hits)
        )
        data = tuple(datum.kind for datum in find(text))
        triaged = decision.rule is not None and decision.rule.startswith("head.")
        if data and (triaged or decision.measure is Measure.ALLOW):
            decision = Decision(Measure.REDACT, "pii", rule=f"pii.{data[0]}", score=1.0)
        if (triaged or decision.measure is Measure.ALLOW) and sanitise(text) != text:
            decision = Decision(Measure.SANITIZE, "mention", rule="outbound", score=1.0)
        sums = weight_of(hits), _dependency(hits)
        return Judgement(decision, hits, *sums, data, found.care, found.acute, found.around)

    def _findings(self, text: str, *, creative: bool) -> _Found:
        """Return what was found in a message; a turn asks more than once."""
        key = hash((text, len(text), creative))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._found(text, creative=creative)
        return known

    def _found(self, text: str, *, creative: bool) -> _Found:
        ahead = self._ahead.pop(hash((text, len(text))), None)
        looked = ahead or self._looked(self._views(text))
        for_use = creative and not looked.silent and self._stories.none_but_for_use(text)
        creative = creative and not for_use
        heard, around = looked.heard, looked.around
        in_story = creative and not around.aside and not (around.now and own_voice(text))
        # Most messages are silent: they need not be read once more.
        hits: tuple[Hit, ...] = ()
        if not looked.silent:
            hits, heard = self._meant(looked, text, creative, in_story)
        if for_use:
            hits = tuple(map(serious, hits))
        harmless = looked.pastime or (in_story and plays(text))
        odds = (0.0, 0.0) if harmless else (heard.odds("care"), heard.odds("acute"))
        return _Found(hits, *odds, around)

    def _meant(
        self, looked: _Looked, text: str, creative: bool, in_story: bool
    ) -> tuple[tuple[Hit, ...], Heard]:
        """Return what the findings in a message come to, together and on its route, and what the
        heads hear, also in the place of a finding."""
        views, around = self._views(text), looked.around
        aside = creative and around.aside
        found = self._with_heads(looked.hits, views, looked.heard, aside=aside, in_story=in_story)
        found, heard = self._said_plainly(found, looked.hits, views, looked.heard)
        if any(_figurative(hit) for hit in found):
            found = self._in_company(found, views, aside=aside, in_story=in_story)
        if around.past:
            found = self._past(found, views)
        if around.looked_after:
            found = tuple(
                softened(hit) if hit.severity is Severity.THIRD_PARTY else hit for hit in found
            )
        found = tuple(softened(hit) if self._jested(hit, views) else hit for hit in found)
        if any(hit.fiction_ok for hit in found):
            found = self._stories.excuse(found, text, views, around, creative=creative)
        return found, heard

    def _looked(self, views: Views) -> _Looked:
        """Return what rules, heads and circumstances say on any route."""
        hits, plain = self.asked.hits(views), views.plain
        if any(hit.category in ORDERS for hit in hits) and gives_no_orders(plain):
            hits = tuple(hit for hit in hits if hit.category not in ORDERS)
        pastime = shows(PASTIME, plain)
        return _Looked(hits, self._heard(hits, views), circumstances(plain), pastime)

    def _views(self, text: str) -> Views:
        """Return the views of a text, read with the words that the heads know."""
        return normalise(text, None if self.heads is None else self.heads.phrases.words)

    def _heard(self, sure: tuple[Hit, ...], views: Views) -> Heard:
        """Ask the heads, unless a rule that acts alone has settled it."""
        settled = any(_settles(hit) and not hit.wide for hit in sure)
        return SILENCE if self.heads is None or settled else self.heads.heard(views)

    def _said_plainly(
        self, found: tuple[Hit, ...], hits: tuple[Hit, ...], views: Views, heard: Heard
    ) -> tuple[tuple[Hit, ...], Heard]:
        """Give back the findings of need that the heads doubted for the calm of a long text, and
        don't doubt in their own place; with what they hear there."""
        wide = [hit for hit in hits if hit.wide and hit.category in CARE]
        told = places(views.plain) if wide else []
        if self.heads is None or len(told) < 2:
            return found, heard
        stands = self.asked.stands(told)
        views_of = cache(self._views)  # several findings may stand in one place
        heard_in = cache(self.heads.heard)
        for hit in wide:
            here = partial(stands, hit.rule)
            around = (closer(place, here) for place in islice(filter(here, told), MOST_PLACES))
            for place in chain.from_iterable(around):
                alone = views_of(place)
                there = heard_in(alone)
                heard = heard.or_there(there)
                if not doubtful(hit, there, alone):
                    found = with_plain(found, hit, amid=len(told) > 2 and not strained(place))
        return found, heard

    def _place(self, hit: Hit, views: Views) -> str:
        """Return where in a long text a finding stands, with what is said next to it."""
        told = places(views.plain)
        if len(told) < 2:
            return views.plain
        stands = self.asked.stands(told)
        at = next((at for at, place in enumerate(told) if stands(hit.rule, place)), None)
        return views.plain if at is None else with_neighbours(told, at)

    def _past(self, hits: tuple[Hit, ...], views: Views) -> tuple[Hit, ...]:
        """Leave to the trend what a person says of long ago, such as at the end of a hard road."""
        if any(hit.severity in (Severity.IMMINENT, Severity.METHOD) for hit in hits):
            return hits

        def over(hit: Hit) -> bool:
            ours = hit.category in CARE and hit.severity in OWN_DANGER
            return ours and LONG_AGO.search(self._place(hit, views)) is not None

        return tuple(softened(hit) if over(hit) else hit for hit in hits)

    def _jested(self, hit: Hit, views: Views) -> bool:
        if hit.category not in CARE or hit.severity not in JESTED:
            return False
        deed = hit.severity is Severity.METHOD
        return in_jest(views.plain, deed=deed) and in_jest(self._place(hit, views), deed=deed)

    def _in_company(
        self, found: tuple[Hit, ...], views: Views, *, aside: bool, in_story: bool
    ) -> tuple[Hit, ...]:
        """Leave out findings about deeds that are play, history, or a mere figure of speech, and
        threats that somebody else makes."""
        crime = not any(hit.category == "mass_harm" for hit in found)
        if harmless_company(views.plain, crime=crime):
            found = tuple(hit for hit in found if not _of_deeds(hit))
        plain = without_figures(views.plain)
        if plain == views.plain:
            return found
        bare = self._views(plain)
        left = self.asked.hits(bare)
        heard = self._heard(left, bare)
        left = self._with_heads(left, bare, heard, aside=aside, in_story=in_story)
        meant = {hit.rule for hit in left}
        return tuple(hit for hit in found if hit.rule in meant or not _figurative(hit))

    def draft(self, text: str, context: GuardContext) -> Decision:
        """Judge what a persona wrote, or began to write."""
        hits = self.drafted.hits(self._views(text))
        if context.route is Route.CREATIVE and any(hit.category in PLAYED_BY_US for hit in hits):
            asked = self._findings(context.user_text, creative=True).hits
            hits = self._stories.said_as_itself(hits, text, context.user_text, asked)
        decision = decide(hits, "assistant", context)
        if decision.measure is not Measure.ALLOW:
            return decision
        if redact(text, keep=context.user_text, private_only=True) != text:
            return Decision(Measure.REDACT, "pii", rule="pii", score=1.0)
        if sanitise(text) != text:
            return Decision(Measure.SANITIZE, "mention", rule="outbound", score=1.0)
        return decision

    def _with_heads(
        self,
        sure: tuple[Hit, ...],
        views: Views,
        heard: Heard,
        *,
        aside: bool,
        in_story: bool,
    ) -> tuple[Hit, ...]:
        """Add what the heads heard.

        Where no rule had anything to say they speak for themselves, too. Inside a story they are
        silent, unless the person steps out of it.
        """
        if in_story:
            return sure
        sure = tuple(doubted(hit, heard) if doubtful(hit, heard, views) else hit for hit in sure)
        if any(_settles(hit) for hit in sure):
            return sure
        sad = any(hit.category == "distress" for hit in sure)
        loud = heard.loud(distressed=sad, aside=aside)
        if "order" in loud and (STUDIED.search(views.plain) or gives_no_orders(views.plain)):
            del loud["order"]
        elif "order" in loud and ORDERLY.search(views.plain):
            loud = {name: odds for name, odds in loud.items() if name not in ("order", "bond")}
        if PASTIME.search(views.plain) or of_a_trifle(views.plain):
            loud = {name: odds for name, odds in loud.items() if name not in ("acute", "care")}
        # A threat and a cry for help share their words: the louder head says which it is.
        acute, harm = loud.get("acute", 0.0), loud.get("harm", 0.0)
        believed = "acute" if acute > harm else "harm"
        agreed: tuple[Hit, ...] = ()
        signs: tuple[Hit, ...] = ()
        if acute or harm or "order" in loud:
            signs = self.asked.hits_to_confirm(views)
        if acute or harm:
            agreed = tuple(h for h in signs if h.needs == believed)
            spoken = spoken_language(views.plain)
            agreed = tuple(h for h in agreed if _may_be_said_in(h, spoken))
        if believed == "acute" and acute >= SURE:
            agreed += (DANGER,)
        if agreed or any(hit.severity is not Severity.MILD for hit in sure):
            return sure + agreed
        # The head hears that it is an order; words tell of what sort.
        named = tuple(h for h in signs if h.needs == "order") if "order" in loud else ()
        return sure + alarms(loud) + named


def _of_deeds(hit: Hit) -> bool:
    """Whether a finding is about how something is done, which in play is no harm."""
    return hit.category in DEEDS or hit.severity is Severity.METHOD


def _may_be_said_in(hit: Hit, spoken: str | None) -> bool:
    """Whether a rule of everyday words is of the language of a text, or of several or unknown: what
    is a rope in one is anything in another."""
    language = hit.rule.split(".")[1]
    return spoken is None or language in (spoken, "xx") or language not in TOLD_APART


def _figurative(hit: Hit) -> bool:
    return _of_deeds(hit) or hit.category == "threat"


def _settles(hit: Hit) -> bool:
    """Whether a finding leaves nothing that a head could add."""
    return hit.category not in UNSETTLED and hit.severity is not Severity.MILD


def weight_of(hits: Sequence[Hit]) -> float:
    """Return what findings add to the risk trend."""
    return max((WEIGHTS[hit.severity] for hit in hits if hit.category in CARE), default=0.0)


def _dependency(hits: Sequence[Hit]) -> float:
    bonds = [hit for hit in hits if hit.category in BONDS]
    return sum(0.35 if hit.severity is Severity.MILD else 0.6 for hit in bonds)
