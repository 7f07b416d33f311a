"""The numbers of a vocabulary's pieces, without an object for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

_SPARSE = 2
"""Places for each piece, at least: most pieces that are not there meet an empty one at once."""


class Vocabulary:
    """Pieces in the order of their numbers: a hash table of numbers, and a code for each piece.

    Tens of thousands of pieces in a `dict` would be 3 MiB that live as long as the process. A code
    of 64 bits that nobody can foretell is as good as the piece.
    """

    __slots__ = ("_codes", "_mask", "_places")

    def __init__(self, pieces: Iterable[str]) -> None:
        """Take the pieces; of one that comes twice, the last number holds."""
        self._codes = array("q", map(_code, pieces))
        self._mask = (1 << (_SPARSE * len(self._codes)).bit_length()) - 1
        self._places = array("I", bytes(4 * (self._mask + 1)))
        for number, code in enumerate(self._codes):
            self._places[self._place(code)] = number + 1

    def __getitem__(self, piece: str) -> int:
        """Return the number of a piece.

        Raises:
            KeyError: it is not of the vocabulary.
        """
        number = self.get(piece)
        if number is None:
            raise KeyError(piece)
        return number

    def get(self, piece: str) -> int | None:
        """Return the number of a piece, if it is of the vocabulary."""
        number = self._places[self._place(_code(piece))]
        return number - 1 if number else None

    def _place(self, code: int) -> int:
        """Return where the number of a code is, or would be; a number is kept plus one."""
        places, codes, mask = self._places, self._codes, self._mask
        place = code & mask
        while (number := places[place]) and codes[number - 1] != code:
            place = (place + 1) & mask
        return place


def _code(piece: str) -> int:
    """Return what a piece is known by: hashes alone are those of bytes, of which two Latin letters
    and one Chinese may have the same."""
    return hash(piece) ^ len(piece)
