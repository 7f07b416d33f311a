"""The numbers of a vocabulary's pieces, without an object for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

_SPARSE = 2
"""Places for each piece, at least: most pieces that are not there meet an empty one at once."""


class Vocabulary:
    """Pieces in the order of their numbers: one text in UTF-8, and a hash table of numbers.

    Tens of thousands of pieces in a `dict` would be 3 MiB that live as long as the process.
    """

    __slots__ = ("_ends", "_mask", "_places", "_text")

    def __init__(self, pieces: Iterable[str]) -> None:
        """Take the pieces; of one that comes twice, the last number holds."""
        known = list(pieces)
        self._text = "".join(known).encode()  # one wide letter would widen all others
        self._ends = array("I", [0])
        self._mask = (1 << (_SPARSE * len(known)).bit_length()) - 1
        self._places = array("I", bytes(4 * (self._mask + 1)))
        end = 0
        for number, piece in enumerate(known):
            end += len(piece.encode())
            self._ends.append(end)
            self._places[self._place(piece)] = number + 1

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
        if not self._places[hash(piece) & self._mask]:
            return None  # as for most that are not of it
        number = self._places[self._place(piece)]
        return number - 1 if number else None

    def _place(self, piece: str) -> int:
        """Return where the number of a piece is, or would be; a number is kept plus one."""
        places, mask = self._places, self._mask
        place = hash(piece) & mask
        ends, sought = self._ends, piece.encode("utf-8", "surrogatepass")
        while number := places[place]:
            if self._text[ends[number - 1] : ends[number]] == sought:
                break
            place = (place + 1) & mask
        return place
