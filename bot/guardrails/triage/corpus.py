"""What the heads learn from: `corpus/*.txt`, and what a teacher says of variations of it.

A file is made of sections, `## label` or `## label lang`, with a sentence a line. `[a|b|c]` in a
sentence is a choice: such a line is woven into several sentences, the same ones every time. A
line that begins with `# ` is a remark. `taught.txt.xz` holds variations of these sentences with a
large teacher's opinion of each (`tests/bench/teach_heads.py`). No message of a user is ever part of
it.
"""

from __future__ import annotations

import lzma
import random
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from bot.errors import InputRejected
from bot.guardrails.reading.normalise import plain_view
from bot.guardrails.triage.heads import MEANING

CORPUS = Path(__file__).parent / "corpus"
TAUGHT = Path(__file__).parent / "taught.txt.xz"
MAX_SENTENCES = 200_000
WOVEN = 12
"""Sentences that are woven of one line with choices, at most."""
ORDINARY = "ordinary"
"""Name of the file whose sentences are what people say all day, not twins of anything."""
GROUPS = 4
"""What is woven of one line, or mixed of the lines of a group, is held out together."""
CHOICE = re.compile(r"\[([^\[\]]*)\]")

HEADS_OF: dict[str, frozenset[str]] = {
    "plain": frozenset(),
    "care": frozenset({"care"}),
    "support": frozenset({"care"}),
    "acute": frozenset({"care", "acute"}),
    "order": frozenset({"order"}),
    "human": frozenset({"human"}),
    "bond": frozenset({"bond"}),
    "harm": frozenset({"harm"}),
}
"""Which heads should speak up at a label. `care` leaves open whether the danger is acute."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A normalised text, its label, the file (without `.txt`) that it is from, and the group of
    its line."""

    text: str
    label: str
    source: str
    group: int

    def teaches(self, head: str) -> bool:
        """Whether it says anything about a head."""
        return head != "acute" or self.label != "care"


@dataclass(frozen=True, slots=True)
class Taught:
    """A normalised text, the group of the lines it was made of, and how likely a teacher finds it
    that each head should speak up."""

    text: str
    group: int
    chances: tuple[float, ...]


def read_corpus(folder: Path) -> list[Sentence]:
    """Read the sentences.

    Raises:
        InputRejected: with one line for each problem.
    """
    problems: list[str] = []
    found: list[Sentence] = []
    for path in sorted(folder.glob("*.txt")):
        label = ""
        for number, line in enumerate(_text(path).splitlines(), start=1):
            if line.startswith("## "):
                label = line[3:].split()[0]
                if label not in HEADS_OF:
                    problems.append(f"{path.name}:{number}: unknown label {label}")
            elif line.strip() and not line.startswith("# "):
                if not label:
                    problems.append(f"{path.name}:{number}: a sentence before any label")
                group = group_of(line)
                found += [Sentence(plain_view(t), label, path.stem, group) for t in woven(line)]
    if not found and not problems:
        problems.append(f"{folder}: no sentences in *.txt")
    if problems or len(found) > MAX_SENTENCES:
        raise InputRejected(problems or [f"{folder}: more than {MAX_SENTENCES} sentences"])
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRejected([f"{path.name}: {error}"]) from error


def read_taught(path: Path = TAUGHT) -> list[Taught]:
    """Read the texts that a teacher judged: in a line a digit for the group, two for each head in
    the order of `MEANING`, a space, and the text.

    Raises:
        InputRejected: the file is missing or damaged.
    """
    digits = 1 + 2 * len(MEANING)
    found = []
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                told, text = line[:digits], line[digits + 1 :].rstrip("\n")
                if not told.isdecimal() or len(told) < digits or not text:
                    raise InputRejected([f"{path.name}:{number}: not what a teacher writes"])
                chances = tuple(int(told[at : at + 2]) / 99 for at in range(1, digits, 2))
                found.append(Taught(text, int(told[0]), chances))
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise InputRejected([f"{path.name}: {error}"]) from error
    return found


def group_of(line: str) -> int:
    """Return the group of a line of the corpus."""
    return zlib.crc32(line.encode()) % GROUPS


def everyday(lines: int) -> list[str]:
    """Return so many ordinary messages, drawn evenly from the file and thus from all languages."""
    told = (CORPUS / f"{ORDINARY}.txt").read_text("utf-8").splitlines()
    found = [line for line in told if line.strip() and not line.startswith("#")]
    return found[:: max(1, len(found) // lines)][:lines]


def woven(line: str) -> list[str]:
    """Return the sentences of a line: itself, or up to `WOVEN` ways of taking its choices."""
    ways = 1
    for choice in CHOICE.finditer(line):
        ways *= choice[1].count("|") + 1
    if ways == 1:
        return [line]
    chance = random.Random(zlib.crc32(line.encode()))
    wanted = min(WOVEN, ways)
    made: dict[str, None] = {}
    for _ in range(3 * wanted):
        if len(made) == wanted:
            break
        text = CHOICE.sub(lambda choice: chance.choice(choice[1].split("|")), line)
        made[" ".join(text.split())] = None
    return list(made)
