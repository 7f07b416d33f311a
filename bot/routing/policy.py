"""From the table's opinion to a decision: continuation, scenes, the switch margin, doubt.

The current message decides; exactly one previous turn may resolve it. A public project that
showed its router the whole history went from 87 % to 61 % right (galaxyproject/galaxy 22791).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.routing import reasons
from bot.routing.previous import PreviousRoute
from bot.routing.reasons import because
from bot.routing.route import Route, RouteDecision
from bot.routing.scene import QUITE_A_FACT, asked_outside, plays, steps_out, wants_help
from bot.routing.table import LABELS, Scores
from bot.routing.wording import asks, beginning, is_brief, names_piece, of_persons, of_reply, wants

IDLE_SECONDS = 15 * 60
"""A previous turn that is older resolves nothing."""
SWITCH = 1.2
"""How many times as likely as the route before a new one must be: less flips more, more misses
switches."""
ASKED = 1.9
"""The same for leaving the companion with a question: in a talk it often is about the talk."""
TOLD = 6.0
"""The same with what is neither asked nor wanted. What people tell of their day often reads like a
fact or a scene, and nearly all flips come of it.

Chosen with the factors below on talks that are all companion (wrong among 481 lines of twelve talks
without replies, and among 224 of six with them), on 141 requests put into a long talk, and on 1,100
lines of the fixtures and of others that ask for facts or stories, put after one companion turn, or
after three (right). A margin in place of factors: 7.7 % and 6.7 % wrong, 97 %, 87 % and 87 % right;
with these 4.4 % and 2.7 %, 97 %, 89 % and 82 %: what a long talk keeps of these are mostly lines of
plays and errors of programs.
"""
REMARK = 9.0
"""The same where neither the one who writes nor the one addressed is in it: "the bus was late
again", "hier liegt der erste schnee"."""
TOLD_ON = 2.25
"""What `TOLD` and `REMARK` are multiplied by for each further companion turn of late: what was
talked about three times is likelier to be talked on about."""
ASKED_ON = 1.5
"""The same for `ASKED`."""
ANSWERS = 4.0
"""What `TOLD` and `REMARK` are multiplied by after a reply that asked something."""
DOUBT = 0.7
"""How much of the third route's share speaks for the companion too: a message that may be a fact
and may be a story is often neither."""
SURE = 0.90
"""A message this sure passes a distress window, and so does a question so sure by itself."""
PLAIN = 0.95
"""What is brief, of no person, and this sure by itself leaves a talk without a question: "capital
of peru" is for the factual persona after any."""
ONLY_CONTINUES = 0.80
"""Probability of a continuation up to which a plain question or request is taken for a new one.
Terse ones look like continuations: "is java older than python" does to 0.75."""
NAMES_REPLY = 0.90
"""Probability of a continuation, at least, where a message names the reply before: "rework your
previous answer" is of the same kind, whatever it wants done to it."""
CONTINUES = 0.50
"""Probability of a continuation from which a message is said to go on with the turn before."""
DOUBT_MARGIN = 0.10
"""Two routes closer than this are a doubt."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else bears on a decision."""

    previous: PreviousRoute | None
    in_scene: bool
    explicit: bool = False
    """The message names the work that it wants; looked for only after another turn."""
    asks: bool = False
    """There is a question in the message; looked for only after another turn."""
    of_persons: bool = True
    """The message is about somebody in the talk; looked for only after another turn."""
    steps_out: bool = False
    """The message is said outside of the scene that is open."""
    brief: bool = False
    """The message is hardly more than a name; looked for only after another turn."""
    answers: bool = False
    """The reply before asked something."""
    names_piece: bool = False
    """A piece of writing is named that is not there yet; looked for only after another turn."""
    of_reply: bool = False
    """The message names the reply before; looked for only after another turn."""


def live(previous: PreviousRoute | None, now: float) -> PreviousRoute | None:
    """Return the previous turn, unless it is too old to matter."""
    return previous if previous and now - previous.at <= IDLE_SECONDS else None


def circumstances(
    message: str,
    previous: PreviousRoute | None,
    scores: Scores,
    *,
    in_scene: bool = False,
    spoken: Sequence[str] = (),
    answers: bool = False,
) -> Circumstances:
    """Return what bears on a decision.

    Args:
        message: the message.
        previous: the turn before; None where it is too old to matter.
        scores: the opinion of the message by itself.
        in_scene: whether a scene is open in the place, whoever's.
        spoken: the last lines of the talk.
        answers: whether the reply before asked something.
    """
    in_scene = in_scene or bool(previous and previous.scene)
    if previous is None and not in_scene:
        return Circumstances(None, False)
    folded = beginning(message)
    asked, wanted = asks(folded), wants(folded)
    if in_scene and steps_out(folded):
        # Whoever steps out of a play speaks as themselves: it goes on as a talk does, unless
        # something is wanted.
        alone = wanted or wants_help(folded) or (asked and scores.routes[0] >= QUITE_A_FACT)
        talk = None if alone else PreviousRoute(Route.COMPANION, 0.0)
        return Circumstances(talk, False, of_persons=of_persons(folded), steps_out=True)
    if in_scene and asked_outside(message, spoken, scores.routes[0], scores.continuation):
        return Circumstances(None, False, steps_out=True)
    if previous is None:
        return Circumstances(None, in_scene)
    if previous.scene and previous.route is not Route.CREATIVE:
        # A scene goes on after what was said outside of it, unless that itself goes on.
        in_scene = scores.continuation <= CONTINUES or plays(message)
        previous = replace(previous, route=Route.CREATIVE) if in_scene else previous
    return Circumstances(
        previous,
        in_scene,
        explicit=wanted,
        asks=asked,
        of_persons=of_persons(folded),
        brief=is_brief(folded),
        answers=answers,
        names_piece=names_piece(folded),
        of_reply=of_reply(folded),
    )


def decide(
    scores: Scores, around: Circumstances, *, threshold: float, source: str
) -> RouteDecision:
    """Return the decision for a message with words in it."""
    found: list[str] = []
    shares = dict(zip(LABELS, scores.routes, strict=True))
    if around.steps_out:
        found.append(reasons.LEAVES_SCENE)
    if around.in_scene:
        shares = _within_scene(shares)
        found.append(reasons.IN_SCENE)
    gate = 0.0
    held = False
    if around.previous is not None:
        before = around.previous.route
        gate = max(scores.continuation, NAMES_REPLY if around.of_reply else 0.0)
        times = _times(shares, gate, around.previous, around)
        if times is not None:
            new = _likeliest(_continued(shares, gate, before))
            shares = _continued(leaning(shares, before, times), gate, before)
            if gate > CONTINUES and not around.steps_out:
                found.append(because(reasons.CONTINUES, route=before))
            if held := new is not before and _likeliest(shares) is before:
                found.append(because(reasons.STAYS, other=new, times=f"{times:.1f}", route=before))
    route = _likeliest(shares)
    ranked = sorted(shares.values(), reverse=True)
    close = ranked[0] - ranked[1] < DOUBT_MARGIN
    if close:
        found.append(because(reasons.CLOSE, margin=f"{DOUBT_MARGIN:.2f}"))
    elif ranked[0] < threshold:
        found.append(because(reasons.TOO_LOW, share=f"{threshold:.2f}"))
    if around.explicit:
        found.append(reasons.EXPLICIT)
    uncertain = held or close or ranked[0] < threshold
    return RouteDecision(route, shares, uncertain, source, gate, tuple(found), held)


def _within_scene(mixed: Mapping[Route, float]) -> dict[Route, float]:
    """Inside a scene an emotional line is the character's, and so is a question about it."""
    companion, factual = mixed[Route.COMPANION], mixed[Route.FACTUAL]
    return {
        Route.FACTUAL: factual * 0.2,
        Route.CREATIVE: mixed[Route.CREATIVE] + 0.85 * companion + 0.8 * factual,
        Route.COMPANION: companion * 0.15,
    }


def _likeliest(shares: Mapping[Route, float]) -> Route:
    return max(LABELS, key=lambda each: shares[each])


def _continued(shares: Mapping[Route, float], gate: float, before: Route) -> dict[Route, float]:
    """Return the shares where the message inherits the previous route with some probability."""
    return {
        route: (1.0 - gate) * p + (gate if route is before else 0.0) for route, p in shares.items()
    }


def _times(
    shares: Mapping[Route, float], gate: float, previous: PreviousRoute, around: Circumstances
) -> float | None:
    """Return how many times as likely as the route before a new one must be; None where nothing
    is continued."""
    before, alone = previous.route, _likeliest(shares)
    talk = before is Route.COMPANION
    if around.names_piece and alone is Route.CREATIVE and shares[alone] >= SURE:
        return None  # "now a limerick on it": the subject goes on, the route does not
    plain = talk and alone is not before and not around.of_persons
    named = around.asks or around.explicit
    if plain and named and shares[alone] >= SURE and gate <= ONLY_CONTINUES:
        return None
    new = _likeliest(_continued(shares, gate, before))
    asked = around.asks and shares[new] >= SURE
    bare = plain and around.brief and not around.answers and shares[new] >= PLAIN
    if around.explicit or asked or bare:
        return 1.0
    if not talk:
        return SWITCH
    further = previous.turns - 1
    if around.asks:
        return ASKED * ASKED_ON**further
    told = TOLD if around.of_persons else REMARK
    return told * TOLD_ON**further * (ANSWERS if around.answers else 1.0)


def leaning(shares: Mapping[Route, float], before: Route, times: float) -> dict[Route, float]:
    """Return the shares of a message after a route that is so many times likelier to go on than
    the message by itself says."""
    own = shares[before]
    if before is Route.COMPANION:
        new = max(share for route, share in shares.items() if route is not before)
        own += DOUBT * max(1.0 - new - own, 0.0)
    raised = {**shares, before: times * own}
    total = sum(raised.values())
    return {route: share / total for route, share in raised.items()}


def safe_order(decision: RouteDecision, previous: PreviousRoute | None) -> Route:
    """Return the route to take when in doubt and nobody else can be asked.

    What may be a continuation stays; what may be a fact is treated as one, since an invented
    fact hurts more than a dry answer.
    """
    if decision.held:
        return decision.route
    if previous is not None and decision.continuation > 0.3:
        return previous.route
    if decision.probabilities.get(Route.FACTUAL, 0.0) >= 0.3:
        return Route.FACTUAL
    return decision.route


def certain(route: Route, source: str, reason: str) -> RouteDecision:
    """Return a decision that was not a matter of probabilities."""
    probabilities = {each: 1.0 if each is route else 0.0 for each in LABELS}
    return RouteDecision(route, probabilities, False, source, 0.0, (reason,))
