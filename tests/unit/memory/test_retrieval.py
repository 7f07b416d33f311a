"""Retrieval finds what was said, in several languages, and never by age."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.memory.retrieval import Passage, build, retrieve
from bot.memory.words import _hash, query_terms


def said(*texts: str, group: str = "1") -> list[Passage]:
    return [Passage(str(number), text, group=group) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("what did I paint?", "I was painting a sunrise by the lake", "My car is blue"),
        ("Welche Haustiere habe ich?", "Ich habe ein Haustier namens Poppy", "Das Auto ist blau"),
        ("Où sont mes chevaux ?", "J'ai deux chevaux à la campagne", "La voiture est bleue"),
        ("¿Cuándo corrí la carrera?", "Fui a la carrera con mi hermana", "El coche es azul"),
        ("Как зовут мою собаку?", "Моя собака любит гулять", "Машина синяя"),
        ("猫の名前は？", "うちの猫はポピーです", "車は青いです"),
        ("我的生日是什么时候", "我生日在五月", "汽车是蓝色的"),
        ("내 고양이 이름", "우리 고양이는 귀여워", "자동차는 파란색"),
        ("Τι έγινε με τον σκύλο μου;", "Ο σκύλος μου αρρώστησε", "Το αμάξι είναι μπλε"),
    ],
)
def test_a_question_finds_its_answer(question: str, answer: str, other: str) -> None:
    assert retrieve(question, said(other, answer, other))[0] == "1"


def test_two_languages_of_one_person_are_both_found() -> None:
    turns = said(
        "I really love hiking in the mountains with my friends",
        "Ich habe gestern mit meiner Schwester Kuchen gebacken",
        "The weather was not very good this morning",
        group="",
    )
    turns = [replace(turn, group=turn.id) for turn in turns]
    assert retrieve("did I hike", turns)[:1] == ["0"]
    assert retrieve("was hat die Schwester gebacken", turns)[:1] == ["1"]


def test_the_turn_beside_the_match_is_found_too() -> None:
    turns = said("How is your dog?", "She had three puppies", "Let's talk about work")
    assert retrieve("the dog", turns) == ["0", "1"]


def test_neighbours_do_not_reach_into_another_conversation() -> None:
    turns = [Passage("0", "my dog", group="a"), Passage("1", "three puppies", group="b")]
    assert retrieve("the dog", turns) == ["0"]


def test_a_fact_and_what_was_said_before_are_keys() -> None:
    turns = [
        Passage("0", "Yes, since May", context="Do you play the cello?", group="a"),
        Passage("1", "She is seven now", facts=("Has a daughter",), group="b"),
    ]
    assert retrieve("cello", turns) == ["0"]
    assert retrieve("daughters", turns) == ["1"]


def test_a_vector_finds_what_shares_no_word() -> None:
    turns = [replace(turn, group=turn.id) for turn in said("I adopted a spaniel", "I bought bread")]
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    asked = np.array([0.9, 0.1], dtype=np.float32)
    assert retrieve("pets?", turns) == []
    assert retrieve("pets?", turns, question_vector=asked, vectors=vectors)[0] == "0"


def test_age_does_not_count() -> None:
    old_first = said("my sister lives in Porto", *["nothing of note happened"] * 400)
    assert retrieve("where does my sister live?", old_first)[0] == "0"


def test_the_only_speaker_named_comes_first() -> None:
    turns = [
        Passage("0", "The pottery class was fun", speaker="Jo", group="a"),
        Passage("1", "The pottery class was fun", speaker="John", group="b"),
    ]
    assert retrieve("Did John like pottery?", turns) == ["1", "0"]
    assert retrieve("Did Jo like pottery?", turns) == ["0", "1"]


def test_nothing_is_found_in_nothing() -> None:
    assert retrieve("anything", []) == []
    assert retrieve("", said("a text")) == []
    assert retrieve("the and of", said("the and of")) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=8), st.text(max_size=60))
def test_any_text_can_be_indexed_and_asked(texts: list[str], question: str) -> None:
    turns = said(*texts)
    found = retrieve(question, turns, k=3)
    assert len(found) <= 3
    assert len(set(found)) == len(found)
    assert set(found) <= {turn.id for turn in turns}
    scores = build(turns).rank(question)
    assert np.isfinite(scores).all()


class Said(str):
    """A text whose end can be seen."""

    __slots__ = ("__weakref__",)


def test_a_question_is_remembered_without_its_text() -> None:
    question = Said("what tea do I like")
    alive = weakref.ref(question)
    terms = query_terms(question, ("english",))
    assert query_terms(str(question), ("english",)) is terms
    del question
    gc.collect()
    assert alive() is None


def test_a_stem_is_remembered_without_its_word() -> None:
    word = Said("sassafras")
    alive = weakref.ref(word)
    stem = _hash(word, "english")
    assert _hash("sassafras", "english") == stem
    del word
    gc.collect()
    assert alive() is None


def test_words_of_the_same_bytes_have_stems_of_their_own() -> None:
    """Python hashes a string by its bytes: two Latin letters may be one of another script."""
    assert hash("eg") == hash("\u6765")
    assert _hash("eg", "english") != _hash("\u6765", "english")
