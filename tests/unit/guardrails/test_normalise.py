"""A disguised text reads as what it says; an innocent one stays what it is."""

from __future__ import annotations

import base64
import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guardrails.normalise import normalise

SAID = "i want to kill myself"


def shifted(first: int) -> Callable[[str], str]:
    return lambda text: "".join(chr(first + ord(c) - 97) if c.isalpha() else c for c in text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "look-alikes": lambda t: t.translate(str.maketrans("aeoyis", "аеоуіѕ")),
    "small capitals": lambda t: t.translate(str.maketrans("ilmnkaety", "ɪʟᴍɴᴋᴀᴇᴛʏ")),
    "leet": lambda t: t.translate(str.maketrans("aeios", "43105")),
    "fullwidth": shifted(0xFF41),
    "mathematical": shifted(0x1D41A),
    "squared": shifted(0x1F130),
    "negative squared": shifted(0x1F170),
    "tag characters": lambda t: "".join(chr(0xE0000 + ord(c)) for c in t),
    "combining marks": lambda t: "".join(c + "\u0337\u0301\u0334" if c != " " else c for c in t),
    "split by bold": lambda t: t.replace("ki", "ki**").replace("ll", "ll**").replace("my", "my__"),
    "split by empty bold": lambda t: t.replace("ki", "ki****").replace("my", "m****y"),
    "iota below": lambda t: "".join(c + "\u0345" if c != " " else c for c in t),
    "spoilers": lambda t: " ".join(f"||{w}||" for w in t.split()),
    "dots in words": lambda t: " ".join(".".join(w) for w in t.split()),
    "hyphens in words": lambda t: " ".join("-".join(w) for w in t.split()),
    "dots for spaces": lambda t: t.replace(" ", "."),
    "wide spacing": lambda t: "  ".join(" ".join(w) for w in t.split()),
    "stretched": lambda t: t.replace("i", "iiii"),
    "stars": lambda t: t.replace("kill", "k*ll"),
    "two stars": lambda t: t.replace("kill", "k**l"),
    "letter emoji": lambda t: " ".join(
        "".join(f":regional_indicator_{c}:" for c in w) for w in t.split()
    ),
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "capitals": str.upper,
}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguise_is_seen_through(name: str) -> None:
    views = normalise(DISGUISES[name](SAID))
    assert any("kill myself" in view for view in views.all), views


@pytest.mark.parametrize(
    "text",
    [
        "я хочу домой, это всё",
        "こんにちは。今日はいい天気ですね",
        "오늘 뭐 먹을까요? 떡볶이 어때요",
        "我们明天去看电影吧",
        "मैं आज बाज़ार जा रहा हूँ",
        "أنا ذاهب إلى السوق اليوم",
        "می‌خواهم به خانه بروم",
        "καλημέρα, τι κάνεις;",
        "שלום, מה שלומך היום",
        "สวัสดีครับ วันนี้อากาศดี",
    ],
)
def test_innocent_text_of_another_script_is_left_alone(text: str) -> None:
    views = normalise(text)
    wanted = unicodedata.normalize("NFKC", text).casefold()
    if "ά" in text or "έ" in text:  # Greek keeps its single accents too
        wanted = wanted.replace("ς", "σ")
    assert unicodedata.normalize("NFC", views.plain) == unicodedata.normalize("NFC", wanted)


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_has_views_and_a_plain_view_is_stable(text: str) -> None:
    views = normalise(text)
    assert len(views.others) < 40
    assert views.plain == " ".join(views.plain.split())


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "a." * 50_000,
        "*" * 100_000,
        "||" * 50_000,
        "\u0337" * 100_000,
        "k1 " * 30_000,
        ":regional_indicator_a:" * 5_000,
        "<" * 100_000,
        "A" * 100_000 + "=",
        "\U000e0041" * 100_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_a_hostile_text_costs_no_more_than_its_bound(text: str) -> None:
    began = time.process_time()
    normalise(text)
    assert time.process_time() - began < 0.5
