"""A persona replies in the language of who speaks, unless its card says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.conversation import Conversation
from bot.chat.preparing.speech import language_instruction, reply_language
from bot.chat.turn import Turn
from bot.personas import Persona
from bot.personas.speech import keeps_to_its_language
from tests.unit.prompting.build import exchange, persona_of, turn_of

GERMAN = exchange(1, [("Anna", "wie geht es dir heute?")], "Gut, und dir?")
FRENCH = exchange(2, [("Ben", "tu peux m'aider stp")], "Bien sûr !")


def language(turn: Turn, *earlier: object, persona: Persona | None = None) -> str | None:
    return reply_language(turn, Conversation(turn.place, tuple(earlier)), persona or persona_of())  # type: ignore[arg-type]


def test_the_message_decides() -> None:
    assert language(turn_of("what should i cook tonight"), GERMAN) == "en"


def test_the_newest_message_of_a_burst_decides() -> None:
    assert (
        language(turn_of("what should i cook tonight", "oder was soll ich kochen?", "👍")) == "de"
    )


def test_a_message_without_a_language_goes_on_in_the_writers_own() -> None:
    assert language(turn_of("ok", name="Anna"), GERMAN, FRENCH) == "de"
    turn = turn_of("👍")
    ben = replace(turn.messages[0], speaker=FRENCH.said[0].speaker)
    assert language(Turn((ben,), turn.trigger), GERMAN, FRENCH) == "fr"


def test_a_newcomer_without_a_language_gets_that_of_the_others_then_the_servers() -> None:
    turn = turn_of("👍")
    carol = replace(turn.messages[0].speaker, id=999, locale="ja")  # type: ignore[arg-type]
    turn = Turn((replace(turn.messages[0], speaker=carol),), turn.trigger)
    assert language(turn, GERMAN) == "de"
    assert language(turn) == "ja"


@pytest.mark.parametrize("locale", [None, "", "xx", "tlh-KX"])
def test_an_unknown_language_is_left_to_the_model(locale: str | None) -> None:
    turn = turn_of("👍")
    speaker = replace(turn.messages[0].speaker, locale=locale)
    assert language(Turn((replace(turn.messages[0], speaker=speaker),), turn.trigger)) is None
    assert language_instruction(None) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "Jeanne only speaks French, whoever asks."},
        {"system_prompt": "Always reply in Latin."},
        {"description": "He replies in Russian regardless of what he hears."},
        {"personality": "doesn't understand English"},
        {"extensions": {"troupe": {"language": "card"}}},
    ],
)
def test_a_card_may_keep_its_language(fields: dict[str, object]) -> None:
    persona = persona_of(**fields)
    assert keeps_to_its_language(persona)
    assert language(turn_of("wie geht es dir heute?"), persona=persona) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "She speaks French and German, and teaches English."},
        {"extensions": {"troupe": "nonsense"}},
        {"extensions": {"troupe": {"language": ["card"]}}},
        {"description": "He always answers Anna first."},
    ],
)
def test_a_card_that_only_mentions_languages_does_not(fields: dict[str, object]) -> None:
    assert not keeps_to_its_language(persona_of(**fields))


def test_the_instruction_leaves_room_for_a_translation() -> None:
    assert "Reply in German, unless the message asks for another" in language_instruction("de")
