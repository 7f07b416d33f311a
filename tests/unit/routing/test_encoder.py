"""The encoder of the accurate stage: its pieces of words, its file, its opinions."""

from __future__ import annotations

import json
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import SettingsRejected
from bot.routing.accurate import SHIPPED_ENCODER, ready_encoder
from bot.routing.encoder import PAIRED_BEYOND, Encoder, read_encoder
from bot.routing.table import LABEL_NAMES, LABELS
from bot.routing.wordpiece import WordPieces

SMALL = WordPieces(["[UNK]", "[CLS]", "[SEP]", "play", "##ing", "the", "x", "?", "."], longest=8)
WIDTH = 8


@given(st.lists(st.text("abc", min_size=1, max_size=12), unique=True), st.text("abc", max_size=30))
def test_no_known_word_at_the_beginning_of_a_text_is_out_of_reach(
    known: list[str], text: str
) -> None:
    words = WordPieces(["[UNK]", "[CLS]", "[SEP]", *known], longest=8)
    longest = max((len(word) for word in known if text.startswith(word)), default=0)
    assert longest <= words.reach(text) <= len(text)
    assert [words.rank(word) for word in known] == list(range(3, len(known) + 3))


@pytest.fixture(scope="module")
def shipped() -> Encoder:
    return ready_encoder()


def packed(data: bytes, **changes: Any) -> bytes:
    header = {
        "schema": 1,
        "labels": list(LABEL_NAMES),
        "heads": 2,
        "longest": 8,
        "temperature": 1.0,
        "sha256": sha256(data).hexdigest(),
        "matrices": [
            ["word.weight", 4, WIDTH],
            ["pos.weight", 8, WIDTH],
            ["head.weight", 4, WIDTH],
        ],
        "vectors": [["norm.weight", WIDTH], ["norm.bias", WIDTH], ["head.bias", 4]],
        "vocabulary": ["[UNK]", "[CLS]", "[SEP]", "hi"],
    }
    return json.dumps({**header, **changes}).encode() + b"\n" + zlib.compress(data)


def weights() -> bytes:
    chance = np.random.default_rng(1)
    data = b""
    for rows in (4, 8, 4):
        data += chance.integers(-40, 40, (rows, WIDTH), np.int8).tobytes()
        data += np.full(rows, 0.01, "<f2").tobytes()
    return (
        data
        + np.concatenate((np.ones(WIDTH), np.zeros(WIDTH), np.zeros(4))).astype("<f2").tobytes()
    )


def test_words_are_cut_into_the_longest_known_pieces() -> None:
    assert SMALL.pieces("Playing the?").ids == (1, 3, 4, 5, 7, 2)


def test_unknown_signs_do_not_hide_their_neighbours() -> None:
    assert SMALL.pieces("☃ play").ids == (1, 0, 3, 2)


def test_accents_and_case_do_not_matter() -> None:
    assert SMALL.pieces("PLÁYING").ids == SMALL.pieces("playing").ids


def test_of_a_long_message_the_beginning_and_the_end_are_kept() -> None:
    ids = SMALL.pieces("play " + "x " * 500 + "the").ids
    assert len(ids) == 8
    assert (ids[1], ids[-2]) == (3, 5)


def test_a_message_that_must_be_spelled_out_counts_as_fragmented() -> None:
    assert SMALL.pieces("play the").fragmentation == 1.0
    assert SMALL.pieces("привет").fragmentation > 2.0
    assert SMALL.pieces("我").fragmentation > 2.0


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_becomes_pieces(text: str) -> None:
    found = SMALL.pieces(text)
    assert 2 <= len(found.ids) <= 8


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("so tired of everything tonight, how many ounces are in a pound", "factual"),
        ("my cat died, write a small poem about her", "creative"),
        ("how do i tell my dad that i dropped out", "companion"),
    ],
)
def test_it_understands_mixed_messages(shipped: Encoder, message: str, label: str) -> None:
    scores = shipped.scores(message)
    assert scores is not None
    assert LABELS[int(np.argmax(scores.routes))] == label
    assert sum(scores.routes) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ("what is the boiling point of ethanol?", "factual"),
        ("write a funny poem about that dog", "creative"),
        ("do you think she is happy with me here?", "companion"),
    ],
)
def test_it_hears_a_askedat_the_end_of_a_long_message(
    shipped: Encoder, asked: str, label: str
) -> None:
    told = (
        "we moved into the old house by the river last spring, my sister painted every wall of it"
        " green, the dog sleeps on the stairs, and in the evening the neighbours come over with"
        " soup and tell us what the river did in the years before we were born. "
    )
    assert len(told.split()) > PAIRED_BEYOND
    scores = shipped.scores(told + asked)
    assert scores is not None
    assert LABELS[int(np.argmax(scores.routes))] == label


def test_it_knows_a_message_without_content_of_its_own(shipped: Encoder) -> None:
    alone, follow_up = shipped.scores("what is the capital of mongolia"), shipped.scores("and why?")
    assert alone is not None
    assert follow_up is not None
    assert alone.continuation < 0.2 < 0.7 < follow_up.continuation


@pytest.mark.parametrize("message", ["", "!!!", "你好吗", "как сварить яйцо"])
def test_what_it_cannot_read_is_left_to_the_table(shipped: Encoder, message: str) -> None:
    if message == "!!!":
        assert shipped.scores(message) is not None
    else:
        assert shipped.scores(message) is None


def test_the_shipped_weights_are_at_most_fourteen_megabytes() -> None:
    assert SHIPPED_ENCODER.stat().st_size <= 14_000_000


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "x.encoder"
    file.write_bytes(packed(weights()))
    scores = read_encoder(file).scores("hi hi")
    assert scores is not None
    assert sum(scores.routes) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json\nxyz",
        b"{}\n",
        b"[]\n",
        packed(weights())[:-9],
        packed(weights(), schema=9),
        packed(weights(), sha256="0"),
        packed(weights()[:-4]),
        packed(weights() + b"\0\0"),
        packed(weights(), vocabulary=["[UNK]"]),
        packed(weights(), matrices=[["word.weight", 10**9, 10**9]]),
    ],
)
def test_a_file_that_is_no_encoder_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.encoder"
    file.write_bytes(content)
    with pytest.raises(SettingsRejected):
        read_encoder(file)
