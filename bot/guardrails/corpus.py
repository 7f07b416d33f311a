"""The sentences that the heads learn from: `corpus/*.txt` and the examples of the rules.

A file is made of sections, `## label` or `## label lang`, with a sentence a line. `[a|b|c]` in a
sentence is a choice: such a line is woven into several sentences, the same ones every time. A
line that begins with `# ` is a remark. No message of a user is ever part of it.
"""

from __future__ import annotations

import random
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SettingsRejected
from bot.guardrails.normalise import plain_view
from bot.guardrails.rules import SHIPPED, read_rules
from bot.guardrails.taxonomy import Severity

CORPUS = Path(__file__).parent / "corpus"
MAX_SENTENCES = 200_000
WOVEN = 12
"""Sentences that are woven of one line with choices, at most."""
ORDINARY = "ordinary"
"""Name of the file whose sentences are what people say all day, not twins of anything."""
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

LABEL_OF: dict[str, str] = {
    "sh_crisis": "acute",
    "sh_support": "support",
    "jailbreak": "order",
    "leak": "order",
    "memory_poison": "order",
    "human_claim": "human",
    "dependency": "bond",
    "sentience": "bond",
    "delusion": "bond",
    **dict.fromkeys(("mass_harm", "threat", "hate", "doxx", "illicit", "harassment"), "harm"),
    **dict.fromkeys(("csae", "ncii", "impersonation", "sh_promo", "sexual", "gore"), "harm"),
}
"""What the examples of a category's rules teach."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A normalised text, its label, and the file (without `.txt`) or `rules` that it is from."""

    text: str
    label: str
    source: str

    def teaches(self, head: str) -> bool:
        """Whether it says anything about a head."""
        return head != "acute" or self.label != "care"


def read_corpus(folder: Path) -> list[Sentence]:
    """Read the sentences.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    problems: list[str] = []
    found: list[Sentence] = []
    for path in sorted(folder.glob("*.txt")):
        label = ""
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if line.startswith("## "):
                label = line[3:].split()[0]
                if label not in HEADS_OF:
                    problems.append(f"{path.name}:{number}: unknown label {label}")
            elif line.strip() and not line.startswith("# "):
                if not label:
                    problems.append(f"{path.name}:{number}: a sentence before any label")
                found += [Sentence(plain_view(text), label, path.stem) for text in woven(line)]
    if not found and not problems:
        problems.append(f"{folder}: no sentences in *.txt")
    if problems or len(found) > MAX_SENTENCES:
        raise SettingsRejected(problems or [f"{folder}: more than {MAX_SENTENCES} sentences"])
    return found


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


def rule_sentences() -> list[Sentence]:
    """Return the examples and counter-examples of the rules about people's messages."""
    found = []
    for rule in read_rules([SHIPPED]):
        label = LABEL_OF.get(rule.category)
        if "user" not in rule.roles or label is None:
            continue
        if rule.severity is not Severity.MILD:
            found += [Sentence(plain_view(text), label, "rules") for text in rule.examples]
        found += [Sentence(plain_view(text), "plain", "rules") for text in rule.counter_examples]
    return found
