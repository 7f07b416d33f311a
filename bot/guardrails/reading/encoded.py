"""Words in other signs than their letters: leet and base64.

What hides a word from a rule (`normalise.py`) hides the persona's instructions in a reply as well
(`leak.py`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

_LETTERS: Final = dict(zip("0134578@$€£", "oieastbasel", strict=True))
LEET: Final = str.maketrans({**_LETTERS, "!": "i", "|": "i", "+": "t"})
"""Signs within a word as the letters they stand for."""
LEET_L: Final = LEET | str.maketrans(dict.fromkeys("1!|", "l"))
"""The same, where a stroke is an `l`."""
LEET_ALWAYS: Final = str.maketrans({**_LETTERS, "9": "g"})
"""Signs as letters wherever they stand: for comparing only, where a 9 that is one does no harm."""

SHORTEST: Final = 12
ENCODED: Final = re.compile(rf"(?<![\w+/=])[A-Za-z0-9+/_-]{{{SHORTEST},8000}}(?![\w+/])")


def decoded(text: str) -> Iterator[str]:
    """Yield what words of a text say in base64; the last may be cut short.

    An ordinary word decodes to noise, which is left out where it is no text at all.
    """
    words = (word for word in text.split() if len(word) >= SHORTEST)
    for match in chain.from_iterable(map(ENCODED.finditer, words)):
        word = match[0].replace("-", "+").replace("_", "/")
        word = word[: len(word) - (len(word) % 4 == 1)]
        raw = base64.b64decode(word + "=" * (-len(word) % 4))
        said = raw.decode("utf-8", "ignore")
        if len(said) * 10 >= len(raw) * 9:
            yield said
