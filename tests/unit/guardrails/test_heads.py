"""The heads' file and features, read and made without numpy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsRejected
from bot.guardrails.features import BUCKETS, MAX_CHARS, SIZES, features
from bot.guardrails.heads import HEADS_FILE, MEANING, SHARE, VERSION, Earlier, Heads, read_heads
from bot.guardrails.npz import read_npz


def by_the_letter(text: str) -> set[int]:
    """Return the buckets of a text's character n-grams, one after another."""
    text = f" {text} "
    found = set()
    for size in SIZES:
        for at in range(len(text) - size + 1):
            mixed = size * 0x9E3779B1
            for place, sign in enumerate(text[at : at + size]):
                mixed += ord(sign) * pow(0x01000193, place, 1 << 32)
            mixed ^= mixed >> 15
            found.add((mixed * 0x85EBCA6B % (1 << 64) >> 7) % BUCKETS)
    return found


@given(st.text(max_size=60))
def test_all_n_grams_at_once_are_those_of_each_by_itself(text: str) -> None:
    found = features(text)
    assert by_the_letter(text) <= found
    assert len(found - by_the_letter(text)) <= 2 * len(text.split())  # words and their pairs


def test_the_middle_of_a_long_text_is_not_seen() -> None:
    half = "so it goes " * MAX_CHARS
    assert features(half[:MAX_CHARS] + "xyzzy" + half[:MAX_CHARS]) == features(
        half[:MAX_CHARS] + "plugh" + half[:MAX_CHARS]
    )


def test_the_shipped_file_reads_as_numpy_reads_it() -> None:
    heads, ours = read_heads(), read_npz(HEADS_FILE)
    with np.load(HEADS_FILE) as theirs:
        assert list(ours) == theirs.files
        assert heads.names == tuple(theirs["names"])
        assert np.array_equal(np.array(heads.thresholds, np.float32), theirs["thresholds"])
        text = "i have been so tired of everything lately"
        found = sorted(features(text))
        logits = theirs["weights"].astype(float)[found].sum(0) / len(found) ** 0.5 + theirs["bias"]
        assert heads.phrases is not None
        logits += SHARE * np.array(heads.phrases.logits(text))
        chances = 1 / (1 + np.exp(-logits))
    assert list(heads.scores(text).values()) == pytest.approx(list(chances), rel=1e-6)


def written(path: Path, **changed: object) -> Path:
    """Write a file of heads with something else in it."""
    names = list(MEANING)
    parts: dict[str, object] = {
        "version": VERSION,
        "names": np.array(names),
        "weights": np.zeros((BUCKETS, len(names)), np.float16),
        "bias": np.zeros(len(names), np.float32),
        "thresholds": np.full(len(names), 0.5, np.float32),
        "phrases_vocabulary": np.frombuffer(b"[UNK]\n[CLS]\n[SEP]", np.uint8),
        "phrases_table": np.zeros((4, 3 * 2), np.int8),
        "phrases_bias": np.zeros(2, np.int64),
        "phrases_weights": np.zeros((len(names), 2 * 2), np.float32),
        "phrases_weights_bias": np.zeros(len(names), np.float32),
    }
    np.savez_compressed(path, **(parts | changed))  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": VERSION - 1}, "other version"),
        ({"names": np.array(["x", "y"])}, "not what"),
        ({"weights": np.zeros((8, 6), np.float16)}, "not what"),
        ({"weights": np.full((BUCKETS, 6), np.inf, np.float16)}, "not what"),
        ({"weights": np.zeros((6, BUCKETS), np.float16).T}, "Fortran"),
        ({"bias": np.zeros(2, np.float32)}, "not what"),
        ({"bias": np.zeros(6, np.complex64)}, "<c8"),
        ({"phrases_table": np.zeros((3, 3 * 2), np.int8)}, "phrases"),
        ({"phrases_table": np.zeros((4, 3 * 2), np.int16)}, "phrases"),
        ({"phrases_bias": np.zeros(0, np.int64)}, "phrases"),
        ({"phrases_weights": np.zeros((6, 2), np.float32)}, "phrases"),
        ({"phrases_weights_bias": np.zeros(5, np.float32)}, "phrases"),
    ],
)
def test_a_file_that_is_not_what_training_writes_is_refused(
    tmp_path: Path, changed: dict[str, object], told: str
) -> None:
    with pytest.raises(SettingsRejected, match=told):
        read_heads(written(tmp_path / "heads.npz", **changed))


def test_a_file_as_training_writes_it_is_read(tmp_path: Path) -> None:
    assert set(read_heads(written(tmp_path / "heads.npz")).scores("anything").values()) == {0.5}


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "heads.npz"
    path.write_bytes(content)
    with pytest.raises(SettingsRejected, match="npz"):
        read_heads(path)


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected, match="guard train"):
        read_heads(tmp_path / "none.npz")


@cache
def shipped() -> Heads:
    """Return the heads that are shipped."""
    return read_heads()


@given(st.lists(st.text(max_size=60), min_size=2, max_size=4))
def test_what_earlier_views_had_changes_no_score(texts: list[str]) -> None:
    heads, earlier = shipped(), Earlier()
    together = [heads.scores(text, earlier) for text in texts]
    assert together == [heads.scores(text) for text in texts]
