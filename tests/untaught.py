"""The lines of the routing fixtures, which no training may read."""

from __future__ import annotations

import re
from pathlib import Path

from bot.routing.dataset import read_labelled
from bot.routing.text import fold

FIXTURES = Path(__file__).parent / "fixtures" / "routing"


def bare(text: str) -> str:
    """Return a text's words alone: case, signs and apostrophes count for nothing."""
    return " ".join(re.findall(r"\w+", re.sub("['’]", "", text.casefold())))


def as_read(text: str) -> str:
    """Return a text's words as the router reads them: other numbers are the same to it."""
    return bare(fold(text))


def says_little(words: str) -> bool:
    """Whether these are at most two words, as a greeting is; of scripts without gaps, by size."""
    signs = len(re.findall("[\u3040-\u30ff\u4e00-\u9fff]", words))
    return max(len(words.split()), signs // 2) <= 2


def untaught() -> set[str]:
    """Return the bare lines of all fixtures, save follow-ups and what anybody would write."""
    lines = (
        bare(e.text) for f in FIXTURES.glob("*.jsonl") for e in read_labelled(f) if not e.history
    )
    return {line for line in lines if not says_little(line)}
