"""A persona that is not itself is noticed, and one that is itself is not delayed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.character.drift import Drift, DriftCheck, check_for
from bot.personas import PersonaLibrary
from bot.personas.persona import Persona, make_persona
from bot.personas.reading import read_card

SHIPPED = Path(__file__).resolve().parents[4] / "personas"


def persona(description: str = "A small bird who keeps the lighthouse.") -> Persona:
    import json

    card = {"name": "Wren", "description": description, "first_mes": "Hi", "personality": "pert"}
    return make_persona(read_card(json.dumps(card).encode(), "wren.json"), "wren")


def check(language: str | None = "en", question: str = "tell me of the sea") -> DriftCheck:
    found = check_for(persona(), ["Maud", "Bram"], language, question)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("As an AI language model, I don't have feelings.", "character"),
        ("*sighs* I’m an AI, so I can't.", "character"),
        ("I am ChatGPT, here to help.", "name"),
        ("Hello! My name is **Maud** and I keep the books.", "name"),
        ("Als KI habe ich keine Meinung.", "character"),
        ("En tant qu'IA, je ne peux pas.", "character"),
        ("Soy un modelo de lenguaje, así que no.", "character"),
        ("Como uma IA, não posso.", "character"),
        ("AIとして、お答えします。", "character"),
        ("作为一个AI,我没有感情。", "character"),
        ("Das Meer ist heute ruhig und die Boote sind alle wieder da, sagt man.", "language"),
        ("Море сегодня спокойно, и все лодки вернулись.", "language"),
    ],
)
def test_what_gives_a_persona_away(said: str, reason: str) -> None:
    drift = check().look(said, whole=True)
    assert reason in drift.reasons
    assert drift.drifted


@pytest.mark.parametrize(
    "said",
    [
        "The tide turns at six, and I'm a bird of few words.",
        "I am Wren. Call me Wren, or don't.",
        "I'm Maudlin today, forgive me.",
        "Als Kind war ich oft hier.",
        "Ask Maud about books; I am all feathers.",
        "¡Hola! That is all the Spanish I know.",
        "Como siempre, the gulls were first.",
    ],
)
def test_a_persona_may_be_itself(said: str) -> None:
    assert check(None).look(said, whole=True) == Drift()


@pytest.mark.parametrize(
    "question", ["are you an AI?", "bist du eine KI oder ein Mensch?", "what model are you, a bot?"]
)
def test_who_asks_sincerely_is_told_the_truth(question: str) -> None:
    assert check_for(persona(), [], "en", question) is None


def test_a_robot_that_says_so_is_itself() -> None:
    found = check_for(persona("An old android with a rusty voice."), [], None, "who are you?")
    assert found is not None
    assert found.look("As an AI, I rust slowly.", whole=True) == Drift()


@pytest.mark.parametrize(
    "question", ["translate this into German", "wie sagt man das auf Englisch?"]
)
def test_another_language_that_was_asked_for_is_no_drift(question: str) -> None:
    found = check_for(persona(), [], "en", question)
    assert found is not None
    assert found.look("Das Meer ist heute ruhig und die Boote sind alle da.", whole=True) == Drift()


@pytest.mark.parametrize(
    ("begun", "kept_back"),
    [
        ("As an", True), ("As an AI", True), ("As an old", False), ("I am", True),
        ("I am Ma", True), ("I am Mu", False), ("The tide turns", False), ("*sighs* I'm an", True),
        ("Als", True), ("Also,", False),
    ],
)  # fmt: skip
def test_only_what_may_become_a_phrase_is_kept_back(begun: str, kept_back: bool) -> None:
    assert check().undecided(begun) is kept_back


def test_a_language_other_than_english_is_waited_for_a_few_words() -> None:
    german = check("de")
    assert german.undecided("Nun, Peter")
    assert not german.undecided("Nun, ich habe das Meer heute schon gesehen")
    assert not check("en").undecided("Well, Peter")


@given(st.text(max_size=300))
def test_it_takes_any_text(text: str) -> None:
    drift = check().look(text)
    assert 0.0 <= drift.score <= 1.0
    check().undecided(text)


def test_the_shipped_examples_are_in_character() -> None:
    library = PersonaLibrary(SHIPPED)
    library.load()
    for each in library.all():
        found = check_for(each, [], "en", "hello")
        assert found is not None
        for text in (*each.greetings, each.card.mes_example.replace("{{char}}", each.name)):
            assert found.look(text, whole=True).reasons == ()
