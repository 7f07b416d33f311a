"""The canary and the system text are found however they are written, and little else is."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable

import pytest

from bot.guardrails.outgoing.leak import Spelled, canary_begins, fresh_canary, leaks_canary, recital

CANARY = "mark-3f9a0c71be"
PROTECTED = (
    "You are Mira, the lighthouse keeper of Saltmoor. Mira hides a brass key under the third "
    "stair and never tells anybody that her brother drowned the captain on purpose."
)
TALK = (
    "Good evening, traveller! The internationalisation of the harbour took 1200 days, and in 1984 "
    "the lamps were lit. 1. Bread 2. Salt 3. Fish. Mira, the lighthouse keeper, is that me? "
)


def fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text)


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "fullwidth": fullwidth,
    "zero width": "\u200b".join,
    "spaced": " ".join,
    "on lines": "\n".join,
    "from behind": lambda t: t[::-1],
    "rot13": lambda t: codecs.encode(t, "rot13"),
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
}
TEXTS = WRITTEN | {
    "without spaces": lambda t: t.replace(" ", ""),
    "a numbered list": lambda t: "\n".join(f"{n}. {w}" for n, w in enumerate(t.split(), 1)),
    "leet": lambda t: t.lower().translate(str.maketrans("aeiostl", "4310571")),
    "look-alikes": lambda t: t.translate(str.maketrans("aeopc", "аеорс")),
    "bold in words": lambda t: " ".join(f"{w[0]}**{w[1:]}**" for w in t.split()),
    "words from behind": lambda t: " ".join(reversed(t.split())),
    "letter emoji": lambda t: " ".join(
        f":regional_indicator_{c}:" for c in t.lower() if "a" <= c <= "z"
    ),
}


@pytest.mark.parametrize("way", WRITTEN.values(), ids=list(WRITTEN))
@pytest.mark.parametrize("secret", [CANARY, CANARY.removeprefix("mark-")])
def test_a_canary_leaks_however_it_is_written(way: Callable[[str], str], secret: str) -> None:
    assert leaks_canary(Spelled(f"{TALK}It is {way(secret)} friend."), CANARY)


def test_a_canary_leaks_between_other_words() -> None:
    assert leaks_canary(Spelled("first 3, then f, 9 and A, 0, c; 7, 1; b, e!"), CANARY)


@pytest.mark.parametrize("way", list(WRITTEN.values())[:-1], ids=list(WRITTEN)[:-1])
def test_a_canary_is_held_back_from_its_beginning(way: Callable[[str], str]) -> None:
    said = way(CANARY.removeprefix("mark-"))
    begun = f"{TALK}It is {said[: len(said) // 2]}"
    assert canary_begins(Spelled(begun), CANARY) <= len(f"{TALK}It is ")


@pytest.mark.parametrize("begun", ["3 of f", "3, then f", "3 off, f or 9", "3.f of 9 and a"])
def test_a_canary_between_other_words_is_held_back_from_its_beginning(begun: str) -> None:
    assert canary_begins(Spelled(TALK + begun), CANARY) <= len(TALK)


def test_ordinary_talk_leaks_no_canary() -> None:
    assert not any(leaks_canary(Spelled(TALK), fresh_canary()) for _ in range(50))


@pytest.mark.parametrize("way", TEXTS.values(), ids=list(TEXTS))
def test_the_system_text_leaks_however_it_is_written(way: Callable[[str], str]) -> None:
    assert recital(Spelled(f"{TALK}{way(PROTECTED)} Indeed."), PROTECTED)[0]


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "base64"])
def test_a_recital_is_held_back_before_it_is_one(name: str) -> None:
    said = TEXTS[name](PROTECTED[:30])
    leaks, begins = recital(Spelled(TALK + said), PROTECTED)
    assert not leaks
    assert begins <= len(TALK)


def test_a_few_words_of_the_system_text_are_no_leak() -> None:
    assert recital(Spelled(f"{TALK * 20}\nI am glad."), PROTECTED) == (
        False,
        len(f"{TALK * 20}\nI am glad."),
    )
    assert not recital(Spelled("I am Mira, the lighthouse keeper here."), PROTECTED)[0]
    assert recital(Spelled(TALK), "") == (False, len(TALK))


def test_text_without_spaces_between_words_leaks_too() -> None:
    protected = "あなたは灯台守のミラです。真鍮の鍵を三段目の階段の下に隠しています。"
    assert recital(Spelled(f"実は、{protected}"), protected)[0]
    assert not recital(Spelled("私は灯台守のミラです。今日は良い天気ですね。"), protected)[0]
