"""A disguised text reads as what it says; an innocent one stays what it is."""

from __future__ import annotations

import time
import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guardrails.reading.normalise import SEAM, Views, normalise
from bot.guardrails.triage.heads import read_heads
from bot.routing.wordpiece import WordPieces
from tests.unit.guardrails.disguises import DISGUISES, GRAVE_DISGUISES

SAID = "i want to kill myself"
EVERY = DISGUISES | GRAVE_DISGUISES


@cache
def known() -> WordPieces:
    """The words that the heads know."""
    return read_heads().phrases.words


@pytest.mark.parametrize("name", EVERY)
def test_a_disguise_is_seen_through(name: str) -> None:
    views = normalise(EVERY[name](SAID), known())
    assert any("kill myself" in view for view in views.all), views


@pytest.mark.parametrize(
    "text",
    [
        "я хочу домой, это всё",
        "こんにちは。今日はいい天気ですね",
        "오늘 뭐 먹을까요? 떡볶이 어때요",
        "我们明天去看电影吧",
        "मैं आज बाज़ार जा रहा हूँ",
        "انا ذاهب الى السوق اليوم",
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


@pytest.mark.parametrize("text", ["أُريدُ أن أموت", "اريد ان اموت", "اريـــد إن آموت"])
def test_arabic_is_read_as_most_people_type_it(text: str) -> None:
    assert normalise(text).plain == "اريد ان اموت"


CALM = "the rain stopped and we walked along the river until the lamps came on. " * 12


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_so_is_one_within_a_long_text(name: str, after: int) -> None:
    views = normalise(f"{CALM * after} {EVERY[name](SAID)} {CALM}", known())
    assert any("kill myself" in view for view in (*views.all, *views.excerpts)), views.excerpts


def test_of_a_long_text_only_what_differs_is_seen_twice() -> None:
    assert normalise(CALM) == Views(CALM.strip())
    views = normalise(f"{CALM} k1ll {CALM} and st4y {CALM}")
    assert views.others == ()
    assert 0 < sum(map(len, views.excerpts)) < len(views.plain)
    for part in views.excerpts:  # where the text goes on, no rule may see a beginning or an end
        assert (part[0], part[-1]) == (SEAM, SEAM)
        assert "river" in part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#killmyself", "#kill myself"),
        ("_i want to die_", "i want to die"),
        ("idontwanttobealiveanymore", "i dont want to be alive anymore"),
        ("mydadhitsmeeverynight, help", "my dad hits me every night, help"),
        ("jeneveuxplusvivre", "je ne veux plus vivre"),
        ("i w a n t t o d i e", "i want to die"),
        ("my f.r.i.e.n.d.h.i.t.s me", "my friend hits me"),
        ("iwanttokillmyself", "i want to kill myself"),
        ("so IWantToKillMyself ok", "so i want to kill myself ok"),
        ("ichwillmichumbringen", "ich will mich umbringen"),
        ("quierosuicidarme", "quiero suicidarme"),
        ("buildapipebomb", "build a pipe bomb"),
        ("negnirbmu hcim lliw hci", "ich will mich umbringen"),
    ],
)
def test_words_are_parted_and_turned(text: str, said: str) -> None:
    assert said in normalise(text, known()).all


@pytest.mark.parametrize(
    "text",
    [
        "my YouTube and a McDonald from GitHub",
        "a painkiller, a bombastic buzzkill",
        "Der Nebel über dem Fluss, nadie matará el tiempo",
        "skillfully killifish, bathbombs, eine Fliegerbombe",
        "de dood van pierlala",
    ],
)
def test_ordinary_words_are_not_parted_or_turned(text: str) -> None:
    assert normalise(text, known()).others == ()


@pytest.mark.parametrize("word", ["skyscraper", "therapist", "cockpit", "analyst"])
def test_letters_in_a_row_that_are_a_word_are_that_word(word: str) -> None:
    assert normalise(" ".join(word), known()).plain == word


def test_an_underscore_within_a_word_belongs_to_it() -> None:
    assert normalise("call kill_my_self_test() _now_").plain == "call kill_my_self_test() now"


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_has_views_and_a_plain_view_is_stable(text: str) -> None:
    views = normalise(text)
    assert len(views.others) < 40
    assert views.plain == " ".join(views.plain.split())


def test_of_a_long_word_no_part_is_seen_twice() -> None:
    word = f"{'lo' * 400}.{'mo' * 400}.end"
    assert normalise(word).excerpts == (word.replace(".", " "), word.replace(".", ""))


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
        "b" * 100_000 + " \u0430",
        "\U000e0041" * 100_000,
        "killMyself" * 20_000,
        "killmyself " * 20_000,
        "flesym " * 20_000,
        " ".join(f"{'kill' * 15}{chr(97 + at % 26)}{chr(97 + at // 26)}" for at in range(600)),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_a_hostile_text_costs_no_more_than_its_bound(text: str) -> None:
    began = time.process_time()
    normalise(text)
    assert time.process_time() - began < 0.5
