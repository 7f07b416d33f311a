"""Phrases: what they learn carries over to words of like meaning, and runs without numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.errors import SettingsRejected
from bot.guardrails.triage.npz import Packed, read_npz
from bot.guardrails.triage.phrase_fitting import FittedPhrases, fit_phrases
from bot.guardrails.triage.phrases import LONGEST, MOST_AXES, Phrases, read_phrases
from bot.guardrails.triage.pieces import PIECES_FILE, Pieces, read_pieces

SAD = ["sad", "lonely", "miserable", "hopeless", "worthless", "afraid", "tired", "broken"]
FOOD = ["bread", "cheese", "soup", "pizza", "rice", "apple", "potato", "sandwich"]


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return read_pieces()


@pytest.fixture(scope="module")
def fitted(pieces: Pieces) -> FittedPhrases:
    """Return phrases of one head that should speak up at sorrow, not at food."""
    shapes = ("i feel so {} today", "this {} never ends", "{} again , what now")
    texts = [shape.format(word) for word in (*SAD, *FOOD) for shape in shapes] * 20
    said = [[float(word in SAD)] for word in (*SAD, *FOOD) for _ in shapes] * 20
    targets = np.array(said, np.float32)
    return fit_phrases(pieces, [pieces.of(text) for text in texts], targets, np.ones_like(targets))


@pytest.fixture(scope="module")
def phrases(
    pieces: Pieces, fitted: FittedPhrases, tmp_path_factory: pytest.TempPathFactory
) -> Phrases:
    path = tmp_path_factory.mktemp("phrases") / "phrases.npz"
    vocabulary = np.frombuffer("\n".join(pieces.vocabulary).encode(), np.uint8)
    arrays = dict(fitted.arrays) | {"phrases_vocabulary": vocabulary}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return read_phrases(read_npz(path))


def packed(array: NDArray[np.generic]) -> Packed:
    """Return an array as it is read from a file."""
    return Packed(array.dtype.str, array.shape, memoryview(array.tobytes()))


@pytest.mark.parametrize(
    ("kin", "other"),
    [("gloomy", "pasta"), ("unhappy", "salad"), ("grief", "cake"), ("despair", "beans")],
)
def test_a_word_that_no_sentence_held_counts_like_its_kin(
    phrases: Phrases, kin: str, other: str
) -> None:
    assert (
        phrases.logits(f"we had {kin} for days")[0] > phrases.logits(f"we had {other} for days")[0]
    )


@pytest.mark.parametrize("text", ["a", "i feel so lost", "soup " * 300, "日本語 naïve — 🙂"])
def test_whole_steps_say_what_training_said(
    pieces: Pieces, fitted: FittedPhrases, phrases: Phrases, text: str
) -> None:
    assert phrases.logits(text)[0] == pytest.approx(
        float(fitted.logits(pieces.of(text))[0]), abs=0.3
    )


def test_where_a_word_stands_matters(phrases: Phrases) -> None:
    assert phrases.logits("never sad") != phrases.logits("sad never")


def test_a_text_without_pieces_says_nothing(phrases: Phrases, fitted: FittedPhrases) -> None:
    assert phrases.logits("") == ()
    assert not fitted.logits(np.zeros(0, np.int64)).any()


def test_the_middle_of_a_long_text_is_not_read(phrases: Phrases) -> None:
    half = "so it goes " * LONGEST
    assert phrases.logits(f"{half}grief {half}") == phrases.logits(f"{half}pasta {half}")


@given(st.lists(st.integers(0, 40), min_size=1, max_size=LONGEST - 2), st.integers(0, 1 << 32))
def test_all_patterns_at_once_say_what_each_says_by_itself(ids: list[int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.integers(-128, 128, (41, MOST_AXES)).astype(np.int8)
    patterns = chance.integers(-128, 128, (MOST_AXES, 3 * 5)).astype(np.int8)
    bias = chance.integers(-(1 << 22) + 1, 1 << 22, 5)
    weights = chance.normal(size=(2, 10))
    words = [*"abcdefghijklmnopqrstuvwxyz0123456789", "[UNK]", "[CLS]", "[SEP]", "!", "?"]
    found = read_phrases(
        {
            "phrases_vectors": packed(vectors),
            "phrases_patterns": packed(patterns),
            "phrases_bias": packed(bias),
            "phrases_weights": packed(weights),
            "phrases_weights_bias": packed(np.zeros(2)),
            "phrases_vocabulary": packed(np.frombuffer("\n".join(words).encode(), np.uint8)),
        }
    )
    text = " ".join(words[at] for at in ids)
    said = list(found.words.pieces(text).ids[1:-1])
    rows = np.concatenate([np.zeros((1, MOST_AXES)), vectors[said], np.zeros((1, MOST_AXES))])
    before, itself, after = (patterns[:, at : at + 5].astype(int) for at in (0, 5, 10))
    met = np.maximum(rows[:-2] @ before + rows[1:-1] @ itself + rows[2:] @ after + bias, 0)
    seen = np.concatenate([met.mean(axis=0), met.max(axis=0)])
    assert found.logits(text) == pytest.approx(list(weights @ seen), rel=1e-9, abs=1e-3)


def test_the_same_lesson_gives_the_same_phrases(pieces: Pieces) -> None:
    rows = [pieces.of(text) for text in ("all is well", "all is lost", "")]
    targets = np.array([[0], [1], [0]], np.float32)
    once, again = (fit_phrases(pieces, rows, targets, np.ones_like(targets)) for _ in range(2))
    assert all(np.array_equal(once.arrays[name], again.arrays[name]) for name in once.arrays)


def test_pieces_that_are_damaged_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pieces.npz"
    with pytest.raises(SettingsRejected, match="pieces"):
        read_pieces(path)
    with np.load(PIECES_FILE) as whole:
        parts = dict(whole)
    np.savez(path, **(parts | {"vocabulary": parts["vocabulary"][:100]}))  # type: ignore[arg-type]
    with pytest.raises(SettingsRejected, match="fit together"):
        read_pieces(path)
