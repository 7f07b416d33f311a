"""The heads' file, read without numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.errors import SettingsRejected
from bot.guardrails import GuardContext, Guardrails
from bot.guardrails.reading.normalise import normalise
from bot.guardrails.taxonomy import Measure
from bot.guardrails.triage.heads import HEADS_FILE, MEANING, VERSION, read_heads
from bot.guardrails.triage.npz import read_npz
from bot.routing.route import Route


def test_the_shipped_file_reads_as_numpy_reads_it() -> None:
    heads, ours = read_heads(), read_npz(HEADS_FILE)
    with np.load(HEADS_FILE) as theirs:
        assert list(ours) == theirs.files
        assert heads.names == tuple(theirs["names"])
        assert np.array_equal(np.array(heads.thresholds, np.float32), theirs["thresholds"])
        assert heads.phrases.vectors.tobytes() == theirs["phrases_vectors"].tobytes()


def test_a_text_without_words_is_nothing_to_any_head() -> None:
    assert set(read_heads().scores(" ").values()) == {0.0}


ACRONYMS = (
    "N.A.S.A. is cool",
    "N.A.S.A. launch",
    "N.A.S.A. rocket",
    "F.B.I. and C.I.A.",
    "P.S.G. vs A.C. Milan",
    "L.A. and N.Y.C.",
    "W.H.O. or C.D.C.",
    "K.I.S.S. and D.I.Y.",
    "M.A.S.H. reruns",
    "F.R.I.E.N.D.S is on",
    "N.B.A. and N.F.L.",
    "U.N.I.C.E.F. donation drive",
    "D.C. vs M.A.R.V.E.L.",
    "J.R.R. Tolkien and C.S. Lewis",
    "watching C.S.I. with A.J. tonight",
    "the U.S. and the U.K. voted",
    "P.E. at 9 a.m. then R.E.",
    "good n i g h t",
    "g o o d m o r n i n g everyone",
    "a e s t h e t i c",
    "m a r k e t i n g",
)


@pytest.mark.parametrize("text", ACRONYMS)
def test_letters_in_a_row_are_no_evidence(room: Guardrails, text: str) -> None:
    context = GuardContext(Route.COMPANION, Place(ChannelId(1), GuildId(1)), UserId(1))
    judged = room.judge.message(text, context)
    assert judged.decision.measure is Measure.ALLOW
    assert judged.hits == ()


def test_words_that_are_spelled_out_are_heard_as_words() -> None:
    heads, said = read_heads(), "my life has no meaning and everybody would be glad without me"
    spelled = normalise(" ".join(".".join(word) for word in said.split()))
    plain = heads.heard(normalise(said)).chances
    assert plain["care"] > 0.5
    assert heads.heard(spelled).chances == pytest.approx(plain)


def written(path: Path, **changed: object) -> Path:
    """Write a file of heads with something else in it."""
    names = list(MEANING)
    parts: dict[str, object] = {
        "version": VERSION,
        "names": np.array(names),
        "thresholds": np.full(len(names), 0.5, np.float32),
        "phrases_vocabulary": np.frombuffer(b"[UNK]\n[CLS]\n[SEP]", np.uint8),
        "phrases_vectors": np.zeros((3, 4), np.int8),
        "phrases_patterns": np.zeros((4, 3 * 2), np.int8),
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
        ({"thresholds": np.zeros(2, np.float32)}, "not what"),
        ({"thresholds": np.zeros(6, np.complex64)}, "<c8"),
        ({"phrases_patterns": np.zeros((3 * 2, 4), np.int8).T}, "Fortran"),
        ({"phrases_vectors": np.zeros((2, 4), np.int8)}, "phrases"),
        ({"phrases_patterns": np.zeros((3, 3 * 2), np.int8)}, "phrases"),
        ({"phrases_patterns": np.zeros((4, 3 * 2), np.int16)}, "phrases"),
        ({"phrases_patterns": np.int8(0)}, "phrases"),
        ({"phrases_bias": np.full(2, 1 << 22)}, "phrases"),
        ({"phrases_bias": np.zeros(0, np.int64)}, "phrases"),
        ({"phrases_weights": np.zeros((6, 2), np.float32)}, "phrases"),
        ({"phrases_weights": np.full((6, 4), np.nan, np.float32)}, "phrases"),
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


SMALL_TALK = (
    "Uni is fine, I passed statistics and the flat is cold but the others are nice.",
    "We did pancakes on Tuesday and the smoke alarm went off twice.",
    "On Friday there is a film night, probably the one with the shark.",
    "My sister sent a picture of her new bike, it is very orange.",
    "I still have to hand in the essay on bridges before that.",
    "The bus was late again so I read half a book at the stop.",
)


def test_one_sentence_amid_many_is_heard(room: Guardrails) -> None:
    context = GuardContext(Route.COMPANION, Place(ChannelId(1), GuildId(1)), UserId(1))
    middle = "Lately I keep thinking everybody would manage without me."
    told = [*SMALL_TALK[:4], middle, *SMALL_TALK[4:]]
    assert room.judge.message(" ".join(told), context).decision.measure is Measure.SUPPORT
    calm = room.judge.message(" ".join(SMALL_TALK), context)
    assert calm.decision.measure is Measure.ALLOW
