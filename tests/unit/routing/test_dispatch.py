"""Everything that bears on a route, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.errors import StoreError
from bot.routing import PreviousRoute, Route, Router
from bot.routing.corrections import CorrectionBook
from bot.routing.dispatch import DISTRESS_SECONDS, Ask, Dispatcher, Overrides, why_unsure
from bot.routing.policy import IDLE_SECONDS
from bot.routing.tally import Tally
from tests.unit.routing.test_correction_book import TEXT, correction

GUILD = GuildId(7)
PLACE = Place(ChannelId(70), GUILD)
NOW = 1_000_000.0
ROUTER = Router.load()
FACT = "What is the capital of Mongolia?"
STORY = "write me a short story about a lighthouse keeper and a storm"


def ask(message: str, **changes: Any) -> Ask:
    return replace(Ask(message, PLACE, UserId(1), NOW), **changes)


def later(message: str, seconds: float = 60, **changes: Any) -> Ask:
    """Return what is asked so long after signs of distress."""
    return ask(message, now=NOW + seconds, distress_at=NOW, **changes)


@dataclass
class Fixed:
    """A store that always holds the same."""

    overrides: Overrides = field(default_factory=Overrides)
    away: bool = False

    async def in_force(self, place: Place, person: UserId) -> Overrides:
        if self.away:
            raise StoreError("away")
        return self.overrides


@dataclass
class Notes:
    """An observer that writes everything down."""

    decided_: list[dict[str, Any]] = field(default_factory=list)

    def decided(self, route: str, **told: Any) -> None:
        self.decided_.append({"route": route, **told})


async def test_alone_it_decides_as_the_table_does() -> None:
    dispatcher = Dispatcher(ROUTER)
    for message in (FACT, STORY, "gm everyone"):
        decision = await dispatcher.route(ask(message))
        assert decision == ROUTER.route(message, previous=None, now=NOW)


async def test_a_pin_outranks_the_message_and_corrections() -> None:
    book = CorrectionBook([correction(FACT)])
    dispatcher = Dispatcher(ROUTER, overrides=Fixed(Overrides(Route.CREATIVE, book)))
    decision = await dispatcher.route(ask(FACT))
    assert (decision.route, decision.source) == (Route.CREATIVE, "pin")


async def test_signs_of_distress_outrank_a_pin() -> None:
    dispatcher = Dispatcher(ROUTER, overrides=Fixed(Overrides(Route.FACTUAL)))
    decision = await dispatcher.route(ask(FACT, distress=True))
    assert (decision.route, decision.source) == (Route.COMPANION, "safety")


async def test_a_correction_outranks_the_table_and_says_so() -> None:
    book = CorrectionBook([correction(FACT, Route.COMPANION)])
    dispatcher = Dispatcher(ROUTER, overrides=Fixed(Overrides(None, book)))
    decision = await dispatcher.route(ask(FACT))
    assert (decision.route, decision.source) == (Route.COMPANION, "correction")
    assert "100%" in decision.reasons[0]
    assert "moderator" not in decision.reasons[0], "in a direct message there is none"
    assert (await dispatcher.route(ask(TEXT))).source == "table"


async def test_without_the_store_the_table_decides() -> None:
    decision = await Dispatcher(ROUTER, overrides=Fixed(away=True)).route(ask(FACT))
    assert (decision.route, decision.source) == (Route.FACTUAL, "table")


async def test_after_distress_only_a_sure_message_leaves_the_companion() -> None:
    dispatcher = Dispatcher(ROUTER)
    sure = await dispatcher.route(later(FACT))
    assert sure.confidence >= 0.9, "the scene needs a sure message"
    assert sure.route is Route.FACTUAL
    phrases = ("which one is heavier", "give me a name", "what would you call a cat")
    alone = {each: ROUTER.route(each, previous=None, now=NOW) for each in phrases}
    unsure = [
        text
        for text, found in alone.items()
        if found.confidence < 0.9 and found.route is not Route.COMPANION
    ]
    assert unsure, "the scene needs a doubtful message"
    for text in unsure:
        held = await dispatcher.route(later(text))
        assert held.route is Route.COMPANION
        assert "distress" in held.reasons[-1]
        at_last = await dispatcher.route(later(text, DISTRESS_SECONDS + 1))
        assert at_last.route is alone[text].route


@pytest.mark.parametrize("fixed_by", ["pin", "correction"])
async def test_what_people_fixed_waits_while_distress_holds(fixed_by: str) -> None:
    told = "nobody came to my birthday"
    book = CorrectionBook([correction(told, Route.CREATIVE), correction(STORY, Route.CREATIVE)])
    fixed = Overrides(Route.CREATIVE) if fixed_by == "pin" else Overrides(None, book)
    dispatcher = Dispatcher(ROUTER, overrides=Fixed(fixed))
    before = await dispatcher.route(ask(told))
    assert (before.route, before.source) == (Route.CREATIVE, fixed_by)
    held = await dispatcher.route(later(told))
    assert held.route is Route.COMPANION
    assert held.reasons[-1] == f"signs of distress a while ago: the {fixed_by} waits"
    sure = await dispatcher.route(later(STORY))
    assert (sure.route, sure.source) == (Route.CREATIVE, fixed_by)
    at_last = await dispatcher.route(later(told, DISTRESS_SECONDS + 1))
    assert at_last.source == fixed_by


async def test_who_was_silent_for_long_goes_on_with_the_place_s_last_turn() -> None:
    stale = PreviousRoute(Route.FACTUAL, NOW - IDLE_SECONDS - 1)
    standing = PreviousRoute(Route.CREATIVE, NOW - 5)
    decision = await Dispatcher(ROUTER).route(ask("more", previous=stale, standing=standing))
    assert decision.route is Route.CREATIVE


async def test_signs_of_distress_end_a_scene_for_who_showed_them() -> None:
    line = "i'm so tired. i don't want to be here"
    scene = PreviousRoute(Route.CREATIVE, NOW, scene=True)
    dispatcher = Dispatcher(ROUTER)
    playing = await dispatcher.route(ask(line, previous=scene, in_scene=True))
    assert playing.route is Route.CREATIVE
    after = PreviousRoute(Route.COMPANION, NOW, scene=True)
    held = await dispatcher.route(later(line, previous=after, in_scene=True))
    assert held.route is Route.COMPANION
    assert "a scene is open" not in held.reasons
    other = await dispatcher.route(replace(ask(line, in_scene=True), person=UserId(99)))
    assert other.route is Route.CREATIVE


@pytest.mark.parametrize(
    ("message", "left_scene", "route"),
    [
        ("*takes your hand and walks on*", True, Route.CREATIVE),
        ("no, really. i am alone", True, Route.COMPANION),
        ("*takes your hand and walks on*", False, Route.COMPANION),
    ],
)
async def test_who_was_cared_for_in_a_scene_may_go_on_to_play(
    message: str, left_scene: bool, route: Route
) -> None:
    previous = PreviousRoute(Route.COMPANION, NOW)
    asked = later(message, previous=previous, left_scene=left_scene)
    assert (await Dispatcher(ROUTER).route(asked)).route is route


@pytest.mark.parametrize(("since", "route"), [(30, Route.CREATIVE), (-30, Route.COMPANION)])
async def test_who_has_played_since_stays_in_the_scene(since: float, route: Route) -> None:
    previous = PreviousRoute(Route.CREATIVE, NOW + since, scene=True)
    asked = later("i'm so tired. i don't want to be here", previous=previous)
    assert (await Dispatcher(ROUTER).route(asked)).route is route


async def test_a_route_held_for_distress_is_a_doubt() -> None:
    dispatcher = Dispatcher(ROUTER)
    text = "what would you call a cat"
    alone = ROUTER.route(text, previous=None, now=NOW)
    assert alone.route is not Route.COMPANION
    held = await dispatcher.route(later(text))
    assert held.route is Route.COMPANION
    assert why_unsure(held) == "held"


async def test_care_in_force_says_so() -> None:
    dispatcher = Dispatcher(ROUTER)
    decision = await dispatcher.route(ask(STORY, care=True))
    assert (decision.route, decision.source) == (Route.COMPANION, "safety")
    assert decision.reasons == ("care is in force: no story for now",)


async def test_a_turn_of_long_ago_is_not_continued() -> None:
    dispatcher = Dispatcher(ROUTER)
    fresh = PreviousRoute(Route.CREATIVE, NOW - 60)
    stale = PreviousRoute(Route.CREATIVE, NOW - IDLE_SECONDS - 1)
    assert (await dispatcher.route(ask("more", previous=fresh))).route is Route.CREATIVE
    assert ask("more", previous=stale).before is None
    assert (await dispatcher.route(ask("more", previous=stale))).continuation == 0.0


async def test_what_is_acted_on_is_counted_by_guild_and_for_the_metrics() -> None:
    notes, tally = Notes(), Tally()
    dispatcher = Dispatcher(ROUTER, observer=notes, tally=tally)
    told = ask(FACT, previous=PreviousRoute(Route.COMPANION, NOW - 5))
    decision = await dispatcher.route(told)
    assert notes.decided_ == []
    dispatcher.observe(told, decision)
    assert notes.decided_[0]["flipped"] is True
    assert notes.decided_[0]["stage"] == "table"
    assert notes.decided_[0]["gate"] == decision.continuation
    assert tally.since_start(GUILD) == {
        "decisions": 1,
        "route:factual": 1,
        "source:table": 1,
        "flips": 1,
    }
    dispatcher.observe(ask(FACT, place=Place(ChannelId(9))), decision)
    assert tally.since_start(GUILD)["decisions"] == 1


@pytest.mark.parametrize("reason", ["no_table", "held", "margin", "threshold"])
async def test_a_doubt_has_a_reason(reason: str) -> None:
    shares = {
        "no_table": (1 / 3, 1 / 3, 1 / 3),
        "held": (0.48, 0.04, 0.48),
        "margin": (0.48, 0.44, 0.08),
        "threshold": (0.55, 0.30, 0.15),
    }[reason]
    base = Router(None, "missing").route("hello", previous=None, now=NOW)
    source = "default" if reason == "no_table" else "table"
    doubtful = replace(
        base, probabilities=dict(zip(Route, shares, strict=True)), uncertain=True, source=source
    )
    doubtful = replace(doubtful, held=reason == "held")
    assert why_unsure(doubtful) == reason
    assert why_unsure(replace(doubtful, uncertain=False)) is None


async def test_a_second_speaker_goes_on_with_what_was_decided_not_with_a_guess() -> None:
    """ "cool" alone is the companion's; here it had gone on with a story."""
    history = (("user", "cool"), ("assistant", "Thank you! The fox bows."))
    standing = PreviousRoute(Route.CREATIVE, NOW - 5)
    second = ask("make it funnier", history=history, standing=standing)
    dispatcher = Dispatcher(ROUTER)
    assert (await dispatcher.route(second)).route is Route.CREATIVE
    assert second.before is None, "not their own turn: no flip is counted"
