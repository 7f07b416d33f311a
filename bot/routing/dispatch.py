"""Everything that bears on a route, in order: distress, pins, corrections, the table, the model.

The table decides alone in a tenth of a millisecond whenever it is sure. Whatever else takes part
may be away or slow: then the decision is made without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.chat.place import Place, UserId
from bot.errors import StoreError
from bot.routing import reasons
from bot.routing.accurate import SURE_ENOUGH, AccurateStage
from bot.routing.corrections import NO_CORRECTIONS, CorrectionBook
from bot.routing.model_stage import Asked, ModelStage
from bot.routing.policy import (
    DOUBT,
    DOUBT_MARGIN,
    SURE,
    certain,
    leaning,
    live,
    safe_order,
)
from bot.routing.previous import PreviousRoute
from bot.routing.reasons import because
from bot.routing.route import Route, RouteDecision
from bot.routing.router import Router
from bot.routing.scene import plays
from bot.routing.table import LABELS, Scores
from bot.routing.tally import Tally

log = structlog.get_logger(__name__)

DISTRESS_SECONDS = 30 * 60
"""After a sign of distress only a sure message leaves the companion, for this long."""
_HELD = SURE / (1.0 - SURE) / DOUBT
"""How many times likelier the companion is then: it is the likeliest, unless a message is sure."""
_FIXED = frozenset({"pin", "correction"})
_BY_RULE = frozenset({"safety", "pin", "correction", "scene"})


@dataclass(frozen=True, slots=True)
class Ask:
    """A message to be routed, and where it stands."""

    message: str
    place: Place
    person: UserId
    now: float
    """Unix seconds."""
    previous: PreviousRoute | None = None
    """The last turn of this person in this place."""
    standing: PreviousRoute | None = None
    """The last turn in this place, whoever's: what somebody goes on with who had none."""
    history: tuple[tuple[str, str], ...] = ()
    """The last exchanges as (role, text) pairs, oldest first."""
    in_scene: bool = False
    left_scene: bool = False
    """The last turn was the companion's, and a scene was open before it."""
    distress: bool = False
    """The message shows signs of distress."""
    care: bool = False
    """The person was in crisis a while ago: no story is told."""
    distress_at: float = 0.0
    """When the person last showed signs of distress in this server; 0 for never."""

    @property
    def before(self) -> Route | None:
        """Return the route of the turn before, if it is not too old to matter."""
        previous = live(self.previous, self.now)
        return previous.route if previous else None

    @property
    def watched(self) -> bool:
        """Whether the person showed signs of distress a while ago."""
        return self.distress_at > 0.0 and self.now - self.distress_at < DISTRESS_SECONDS


@dataclass(frozen=True, slots=True)
class Overrides:
    """What people have fixed for a person in a place."""

    pin: Route | None = None
    corrections: CorrectionBook = NO_CORRECTIONS


class OverrideStore(Protocol):
    """Pins and corrections; read from memory on the hot path."""

    async def in_force(self, place: Place, person: UserId) -> Overrides:
        """Return what holds for a person in a place.

        Raises:
            StoreError: the store is away.
        """
        ...


class RouteObserver(Protocol):
    """What is told about decisions."""

    def decided(
        self,
        route: str,
        *,
        stage: str,
        source: str,
        confidence: float,
        uncertain: bool,
        gate: float | None = None,
        abstained: str | None = None,
        flipped: bool = False,
    ) -> None: ...


class Dispatcher:
    """Routes messages for the pipeline. One object for the process."""

    def __init__(
        self,
        router: Router,
        *,
        overrides: OverrideStore | None = None,
        accurate: AccurateStage | None = None,
        second: ModelStage | None = None,
        observer: RouteObserver | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.router = router
        self.tally = tally or Tally()
        self._overrides = overrides
        self._accurate = accurate
        self._second = second
        self._observer = observer

    def adopt(self, accurate: AccurateStage | None, second: ModelStage | None) -> None:
        """Ask other stages beside the table from the next message on."""
        self._accurate, self._second = accurate, second

    def read(self, message: str) -> None:
        """Have the table's opinion of a message ready, before it can be routed."""
        self.router.read(message)

    async def route(self, ask: Ask) -> RouteDecision:
        """Return the decision for a message. Never raises for any message or any failure."""
        if ask.distress:
            return self._first(ask, None)
        if ask.care:
            return certain(Route.COMPANION, "safety", reasons.CARE)
        watched = ask.watched and not _plays_on(ask)
        if watched:
            ask = _out_of_scene(ask)
        elif ask.watched and ask.left_scene:
            ask = replace(ask, previous=PreviousRoute(Route.CREATIVE, ask.now, scene=True))
        overrides = await self._in_force(ask)
        decision = self._overridden(ask, overrides) or await self._by_message(ask)
        return await self._in_distress_held(ask, decision) if watched else decision

    def _overridden(self, ask: Ask, overrides: Overrides) -> RouteDecision | None:
        """Return what people have fixed for a message."""
        if overrides.pin is not None:
            return self._first(ask, overrides.pin)
        if self.router.table is None:
            return None
        match = overrides.corrections.match(ask.message, ask.before)
        if match is None:
            return None
        label = match.correction.label
        reason = because(reasons.CORRECTED, alike=f"{match.alike:.0%}", route=label)
        return certain(label, "correction", reason)

    async def _by_message(self, ask: Ask) -> RouteDecision:
        """Return what the table and the other stages make of a message."""
        decision = self._first(ask, None)
        if decision.source == "default":
            return decision
        if decision.confidence < SURE_ENOUGH and self._accurate is not None:
            opinion = await self._accurate.opinion(ask.message)
            if opinion is not None:
                decision = self._first(ask, None, opinion)
        if decision.uncertain and self._second is not None:
            decision = await self._second_opinion(ask, decision, self._second)
        return decision

    def observe(self, ask: Ask, decision: RouteDecision) -> None:
        """Count a decision that was acted on."""
        before = ask.before
        flipped = before is not None and before is not decision.route
        abstained = why_unsure(decision)
        self.tally.count(ask.place.guild, decision, abstained=abstained, flipped=flipped)
        if self._observer is not None:
            self._observer.decided(
                decision.route.value,
                stage=stage_of(decision),
                source=decision.source,
                confidence=decision.confidence,
                uncertain=decision.uncertain,
                gate=decision.continuation if before is not None else None,
                abstained=abstained,
                flipped=flipped,
            )

    def _first(self, ask: Ask, pin: Route | None, opinion: Scores | None = None) -> RouteDecision:
        return self.router.route(
            ask.message,
            previous=live(ask.previous, ask.now) or ask.standing,
            history=ask.history,
            pin=pin,
            distress=ask.distress,
            in_scene=ask.in_scene,
            opinion=opinion,
            now=ask.now,
        )

    async def _in_force(self, ask: Ask) -> Overrides:
        if self._overrides is None:
            return Overrides()
        try:
            return await self._overrides.in_force(ask.place, ask.person)
        except StoreError as error:
            log.warning("pins and corrections unreadable", reason=str(error))
            return Overrides()

    async def _second_opinion(
        self, ask: Ask, decision: RouteDecision, second: ModelStage
    ) -> RouteDecision:
        """Ask the model; without its answer take the safe order."""
        opinion = await second.opinion(Asked(str(ask.place.channel), ask.message, ask.history))
        if opinion.shares is not None:
            return second.fused(decision, opinion.shares, self.router.threshold)
        route = safe_order(decision, ask.previous if ask.before else None)
        silent = because(reasons.MODEL_SILENT, failure=opinion.failure)
        return replace(decision, route=route, reasons=(*decision.reasons, silent))

    # ── the distress window ─────────────────────────────────────────────────────────────────

    async def _in_distress_held(self, ask: Ask, decision: RouteDecision) -> RouteDecision:
        """Stay with the companion after a sign of distress, unless the message is sure.

        Neither a pin nor a correction ends the window: what the message itself asks for does.
        """
        if decision.route is Route.COMPANION:
            return decision
        fixed = decision.source in _FIXED
        own = await self._by_message(ask) if fixed else decision
        leaves = own.route is not Route.COMPANION
        if leaves and own.confidence >= SURE:
            return decision
        waits = (
            because(reasons.FIXED_WAITS, source=decision.source)
            if fixed
            else because(reasons.NOT_SURE_ENOUGH, route=own.route, share=f"{SURE:.2f}")
        )
        return replace(
            own,
            route=Route.COMPANION,
            probabilities=leaning(own.probabilities, Route.COMPANION, _HELD),
            uncertain=own.uncertain or leaves,
            reasons=(*own.reasons, waits),
            held=leaves,
        )


def _plays_on(ask: Ask) -> bool:
    """Whether somebody is back in their scene after signs of distress: they plainly play right
    after the companion's answer, or have since."""
    last = live(ask.previous, ask.now)
    if last is not None and last.scene and last.route is Route.CREATIVE:
        return last.at > ask.distress_at
    return ask.left_scene and plays(ask.message)


def _out_of_scene(ask: Ask) -> Ask:
    """Return a question as if no scene were open: signs of distress have ended it."""
    previous = replace(ask.previous, scene=False) if ask.previous else None
    standing = replace(ask.standing, scene=False) if ask.standing else None
    return replace(ask, previous=previous, standing=standing, in_scene=False)


def stage_of(decision: RouteDecision) -> str:
    """Return which stage had the last word: `rules`, or the model's name for itself."""
    if decision.source in _BY_RULE:
        return "rules"
    return "table" if decision.source == "default" else decision.source


def why_unsure(decision: RouteDecision) -> str | None:
    """Return why a decision is a doubtful one; None where it is sure.

    `no_table`; `held`, where the route before was kept against the message; `margin` between two
    routes; or the `threshold`.
    """
    if not decision.uncertain:
        return None
    if decision.source == "default":
        return "no_table"
    if decision.held:
        return "held"
    ranked = sorted((decision.probabilities.get(each, 0.0) for each in LABELS), reverse=True)
    return "margin" if ranked[0] - ranked[1] < DOUBT_MARGIN else "threshold"
