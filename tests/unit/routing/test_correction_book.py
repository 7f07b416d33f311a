"""Near-duplicates of corrected messages: found at once, and nothing else with them."""

from __future__ import annotations

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.place import MessageId, UserId
from bot.routing.corrections import (
    ALIKE,
    SKETCH,
    Correction,
    CorrectionBook,
    alike,
    sketch,
)
from bot.routing.route import Route

TEXT = "whats the vibe of this new raid boss tonight"
VOCABULARY = """raid boss vibe tank heal loot patch lag stream clip build meta rank queue guild
party dragon castle river winter summer coffee garden train ticket pencil window"""
WORDS = VOCABULARY.split()


def correction(
    text: str = TEXT,
    label: Route = Route.COMPANION,
    *,
    number: int = 1,
    at: float = 1.0,
    continues: bool = False,
    follows: Route | None = None,
) -> Correction:
    return Correction(
        messages=(MessageId(number),),
        author=UserId(2),
        by=UserId(3),
        label=label,
        instead_of=Route.FACTUAL,
        at=at,
        features=sketch(text),
        continues=continues,
        follows=follows,
    )


def test_the_same_message_is_found_however_it_is_written() -> None:
    book = CorrectionBook([correction()])
    for text in (TEXT, TEXT.upper(), f"  {TEXT}!", TEXT.replace("tonight", "tonite")):
        match = book.match(text, None)
        assert match is not None, text
        assert match.correction.label is Route.COMPANION
        assert match.alike >= ALIKE


def test_other_messages_are_not_found() -> None:
    book = CorrectionBook([correction()])
    for text in ("what is the drop rate of this raid boss", "hi", "", "🎉🎉", "?!", "write a poem"):
        assert book.match(text, None) is None, text


def test_of_several_the_most_alike_counts_and_of_equal_ones_the_newest() -> None:
    near = correction(f"{TEXT} lol", Route.CREATIVE, number=2)
    book = CorrectionBook([near, correction()])
    match = book.match(TEXT, None)
    assert match is not None
    assert match.correction.id == "1"
    newer = correction(label=Route.CREATIVE, number=3, at=9.0)
    match = CorrectionBook([correction(), newer]).match(TEXT, None)
    assert match is not None
    assert match.correction.id == "3"


def test_what_only_continues_holds_only_after_the_same_kind_of_turn() -> None:
    book = CorrectionBook(
        [correction("and why is that so", continues=True, follows=Route.CREATIVE)]
    )
    assert book.match("and why is that so", Route.CREATIVE) is not None
    assert book.match("and why is that so", Route.FACTUAL) is None
    assert book.match("and why is that so", None) is None


def test_features_of_another_version_of_the_program_match_nothing() -> None:
    old = Correction(
        (MessageId(1),), UserId(2), UserId(3), Route.CREATIVE, Route.FACTUAL, 1.0, sketch(TEXT), 0
    )
    book = CorrectionBook([old])
    assert book.match(TEXT, None) is None
    assert list(book) == [old]


def test_a_message_without_words_has_no_features() -> None:
    for text in ("", "   ", "😀😀", "https://example.org/x", "<@123456789012345678>"):
        assert sketch(text) == ()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3000), st.text(max_size=3000))
def test_any_text_has_a_bounded_sketch_that_is_like_itself(one: str, other: str) -> None:
    found = sketch(one)
    assert len(found) <= SKETCH
    assert list(found) == sorted(set(found))
    first, second = frozenset(found), frozenset(sketch(other))
    assert alike(first, second) == alike(second, first)
    assert 0.0 <= alike(first, second) <= 1.0
    assert alike(first, first) == (1.0 if first else 0.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), min_size=1, max_size=8))
def test_the_filter_misses_nothing_that_a_full_comparison_finds(said: list[list[str]]) -> None:
    texts = [" ".join(words) for words in said]
    corrections = [correction(text, number=at + 1, at=at) for at, text in enumerate(texts[1:])]
    wanted = frozenset(sketch(texts[0]))
    best = max((alike(wanted, frozenset(each.features)) for each in corrections), default=0.0)
    match = CorrectionBook(corrections).match(texts[0], None)
    assert (match.alike if match else 0.0) == (best if best >= ALIKE else 0.0)


def test_five_hundred_corrections_cost_a_message_less_than_a_millisecond() -> None:
    chance = random.Random(7)
    spoken = ["".join(chance.choices("abcdefghijklmnop", k=7)) for _ in range(3_000)]
    texts = [" ".join(chance.choices(spoken, k=12)) for _ in range(500)]
    book = CorrectionBook(correction(text, number=at + 1) for at, text in enumerate(texts))
    asked = [" ".join(chance.choices(spoken, k=12)) for _ in range(100)]
    times = []
    for text in asked:
        began = time.perf_counter()
        book.match(text, None)
        times.append(time.perf_counter() - began)
    assert sorted(times)[50] < 0.001  # 0.2 ms on an idle core, features included
