"""What of a conversation bears on the route of its next message."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.preparing.asking import (
    answered,
    ask_of,
    last_exchanges,
    previous_route,
    scene_running,
)
from bot.chat.turn import Message, Speaker, Trigger, Turn, TurnId
from bot.routing import Route, Router
from bot.routing.policy import IDLE_SECONDS

NOW = 1_000_000.0
NEXT = TurnId("900")
PLACE = Place(ChannelId(5), GuildId(7))
ALICE, BOB = Speaker(UserId(1), "Alice"), Speaker(UserId(2), "Bob")
LINE = "*lifts the lantern* Who goes there?"


def exchange(
    number: int, who: Speaker, text: str, route: Route, reply: str = "Yes.", ago: float = 60.0
) -> Exchange:
    at = NOW - ago
    said = Said(MessageId(number), who, text, at)
    variant = Variant(reply, (MessageId(number + 1),), "maud", route, "m", at)
    return Exchange(TurnId(str(number)), (said,), (variant,), 0)


def turn(who: Speaker, text: str, number: int = 900) -> Turn:
    message = Message(MessageId(number), PLACE, who, text, NOW)
    return Turn((message,), Trigger.MENTION)


def talk(*exchanges: Exchange) -> Conversation:
    return Conversation(PLACE, exchanges)


def test_the_turn_before_is_the_person_s_own() -> None:
    conversation = talk(
        exchange(10, ALICE, "name my cat", Route.CREATIVE),
        exchange(20, BOB, "how tall is K2", Route.FACTUAL),
    )
    mine = previous_route(answered(conversation, NEXT), ALICE.id)
    assert mine is not None
    assert mine.route is Route.CREATIVE
    theirs = previous_route(answered(conversation, NEXT), BOB.id)
    assert theirs is not None
    assert theirs.route is Route.FACTUAL
    assert previous_route(answered(conversation, NEXT), UserId(3)) is None


def test_turns_of_the_same_route_are_counted_unless_they_are_old() -> None:
    conversation = talk(
        exchange(10, ALICE, "gm", Route.COMPANION, ago=2 * IDLE_SECONDS),
        exchange(20, ALICE, "slept badly", Route.COMPANION),
        exchange(30, ALICE, "still raining here", Route.COMPANION),
    )
    previous = previous_route(answered(conversation, NEXT), ALICE.id)
    assert previous is not None
    assert previous.turns == 2


def test_who_had_no_turn_here_goes_on_with_the_last_one() -> None:
    conversation = talk(
        exchange(10, ALICE, "a story about a fox", Route.CREATIVE),
        exchange(20, ALICE, "cool", Route.CREATIVE),
    )
    bobs = ask_of(turn(BOB, "make it funnier"), conversation, shared=False, now=NOW)
    assert bobs.previous is None
    assert bobs.standing is not None
    assert bobs.standing.route is Route.CREATIVE


def test_a_turn_that_is_done_again_does_not_follow_itself() -> None:
    conversation = talk(exchange(10, ALICE, "name my cat", Route.CREATIVE))
    assert answered(conversation, TurnId("10")) == []


def test_what_was_said_long_ago_resolves_nothing() -> None:
    old = talk(exchange(10, ALICE, "name my cat", Route.CREATIVE, ago=IDLE_SECONDS + 1))
    assert last_exchanges(answered(old, NEXT), None, now=NOW) == ()
    ask = ask_of(turn(ALICE, "more"), old, shared=False, now=NOW)
    assert ask.before is None
    assert ask.history == ()
    fresh = talk(exchange(10, ALICE, "name my cat", Route.CREATIVE, "Moth.", ago=60))
    assert last_exchanges(answered(fresh, NEXT), None, now=NOW) == (
        ("user", "name my cat"),
        ("assistant", "Moth."),
    )


def test_what_one_goes_on_with_is_shown_and_not_what_others_asked_meanwhile() -> None:
    conversation = talk(
        exchange(10, ALICE, "a story about a fox", Route.CREATIVE, "Once.", ago=60),
        exchange(20, BOB, "how tall is K2", Route.FACTUAL, "8,611 m.", ago=30),
    )
    mine = ask_of(turn(ALICE, "more"), conversation, shared=False, now=NOW)
    assert mine.history == (("user", "a story about a fox"), ("assistant", "Once."))
    new = ask_of(turn(Speaker(UserId(3), "Eve"), "more"), conversation, shared=False, now=NOW)
    assert new.history[-1] == ("assistant", "8,611 m.")


def test_a_scene_runs_for_everybody_in_the_place() -> None:
    scene = talk(exchange(10, ALICE, "*knocks*", Route.CREATIVE, LINE))
    for who in (ALICE, BOB):
        assert ask_of(turn(who, "i'm terrified"), scene, shared=False, now=NOW).in_scene


def test_a_scene_ends_with_another_kind_of_turn_or_with_silence() -> None:
    begun = exchange(10, ALICE, "*knocks*", Route.CREATIVE, LINE)
    left = talk(begun, exchange(20, ALICE, "i got fired today", Route.COMPANION))
    assert not scene_running(answered(left, NEXT), shared=False, now=NOW)
    assert not scene_running(answered(talk(begun), NEXT), shared=False, now=NOW + IDLE_SECONDS)
    plain = talk(exchange(10, ALICE, "name my cat", Route.CREATIVE, "Moth."))
    assert not scene_running(answered(plain, NEXT), shared=False, now=NOW)
    assert scene_running(answered(plain, NEXT), shared=True, now=NOW)
    assert not scene_running(answered(talk(), NEXT), shared=True, now=NOW)


def test_a_scene_that_the_companion_interrupted_is_known_for_one_turn() -> None:
    played = exchange(10, ALICE, "*creeps between the barrels*", Route.CREATIVE, LINE)
    afraid = exchange(20, ALICE, "i'm scared of the dark down here", Route.CREATIVE)
    cared, more = (
        exchange(at, ALICE, "i feel so alone in this place", Route.COMPANION) for at in (30, 40)
    )
    for earlier, left in (
        ((played, afraid, cared), True),
        ((played, afraid), False),
        ((cared,), False),
        ((played, cared, more), False),
    ):
        asked = ask_of(turn(ALICE, "*walks on*"), talk(*earlier), shared=False, now=NOW)
        assert asked.left_scene is left
    bobs = ask_of(turn(BOB, "*walks on*"), talk(played, cared), shared=False, now=NOW)
    assert not bobs.left_scene


def test_a_scene_needs_no_asterisks_and_goes_on_after_an_aside() -> None:
    begun = exchange(10, ALICE, "let's roleplay: you're the keeper", Route.CREATIVE, "Fog.", 90)
    line = exchange(20, ALICE, "how far is the light?", Route.CREATIVE, '"Far," he says.', 80)
    aside = exchange(30, ALICE, "((brb))", Route.COMPANION, "Sure!", 70)
    bobs = exchange(40, BOB, "how tall is K2", Route.FACTUAL, "8,611 m.", 60)
    for scene in (talk(begun), talk(begun, line), talk(begun, line, aside)):
        assert ask_of(turn(BOB, "who is there?"), scene, shared=False, now=NOW).in_scene
    mine = ask_of(turn(ALICE, "i step in"), talk(begun, aside, bobs), shared=False, now=NOW)
    assert mine.previous is not None
    assert mine.previous.scene, "what somebody else asked does not end it"
    assert not mine.in_scene
    over = exchange(50, ALICE, "end scene, thanks", Route.COMPANION, "*bows*", 50)
    ended = ask_of(turn(ALICE, "i step in"), talk(begun, over), shared=False, now=NOW)
    assert ended.previous is not None
    assert not ended.previous.scene


def test_a_greeting_with_an_action_is_no_scene_until_somebody_plays() -> None:
    greeting = replace(exchange(10, ALICE, "", Route.CREATIVE, "*waves* Oh, hello!"), said=())
    told = ask_of(turn(ALICE, "i got fired today"), talk(greeting), shared=False, now=NOW)
    assert not told.in_scene
    decision = Router.load().route(told.message, previous=told.standing, now=NOW)
    assert decision.route is Route.COMPANION
    played = exchange(20, ALICE, "*sits down* hello", Route.CREATIVE, "Tea?")
    ask = ask_of(turn(ALICE, "yes"), talk(greeting, played), shared=False, now=NOW)
    assert ask.in_scene


def test_names_in_bold_begin_no_scene() -> None:
    named = talk(exchange(10, ALICE, "name my cat", Route.CREATIVE, "**1. Moth**\n**2. Ash**"))
    ask = ask_of(turn(ALICE, "i got the job!!"), named, shared=False, now=NOW)
    assert not ask.in_scene
    assert Router.load().route(ask.message, previous=ask.previous, now=NOW).route is Route.COMPANION


def test_an_emotional_line_within_a_scene_is_the_character_s() -> None:
    router = Router.load()
    line = "i'm terrified. don't leave me here"
    apart = router.route(line, previous=None, now=NOW)
    scene = talk(exchange(10, ALICE, "*knocks*", Route.CREATIVE, LINE))
    ask = ask_of(turn(BOB, line), scene, shared=False, now=NOW)
    within = router.route(line, previous=ask.previous, in_scene=ask.in_scene, now=NOW)
    assert apart.route is Route.COMPANION
    assert within.route is Route.CREATIVE
