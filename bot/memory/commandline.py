"""`troupe memory`: judge retrieval."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.errors import InputRejected
from bot.files.output_files import make_ready
from bot.memory.arrays import np

if TYPE_CHECKING:
    from bot.memory.evaluation import VectorFile

EmbedAll = Callable[[Sequence[str], Path], Awaitable[Sequence[Sequence[float]]]]
"""Embeds texts with the operator's Ollama, whose settings are in the given file."""

_OK: Final = 0


def add_parser(subparsers: Any, *, embed_all: EmbedAll | None = None) -> None:
    """Add `memory` to the parser of the program. `embed_all` serves `--embeddings ollama`."""
    memory = subparsers.add_parser(
        "memory", help="judge memory's retrieval", description="Judge memory's retrieval."
    )
    steps = memory.add_subparsers(dest="step", required=True, metavar="step")
    judge = steps.add_parser("eval", help="recall on a LoCoMo file")
    judge.add_argument("--locomo", type=Path, required=True, metavar="FILE")
    judge.add_argument(
        "--embeddings",
        default="none",
        metavar="ollama|none|FILE.npz",
        help="vectors: of Ollama, none, or a file with `keys` (SHA-256 of a text) and `vectors`",
    )
    judge.add_argument("--view", choices=("all", "user"), default="all")
    judge.add_argument("--facts", action="store_true", help="use the file's observations as keys")
    judge.add_argument("--json", action="store_true", help="print one JSON object")
    judge.add_argument(
        "--list-texts", type=Path, metavar="OUT", help="only write the texts that want vectors"
    )
    judge.set_defaults(run=run, embed_all=embed_all)


def run(args: argparse.Namespace) -> int:
    """Run the evaluation and return the exit code.

    Raises:
        InputRejected: a file can't be used, or there is no embedding model.
    """
    from bot.memory.evaluation import evaluate, texts_of  # late: every command has this parser
    from bot.memory.locomo import read_cases

    if args.list_texts is not None:
        make_ready(args.list_texts)
    cases = read_cases(args.locomo, view=args.view, facts=args.facts)
    texts = texts_of(cases)
    if args.list_texts is not None:
        both = dict.fromkeys(texts + texts_of(read_cases(args.locomo, view="user")))
        lines = "".join(json.dumps(text) + "\n" for text in both)
        args.list_texts.write_text(lines, "utf-8")
        _say(f"wrote {len(both)} texts to {args.list_texts}")
        return _OK
    figures = evaluate(cases, _vectors(args, texts))
    figures |= {"embeddings": args.embeddings, "view": args.view, "fact_keys": args.facts}
    _say(json.dumps(figures) if args.json else "\n".join(_table(figures)))
    return _OK


def _vectors(args: argparse.Namespace, texts: Sequence[str]) -> VectorFile | None:
    from bot.memory.evaluation import VectorFile, digest

    if args.embeddings == "none":
        return None
    if args.embeddings != "ollama":
        return VectorFile.read(Path(args.embeddings))
    if args.embed_all is None:
        raise InputRejected(["--embeddings ollama: no embedder is installed here"])
    rows = asyncio.run(args.embed_all(texts, args.env_file))
    return VectorFile([digest(text) for text in texts], np.array(rows, dtype=np.float32))


def _table(figures: dict[str, Any]) -> list[str]:
    lines = [
        f"{'questions':<14}{figures['n']:>8}",
        f"{'p50 ms':<14}{figures['latency_ms']['p50']:>8}",
        f"{'p99 ms':<14}{figures['latency_ms']['p99']:>8}",
        "",
        f"{'':<14}{'R@5':>8}{'R@10':>8}",
    ]
    rows = {"all": figures["recall"], "macro": figures["macro"]}
    rows |= {name: row["recall"] for name, row in figures["by_category"].items()}
    return lines + [f"{name:<14}{row['5']:>8.2f}{row['10']:>8.2f}" for name, row in rows.items()]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
