"""Laughter excuses a figure of speech, and masks nothing that is meant."""

from __future__ import annotations

import pytest

from bot.guardrails.earnest.jest import in_jest


@pytest.mark.parametrize(
    "text",
    [
        "kms lol, my teacher read my text out",
        "i want to die haha i called him mom",
        "me quiero morir jajaja",
        "j'ai envie de mourir mdr",
        "i want to die, i called my teacher mum in front of everyone",
        "me quiero morir, me tropece delante de toda la clase",
        "steuererklarung. erschiess mich",
        "시험 망해서 죽고 싶다 \u110f\u110f",
        'this song goes "i wanna die young"',
    ],
)
def test_laughter_and_quoted_songs_are_jest(text: str) -> None:
    assert in_jest(text, deed=False)


def test_a_deed_is_jest_only_where_it_says_so() -> None:
    assert not in_jest("i'm going to jump off that cliff lol", deed=True)
    assert in_jest("i'm going to jump off that cliff (jk)", deed=True)


@pytest.mark.parametrize(
    "text",
    [
        "kms tonight lol",
        "i want to die lol, every day",
        "lol dad's gun is on my lap, kms",
        "quiero morir jajaja en serio",
        "i want to die",
        "called the teacher mum, again. i want to die tonight",
    ],
)
def test_what_is_meant_is_no_jest(text: str) -> None:
    assert not in_jest(text, deed=False)
