"""From the table's opinion to a decision: continuation, scenes, the switch margin, doubt.

The current message decides; exactly one previous turn may resolve it. A public project that
showed its router the whole history went from 87 % to 61 % right (galaxyproject/galaxy 22791).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.routing.previous import PreviousRoute
from bot.routing.route import Route, RouteDecision
from bot.routing.table import LABELS, Scores
from bot.routing.text import fold

IDLE_SECONDS = 15 * 60
"""A previous turn that is older resolves nothing."""
SWITCH_MARGIN = 0.10
"""A new route must beat the previous one by this much: less flips more, more misses switches."""
LEFT_MARGIN = 0.70
"""The same for leaving the companion, unless the message asks something or names a work.

What people tell of their day often reads like a fact or a scene, and nearly all flips come of it.
Chosen on `talk` and `same_author`: with 0.60 there are 3 and 5 flips in 100 turns, with 0.70 2 and
3. That costs 4 % of the switches, and none of those in the fixtures that have a history. To leave
the other routes takes no such margin.
"""
ASKED_MARGIN = 0.40
"""The same where the message asks something: a question in a talk often is about the talk."""
SURE = 0.90
"""A switch this sure passes the margin, and a distress window. A question that is so sure by itself
passes the margin too: "how tall is K2?" is for the factual persona after any talk."""
_BEGINNING = 200
"""Characters in which a request would be named."""
DOUBT_MARGIN = 0.10
"""Two routes closer than this are a doubt."""

_REQUEST = re.compile(
    r"(?:^|[.,!?;:…()*-]\s*|\b(?:so|now|and|but|anyway|please|pls|ok)\s+)"
    r"(?:(?:hey|hi|ok|okay|so|now|and|but|well|please|pls|plz|bot)[, ]+)*"
    r"(?:(?:can|could|would|will) (?:you|u) (?:please |pls )?)?(?:help me |let'?s )?"
    r"(?:write|draft|compose|invent|make up|come up with|think up|brainstorm|translate|"
    r"summari[sz]e|explain|define|calculate|convert|solve|proofread|debug|list|"
    r"schreib|ubersetz|erklar|escrib|traduc|explica|ecris|traduis|explique|escrev|traduz|"
    r"scrivi|spiega|napisz|przetlumacz|napishi|напиши|переведи|объясни|yaz|cevir|acikla)\w*\b"
)
"""A clause that begins with the work that is wanted."""
_ASKS = re.compile("[?？؟]")
_OUT_OF_CHARACTER = re.compile(r"^\s*(?:\(\(|\[ooc|\(ooc|ooc\b|//)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else bears on a decision."""

    previous: PreviousRoute | None
    in_scene: bool
    explicit: bool
    """The message names the work that it wants; looked for only after another turn."""
    asks: bool
    """There is a question in the message."""
    out_of_character: bool


def circumstances(
    message: str, previous: PreviousRoute | None, *, in_scene: bool, now: float
) -> Circumstances:
    """Return what bears on a decision; a previous turn that is too old is left out."""
    live = previous if previous and now - previous.at <= IDLE_SECONDS else None
    beginning = message[:_BEGINNING]
    return Circumstances(
        live,
        in_scene or bool(live and live.scene),
        live is not None and _REQUEST.search(fold(beginning).strip()) is not None,
        _ASKS.search(beginning) is not None,
        _OUT_OF_CHARACTER.match(beginning) is not None,
    )


def decide(
    scores: Scores, around: Circumstances, *, threshold: float, source: str
) -> RouteDecision:
    """Return the decision for a message with words in it."""
    reasons: list[str] = []
    mixed = dict(zip(LABELS, scores.routes, strict=True))
    gate = 0.0
    if around.in_scene and not around.out_of_character:
        mixed = _within_scene(mixed)
        reasons.append("a scene is open")
    if around.previous is not None:
        gate = scores.continuation
        mixed = {
            route: (1.0 - gate) * p + (gate if route is around.previous.route else 0.0)
            for route, p in mixed.items()
        }
        if gate > 0.5:
            reasons.append(f"continues the previous {around.previous.route} turn")
    route = max(LABELS, key=lambda each: mixed[each])
    plain = around.asks and dict(zip(LABELS, scores.routes, strict=True))[route] >= SURE
    if not plain:
        route = _held(route, mixed, around, reasons)
    ranked = sorted(mixed.values(), reverse=True)
    close = ranked[0] - ranked[1] < DOUBT_MARGIN
    uncertain = close or ranked[0] < threshold
    if close:
        reasons.append(f"two routes within {DOUBT_MARGIN:.2f}")
    elif uncertain:
        reasons.append(f"no route reaches {threshold:.2f}")
    if around.explicit:
        reasons.append("explicit request")
    return RouteDecision(route, mixed, uncertain, source, gate, tuple(reasons))


def _within_scene(mixed: Mapping[Route, float]) -> dict[Route, float]:
    """Inside a scene an emotional line is the character's; even a question often is."""
    companion, factual = mixed[Route.COMPANION], mixed[Route.FACTUAL]
    return {
        Route.FACTUAL: factual * 0.6,
        Route.CREATIVE: mixed[Route.CREATIVE] + 0.85 * companion + 0.4 * factual,
        Route.COMPANION: companion * 0.15,
    }


def _held(
    route: Route, mixed: Mapping[Route, float], around: Circumstances, reasons: list[str]
) -> Route:
    """Return the previous route where the new one is hardly better."""
    if around.previous is None or around.explicit:
        return route
    before = around.previous.route
    margin = SWITCH_MARGIN
    if before is Route.COMPANION:
        margin = ASKED_MARGIN if around.asks else LEFT_MARGIN
    if route is before or mixed[route] >= SURE or mixed[route] - mixed[before] >= margin:
        return route
    reasons.append(f"{route} is not {margin:.2f} above the previous {before}")
    return before


def safe_order(decision: RouteDecision, previous: PreviousRoute | None) -> Route:
    """Return the route to take when in doubt and nobody else can be asked.

    What may be a continuation stays; what may be a fact is treated as one, since an invented
    fact hurts more than a dry answer.
    """
    if previous is not None and decision.continuation > 0.3:
        return previous.route
    if decision.probabilities.get(Route.FACTUAL, 0.0) >= 0.3:
        return Route.FACTUAL
    return decision.route


def certain(route: Route, source: str, reason: str) -> RouteDecision:
    """Return a decision that was not a matter of probabilities."""
    probabilities = {each: 1.0 if each is route else 0.0 for each in LABELS}
    return RouteDecision(route, probabilities, False, source, 0.0, (reason,))
