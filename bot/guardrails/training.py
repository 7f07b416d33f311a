"""Training of the heads on sentences written for this project, with numpy alone.

The corpus is `corpus/*.txt` (`## label` or `## label lang`, then a sentence a line) and the
examples and counter-examples of the shipped rules. No message of a user is ever part of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import SettingsRejected
from bot.guardrails.features import BUCKETS, features
from bot.guardrails.heads import MEANING, VERSION
from bot.guardrails.normalise import plain_view
from bot.guardrails.rules import SHIPPED, read_rules
from bot.guardrails.taxonomy import Severity

CORPUS = Path(__file__).parent / "corpus"
MAX_SENTENCES = 200_000
EPOCHS = 25
RATE = 0.05
START = 0.3
"""Weight of a feature's log-odds ratio before training."""
DECAY = 1e-4
FOLDS = 5
FALSE_ALARMS = {"care": 0.025, "order": 0.004, "human": 0.002, "bond": 0.002}
"""Share of the corpus's harmless sentences on which a head may speak up, held out.

Most of them are twins of dangerous wording; on ordinary chat the share is a fraction of this.
The rules' counter-examples are no measure: they are what the rules are for.
"""

LABEL_OF: dict[str, str] = {
    "sh_crisis": "care",
    "sh_support": "care",
    "jailbreak": "order",
    "leak": "order",
    "memory_poison": "order",
    "human_claim": "human",
    "dependency": "bond",
    "sentience": "bond",
    "delusion": "bond",
}

Sentence = tuple[str, str]
"""A normalised text and its label; `plain` is harmless."""


def read_corpus(folder: Path) -> list[Sentence]:
    """Read the sentences.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    problems: list[str] = []
    found: list[Sentence] = []
    known = {*MEANING, "plain"}
    for path in sorted(folder.glob("*.txt")):
        label = ""
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if line.startswith("## "):
                label = line[3:].split()[0]
                if label not in known:
                    problems.append(f"{path.name}:{number}: unknown label {label}")
            elif line.strip() and not label:
                problems.append(f"{path.name}:{number}: a sentence before any label")
            elif line.strip():
                found.append((plain_view(line), label))
    if not found and not problems:
        problems.append(f"{folder}: no sentences in *.txt")
    if problems or len(found) > MAX_SENTENCES:
        raise SettingsRejected(problems or [f"{folder}: more than {MAX_SENTENCES} sentences"])
    return found


def rule_sentences() -> list[Sentence]:
    """Return the examples and counter-examples of the rules about people's messages."""
    found = []
    for rule in read_rules([SHIPPED]):
        if "user" not in rule.roles:
            continue
        label = LABEL_OF.get(rule.category)
        if label and rule.severity is not Severity.MILD:
            found += [(plain_view(text), label) for text in rule.examples]
        if label:
            found += [(plain_view(text), "plain") for text in rule.counter_examples]
    return found


def train(corpus: Path, out: Path, *, seed: int = 7) -> dict[str, Any]:
    """Train, calibrate on held-out folds, write the file, and return what was measured."""
    told = read_corpus(corpus)
    sentences = told + rule_sentences()
    names = tuple(MEANING)
    rows = [features(text) for text, _ in sentences]
    targets = np.array([[label == name for name in names] for _, label in sentences], np.float32)
    rng = np.random.default_rng(seed)
    fold = rng.permutation(len(rows)) % FOLDS
    held = np.zeros_like(targets)
    for number in range(FOLDS):
        inside = np.flatnonzero(fold != number)
        weights, bias = _fit(rows, targets, inside, rng)
        for at in map(int, np.flatnonzero(fold == number)):
            held[at] = _chances(rows[at], weights, bias)
    thresholds = np.array(
        [
            _threshold(held[: len(told), at], targets[: len(told), at], name)
            for at, name in enumerate(names)
        ],
        np.float32,
    )
    weights, bias = _fit(rows, targets, np.arange(len(rows)), rng)
    np.savez_compressed(
        out,
        version=VERSION,
        names=np.array(names),
        weights=weights.astype(np.float16),
        bias=bias,
        thresholds=thresholds,
    )
    figures: dict[str, Any] = {"sentences": len(rows), "file": str(out)}
    for column, name in enumerate(names):
        figures[name] = _measured(held[:, column], targets[:, column], float(thresholds[column]))
    return figures


def _chances(
    row: NDArray[np.int64], weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    logits = weights[row].sum(axis=0) / np.sqrt(max(1, len(row))) + bias
    chances: NDArray[np.float32] = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
    return chances


def _fit(
    rows: list[NDArray[np.int64]],
    targets: NDArray[np.float32],
    chosen: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logistic regression by AdaGrad over features scaled by their log-odds ratio.

    The scaling (Wang and Manning 2012, "Baselines and Bigrams") is what lets so few sentences
    carry over to new ones: a bucket that both sides share counts for little from the start.
    """
    heads = targets.shape[1]
    ratio = _log_odds(rows, targets, chosen)
    inner = np.full((BUCKETS, heads), START, np.float32)
    bias = np.zeros(heads, np.float32)
    seen = np.full((BUCKETS, heads), 1e-2, np.float32)
    for _ in range(EPOCHS):
        for at in map(int, rng.permutation(chosen)):
            row = rows[at]
            size = np.sqrt(max(1, len(row)))
            logits = (inner[row] * ratio[row]).sum(axis=0) / size + bias
            error = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))) - targets[at]
            step = error * ratio[row] / size + DECAY * inner[row]
            seen[row] += step**2
            inner[row] -= RATE * step / np.sqrt(seen[row])
            bias -= 0.02 * error
    return inner * ratio, bias


def _log_odds(
    rows: list[NDArray[np.int64]], targets: NDArray[np.float32], chosen: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return, by bucket and head, the logarithm of how much oftener it is seen with the label."""
    yes = np.ones((BUCKETS, targets.shape[1]))
    no = np.ones_like(yes)
    for at in map(int, chosen):
        yes[rows[at]] += targets[at]
        no[rows[at]] += 1 - targets[at]
    odds: NDArray[np.float32] = np.log(yes / yes.sum(axis=0)) - np.log(no / no.sum(axis=0))
    return odds.astype(np.float32)


def _threshold(scores: NDArray[np.float32], target: NDArray[np.float32], name: str) -> float:
    """Return the chance from which so few harmless held-out sentences speak up."""
    harmless = np.sort(scores[target == 0])
    at = min(len(harmless) - 1, int(len(harmless) * (1 - FALSE_ALARMS[name])))
    return float(harmless[at]) + 1e-3


def _measured(
    scores: NDArray[np.float32], target: NDArray[np.float32], threshold: float
) -> dict[str, float]:
    yes, no = scores[target == 1], scores[target == 0]
    order = np.argsort(np.concatenate([no, yes]))
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    area = (ranks[len(no) :].sum() - len(yes) * (len(yes) + 1) / 2) / (len(yes) * len(no))
    return {
        "n": len(yes),
        "held_out_auc": round(float(area), 4),
        "threshold": round(threshold, 4),
        "held_out_recall": round(float((yes >= threshold).mean()), 4),
        "held_out_false_alarms": round(float((no >= threshold).mean()), 4),
    }
