"""Scenes: the draw is the turn's own, and cues come to an end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.place import ChannelId, MessageId, Place, UserId
from bot.chat.preparing.scene_turns import follow_ups_of, next_cue, speakers
from bot.chat.turn import Cue, Message, Quoted, Speaker, Trigger, Turn, TurnId
from bot.personas import Card, Persona
from bot.personas.scenes import SceneLimits
from bot.routing.route import Route

PLACE, ANNA = Place(ChannelId(1)), Speaker(UserId(1), "Anna")
LIMITS = SceneLimits()


def persona(name: str, talkativeness: float = 0.0) -> Persona:
    card = Card("chara_card_v2", name, talkativeness=talkativeness)
    return Persona(name.lower(), "1", name, card)


WREN, ROBIN, OWL = CAST = (persona("Wren"), persona("Robin"), persona("Owl"))


def turn(text: str, ident: int = 10, replies_to: int | None = None) -> Turn:
    quoted = Quoted(MessageId(replies_to), "Robin", True, "hm") if replies_to else None
    return Turn(
        (Message(MessageId(ident), PLACE, ANNA, text, 0.0, replies_to=quoted),), Trigger.MENTION
    )


def exchange(ident: int, *replies: int, said: bool = True, by: str = "robin") -> Exchange:
    words = (Said(MessageId(ident), ANNA, "hi", 0.0),) if said else ()
    ids = tuple(MessageId(reply) for reply in replies)
    return Exchange(
        TurnId(str(ident)), words, (Variant("hm", ids, by, Route.CREATIVE, "", 0.0),), 0
    )


EMPTY = Conversation(PLACE)


def test_who_is_named_answers_in_the_order_of_the_names() -> None:
    assert speakers(turn("Owl, ask Wren"), CAST, EMPTY, LIMITS) == ("owl", "wren")


def test_who_is_replied_to_answers_first() -> None:
    conversation = Conversation(PLACE, (exchange(1, 5),))
    assert speakers(turn("Owl?", 10, 5), CAST, conversation, LIMITS) == ("robin", "owl")


def test_a_turn_taken_up_again_draws_the_same_cast() -> None:
    lively = (persona("Wren", 0.5), persona("Robin", 0.5), persona("Owl", 0.5))
    drawn = {speakers(turn("hello", ident), lively, EMPTY, LIMITS) for ident in range(10, 60)}
    assert len(drawn) > 3
    for ident in range(10, 30):
        again = {speakers(turn("hello", ident), lively, EMPTY, LIMITS) for _ in range(3)}
        assert len(again) == 1


def test_no_more_answer_than_the_budget_allows() -> None:
    assert len(speakers(turn("Wren Robin Owl"), CAST, EMPTY, LIMITS)) == LIMITS.per_message
    one = SceneLimits(per_message=1)
    assert speakers(turn("Wren Robin Owl"), CAST, EMPTY, one) == ("wren",)


def test_those_planned_come_before_those_that_a_reply_names() -> None:
    cue = next_cue(CAST, "wren", ("owl",), (), "Robin, what is it?", LIMITS)
    assert cue == Cue(("owl", "robin"), ("wren",))


def test_a_persona_does_not_cue_itself_nor_who_has_spoken() -> None:
    assert next_cue(CAST, "wren", (), (), "I, Wren, say so.", LIMITS) is None
    assert next_cue(CAST, "wren", ("robin",), ("robin",), "Robin?", LIMITS) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["Wren", "Robin", "Owl", "nobody"])).map(" ".join), st.data())
def test_a_round_always_ends(reply: str, data: st.DataObject) -> None:
    limits = SceneLimits(in_a_row=data.draw(st.integers(1, 6)))
    planned = data.draw(st.lists(st.sampled_from(["wren", "robin", "owl", "gone"])))
    speaker, spoken, count = "wren", (), 1
    while (cue := next_cue(CAST, speaker, planned, spoken, reply, limits)) is not None:
        assert cue.speakers[0] not in cue.spoken
        speaker, planned, spoken = cue.speakers[0], list(cue.speakers[1:]), cue.spoken
        count += 1
        assert count <= min(limits.in_a_row, len(CAST))


def test_replies_that_a_question_led_to_go_with_it() -> None:
    conversation = Conversation(
        PLACE,
        (
            exchange(1, 2),
            exchange(10, 11, 12),
            exchange(12, 13, said=False),
            exchange(13, 14, said=False),
            exchange(20, 21),
            exchange(30, 30, said=False),  # a greeting
        ),
    )
    assert follow_ups_of(conversation, {MessageId(10)}) == {13, 14}
    assert follow_ups_of(conversation, {MessageId(20)}) == frozenset()
    assert follow_ups_of(conversation, {MessageId(99)}) == frozenset()


def test_a_person_s_word_overtakes_a_cue() -> None:
    cued = Message(MessageId(11), PLACE, ANNA, "", 0.0, cue=Cue(("owl",), ("wren",)))
    assert Turn((cued,), Trigger.SCENE).cue is not None
    assert Turn((cued, *turn("wait").messages), Trigger.SCENE).cue is None
