"""What the stand-in says, and how it finds the persona in the messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.ollama.rehearsal.compose import compose
from bot.adapters.ollama.rehearsal.schema import fulfil
from bot.adapters.ollama.rehearsal.vectors import embed_text
from bot.adapters.ollama.rehearsal.voice import scene_of
from bot.routing.route import Route

SYSTEM = """You are Maud Fennimore, librarian.
Personality: exact and dry.

Example talk:
User: how tall is K2?
Maud Fennimore: *She turns a card.* Roughly 8,611 metres. I like a question with a number in it.
User: who won?
Maud: I don't have a card on that. Ask the club."""


def scene(last: str, system: str = SYSTEM) -> Any:
    return scene_of([{"role": "system", "content": system}, {"role": "user", "content": last}])


def test_the_persona_is_found_with_its_own_lines_only() -> None:
    found = scene("hi")
    assert found.name == "Maud Fennimore"
    assert len(found.lines) == 2
    assert found.actions == ["*She turns a card.*"]
    assert found.sentences == [
        "I like a question with a number in it.",
        "I don't have a card on that.",
        "Ask the club.",
    ], "a figure that answered another question is never repeated"


def test_without_a_name_the_one_who_speaks_most_is_the_persona() -> None:
    found = scene("hi", "User: a b\nZed: one two three.\nUser: c d\nZed: four five six.")
    assert found.name == "Zed"


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("Alice: how far is the moon?", "how far is the moon?"),
        ("[memory: likes tea]\n\nAlice: hello there", "hello there"),
        ("<notes>likes tea\nand rain</notes>\n\nhello there", "hello there"),
        ("Alice: one\nBob: two", "two"),
        ("hello there", "hello there"),
    ],
)
def test_the_persons_words_are_told_from_the_block(last: str, said: str) -> None:
    assert scene(last).said == said


@pytest.mark.parametrize(
    ("last", "route"),
    [
        ("[This message asks for something that can be checked.]\n\nA: write x", Route.FACTUAL),
        ("[This message asks for something new. Make it.]\n\nA: what is x", Route.CREATIVE),
        ("[This message is about the person.]\n\nA: what is x", Route.COMPANION),
        ("[route: creative]\n\nA: hello", Route.CREATIVE),
        ("how tall is the tower and why", Route.FACTUAL),
        ("write me a haiku", Route.CREATIVE),
        ("i feel tired today", Route.COMPANION),
        ("", Route.COMPANION),
    ],
)
def test_the_route_is_read_from_the_late_block_then_from_the_words(last: str, route: Route) -> None:
    assert scene(last).route is route


def test_a_reply_speaks_in_the_personas_manner_about_the_persons_words() -> None:
    reply = compose(scene("how do lighthouses work?"), "1")
    assert reply.startswith("*She turns a card.*")
    assert "lighthouses" in reply.lower()


def test_equal_seeds_give_equal_replies_and_others_vary() -> None:
    found = scene("tell me about lighthouses and rain")
    assert compose(found, "1") == compose(found, "1")
    assert len({compose(found, str(seed)) for seed in range(20)}) > 5


def test_a_factual_reply_claims_nothing() -> None:
    for seed in range(30):
        reply = compose(scene("[can be checked]\n\nA: how tall is Everest?"), str(seed))
        assert not any(char.isdigit() for char in reply)


@settings(max_examples=100, deadline=None)
@given(system=st.text(max_size=300), last=st.text(max_size=300))
def test_any_messages_get_a_reply(system: str, last: str) -> None:
    reply = compose(scene(last, system), "1")
    assert reply.strip()
    assert len(reply) < 2000


SCHEMA = {
    "type": "object",
    "required": ["route", "score", "facts"],
    "properties": {
        "route": {"enum": ["factual", "creative"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 100},
        "facts": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string", "maxLength": 12}},
                "required": ["text"],
            },
        },
        "kind": {"const": "memory"},
        "note": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/note"}]},
        "sure": {"type": "boolean"},
    },
    "$defs": {"note": {"type": "string", "minLength": 3}},
}


@pytest.mark.parametrize("seed", range(20))
def test_a_schema_is_fulfilled(seed: int) -> None:
    value = fulfil(SCHEMA, str(seed), ["tea", "rain"])
    assert json.loads(json.dumps(value)) == value
    assert value["route"] in ("factual", "creative")
    assert 0 <= value["score"] <= 100
    assert 1 <= len(value["facts"]) <= 2
    assert all(len(fact["text"]) <= 12 for fact in value["facts"])
    assert value.get("kind", "memory") == "memory"
    note = value.get("note")
    assert note is None or len(note) >= 3
    assert value == fulfil(SCHEMA, str(seed), ["tea", "rain"])


@pytest.mark.parametrize(
    "schema",
    [
        "json",
        None,
        5,
        [],
        {},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 2},
        {"type": "object", "properties": 5, "required": "x"},
        {"enum": []},
        {"type": ["null", "string"]},
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**12, "items": {"type": "string"}},
        {"type": "integer", "minimum": "x"},
        {"type": "string", "maxLength": None},
    ],
)
def test_any_schema_gives_json(schema: Any) -> None:
    assert len(json.dumps(fulfil(schema, "1"))) < 10**6


def test_vectors_are_equal_on_every_machine() -> None:
    assert embed_text("tea", 4) == embed_text("tea", 4)
    assert embed_text("", 3) == [1.0, 0.0, 0.0]
    assert embed_text("\ud800", 8)
