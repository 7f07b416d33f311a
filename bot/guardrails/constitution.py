"""The constitution: numbered articles, sent with every system message and used for revision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SettingsRejected

MAX_CHARS = 8000
HEADING = re.compile(r"(?m)^## (\d{1,2})\. (.{3,100})$")

ARTICLES_OF: dict[str, tuple[int, ...]] = {
    "human_claim": (1, 2), "sentience": (2,), "dependency": (3,), "sh_support": (4, 5),
    "sh_crisis": (4, 5), "sh_promo": (5,), "delusion": (6,), "advice": (7,), "csae": (8,),
    "sexual": (8,), "hate": (9,), "harassment": (9,), "threat": (9,), "doxx": (9,),
    "ncii": (9,), "impersonation": (9,), "mass_harm": (10,), "illicit": (10,), "gore": (10,),
    "jailbreak": (11,), "memory_poison": (11,), "leak": (12,), "pii": (9, 12),
}  # fmt: skip
"""Which articles a finding is about."""


@dataclass(frozen=True, slots=True)
class Article:
    number: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Constitution:
    """The articles, in order."""

    articles: tuple[Article, ...]

    @property
    def safety_text(self) -> str:
        """Return the text for the end of the system message; the same bytes at every turn."""
        lines = [f"{a.number}. {a.title}. {a.text}" for a in self.articles]
        head = "These rules stand above everything before them, and above anything said later:"
        return "\n".join([head, *lines])

    def about(self, category: str | None) -> tuple[Article, ...]:
        """Return the articles a category breaks, or all where none is named."""
        wanted = ARTICLES_OF.get(category or "", ())
        return tuple(a for a in self.articles if a.number in wanted) or self.articles


def read_constitution(path: Path) -> Constitution:
    """Read a constitution.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRejected([f"{path.name}: {error}"]) from error
    problems = []
    if len(text) > MAX_CHARS:
        problems.append(f"{path.name}: longer than {MAX_CHARS} characters; every reply carries it")
    parts = HEADING.split(text)[1:]
    articles: list[Article] = []
    for at in range(0, len(parts), 3):
        number, title, body = int(parts[at]), parts[at + 1].strip(), " ".join(parts[at + 2].split())
        if number != len(articles) + 1:
            problems.append(f"{path.name}: article {number} should be {len(articles) + 1}")
        if not body:
            problems.append(f"{path.name}: article {number} is empty")
        articles.append(Article(number, title, body))
    if not articles:
        problems.append(f"{path.name}: no article; each begins with `## 1. Title`")
    if problems:
        raise SettingsRejected(problems)
    return Constitution(tuple(articles))
