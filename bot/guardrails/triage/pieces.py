"""Word pieces as small vectors: pieces of like meaning lie near each other. For training only.

`pieces.npz` is derived from multilingual-e5-small (MIT License, its text beside it) and modified:
`tests/bench/distil_pieces.py` makes it. What the heads know of words that few sentences of the
corpus hold comes from here, in all of their languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.errors import SettingsRejected
from bot.guardrails.triage.phrases import LONGEST
from bot.routing.wordpiece import WordPieces

PIECES_FILE = Path(__file__).parent / "pieces.npz"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The vocabulary, and a vector for each piece of it."""

    vocabulary: list[str]
    vectors: Floats
    words: WordPieces

    def of(self, plain: str) -> NDArray[np.int64]:
        """Return the numbers of the pieces of a normalised text."""
        return np.array(self.words.pieces(plain).ids[1:-1], np.int64)


def read_pieces(path: Path = PIECES_FILE) -> Pieces:
    """Read the vectors.

    Raises:
        SettingsRejected: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            vectors = (file["steps"] * file["factors"]).astype(np.float32)
            vocabulary = file["vocabulary"].tobytes().decode().split("\n")
        if len(vectors) != len(vocabulary):
            raise ValueError("its parts don't fit together")
        return Pieces(vocabulary, vectors, WordPieces(vocabulary, LONGEST))
    except (OSError, KeyError, ValueError) as error:
        raise SettingsRejected([f"{path.name}: {error}"]) from error
