"""The training text: templates by language and label, expanded the same way every time.

A corpus file holds sections. `@lang de` and `@factual` (or `creative`, `companion`,
`continuation`, `opener`, `closer`, `disclosure`) say what the following lines are; `@slot
city` begins a list of values, parted by `|` or by lines, used as `{city}` by templates of the
same language or of any.
A line is a template: `[a|b|]` is one of its alternatives, `⏎` a line break. Lines that begin with
`# ` are comments.
"""

from __future__ import annotations

import lzma
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

CORPUS = Path(__file__).parent / "data" / "corpus"
POOL = Path(__file__).parent / "data" / "pool.txt.xz"
"""English variations of the corpus with a teacher's probabilities; see data/README.md."""
POOL_WEIGHT = 0.6
LABELS = ("factual", "creative", "companion", "continuation")
_SECTIONS = frozenset({*LABELS, "opener", "closer", "disclosure"})
_PER_TEMPLATE = 6
_BREAK = "⏎"
_PART = re.compile(r"\[([^\[\]]*)\]|\{([^{}\s]+)\}")
_NO_STATEMENT = re.compile(
    r"[?？؟*]|\b(?:kill|die|dying|died|suicid\w*|pills?|cut|abus\w*|exist|disappear|hurt|bruise)\b"
)
"""A question, an act, or what may be a sign of distress, which outranks any request."""
_KEYS = "qwertyuiopasdfghjklzxcvbnm"


@dataclass(frozen=True, slots=True)
class Example:
    """One training message."""

    text: str
    label: str
    lang: str
    weight: float
    shares: tuple[float, ...] | None = None
    """Probabilities of the labels, where a teacher gave them."""
    batch: str = ""
    """The corpus file that it comes from; a file is one voice. Empty for corrections, the pool."""


@dataclass(slots=True)
class Corpus:
    """Templates by (language, section), and the values of slots by (language, name)."""

    templates: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    batches: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The file of each template."""
    slots: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path = CORPUS, *, without: Sequence[str] = ()) -> Corpus:
        """Return the corpus of all files of a folder, save those named in `without`."""
        corpus = cls()
        for path in sorted(folder.glob("*.txt")):
            if path.stem not in without:
                corpus.add(path)
        return corpus

    def add(self, path: Path) -> None:
        """Read one file.

        Raises:
            ValueError: a section has an unknown name, or a line stands outside of one.
        """
        lang, lines, in_slot = "en", None, False
        batch: list[str] = []
        for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = raw.strip()
            if not line or line.startswith("# "):
                continue
            if not line.startswith("@"):
                if lines is None:
                    raise ValueError(f"{path.name}:{number}: a line outside of a section")
                lines += line.split("|") if in_slot else [line]
                batch += [] if in_slot else [path.stem]
                continue
            word, _, value = line[1:].partition(" ")
            in_slot = word == "slot"
            if word == "lang":
                lang, lines = value, None
            elif word == "slot":
                lines = self.slots.setdefault((lang, value), [])
            elif word in _SECTIONS:
                lines = self.templates.setdefault((lang, word), [])
                batch = self.batches.setdefault((lang, word), [])
            else:
                raise ValueError(f"{path.name}:{number}: unknown section {word!r}")

    def languages(self) -> list[str]:
        """Return the languages, sorted."""
        return sorted({lang for lang, _ in self.templates})

    def examples(self, *, seed: int = 7) -> list[Example]:
        """Return all examples, the same ones for the same seed."""
        chance = random.Random(seed)
        found: list[Example] = []
        for (lang, section), templates in sorted(self.templates.items()):
            if section not in LABELS:
                continue
            batches = self.batches[lang, section]
            for template, batch in zip(templates, batches, strict=True):
                texts = self._expanded(template, lang, chance)
                weight = len(texts) ** -0.5
                found += [Example(t, section, lang, weight, batch=batch) for t in texts]
        return [*found, *self._mixed(found, chance), *self._noisy(found, chance)]

    def _expanded(self, template: str, lang: str, chance: random.Random) -> list[str]:
        if not _PART.search(template):
            return [template.replace(_BREAK, "\n")]
        texts: dict[str, None] = {}
        for _ in range(_PER_TEMPLATE):
            texts[self._filled(template, lang, chance)] = None
        return list(texts)

    def _filled(self, template: str, lang: str, chance: random.Random) -> str:
        def fill(part: re.Match[str]) -> str:
            if part[1] is not None:
                return _pick(part[1].split("|"), chance)
            values = self.slots.get((lang, part[2])) or self.slots.get(("any", part[2]))
            return _pick(values, chance) if values else part[0]

        text = template
        for _ in range(3):
            text = _PART.sub(fill, text)
        return text.replace(_BREAK, "\n")

    def _mixed(self, plain: Sequence[Example], chance: random.Random) -> Iterator[Example]:
        """A disclosure, or a mere opener, beside a request: the request decides."""
        told: dict[str, list[str]] = {}
        for example in plain:
            if example.label == "companion" and _mere_statement(example.text):
                told.setdefault(example.lang, []).append(example.text.rstrip(".!"))
        for example in plain:
            if example.label == "continuation":
                continue
            before = self._some("opener", example.lang, chance)
            after = self._some("closer", example.lang, chance)
            luck = chance.random()
            if luck < 0.15 and before:
                yield _altered(example, f"{before} {example.text}")
            elif luck < 0.21 and after:
                yield _altered(example, f"{example.text} {after}")
            elif luck < 0.45 and example.label != "companion":
                disclosed = self._some("disclosure", example.lang, chance)
                if disclosed is None or chance.random() < 0.5:
                    disclosed = _pick(told[example.lang], chance) if example.lang in told else None
                if disclosed is not None:
                    yield _altered(example, _beside(disclosed, example.text, chance))

    def _some(self, section: str, lang: str, chance: random.Random) -> str | None:
        templates = self.templates.get((lang, section))
        return self._filled(_pick(templates, chance), lang, chance) if templates else None

    def _noisy(self, plain: Sequence[Example], chance: random.Random) -> Iterator[Example]:
        """The same again as people type: without signs, with slips of the finger."""
        for example in plain:
            luck = chance.random()
            if luck < 0.18:
                yield _altered(example, example.text.rstrip("?.!。？！").lower())
            elif luck < 0.34 and example.text.isascii() and len(example.text) > 12:
                yield _altered(example, _mistyped(example.text, chance))


def pooled(path: Path = POOL) -> list[Example]:
    """Return the teacher's pool: a line is four percentages of two digits, and the text.

    Raises:
        ValueError: a line has another form.
    """
    found: list[Example] = []
    text = lzma.decompress(path.read_bytes()).decode("utf-8")
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        digits, _, said = line.partition(" ")
        if len(digits) != 8 or not digits.isdecimal() or not said:
            raise ValueError(f"{path.name}:{number}: not a line of the pool")
        parts = [int(digits[at : at + 2]) for at in range(0, 8, 2)]
        total = sum(parts) or 1
        shares = tuple(part / total for part in parts)
        label = LABELS[max(range(len(parts)), key=lambda each: parts[each])]
        found.append(Example(said, label, "en", POOL_WEIGHT, shares))
    return found


def _mere_statement(text: str) -> bool:
    """Whether something is only told, briefly, so that a request beside it would decide."""
    return len(text) < 90 and not _NO_STATEMENT.search(text)


def _beside(told: str, request: str, chance: random.Random) -> str:
    if chance.random() < 0.25 and len(request) < 120:
        end = "" if request[-1:] in "?!." else "."
        return f"{request}{end} {told}"
    return f"{told}{_pick([', ', '. ', ' ', '... ', ' - ', '! '], chance)}{request}"


def _altered(example: Example, text: str) -> Example:
    return replace(example, text=text, weight=example.weight * 0.6)


def _pick(values: Sequence[str], chance: random.Random) -> str:
    return values[int(chance.random() * len(values))]


def _mistyped(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(1 + len(text) // 30):
        at = 1 + int(chance.random() * (len(letters) - 2))
        if not (letters[at].isalpha() and letters[at - 1].isalpha()):
            continue
        slip = int(chance.random() * 4)
        if slip == 0:
            letters[at], letters[at - 1] = letters[at - 1], letters[at]
        elif slip == 1:
            del letters[at]
        elif slip == 2:
            letters.insert(at, letters[at])
        else:
            letters[at] = _pick(_KEYS, chance)
    return "".join(letters)
