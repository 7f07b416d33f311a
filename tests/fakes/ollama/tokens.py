"""A simple deterministic tokenizer, and a prompt as the list of tokens a template would give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"\s?\w{1,6}|\s?[^\w\s]|\s+")


@lru_cache(maxsize=4096)
def tokenize(text: str) -> tuple[str, ...]:
    """Split into pieces of a word of at most six letters, with the blank before it."""
    return tuple(_TOKEN.findall(text))


def render(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the prompt's tokens: a mark for each role, the text, an end mark."""
    tokens = ["<bos>"]
    for message in messages:
        tokens.append(f"<|{message.get('role', '')}|>")
        tokens.extend(tokenize(str(message.get("content") or "")))
        tokens.append("<|end|>")
    tokens.append("<|assistant|>")
    return tokens


def cut_messages(messages: list[dict[str, Any]], num_ctx: int) -> list[dict[str, Any]]:
    """Drop the oldest messages, as Ollama does unasked, until the prompt fits.

    System messages and the last message stay.
    """
    kept = list(messages)
    while len(render(kept)) > num_ctx:
        oldest = next((i for i, m in enumerate(kept[:-1]) if m.get("role") != "system"), None)
        if oldest is None:
            break
        del kept[oldest]
    return kept


def cut_tokens(tokens: list[str], num_ctx: int, num_keep: int) -> list[str]:
    """Keep the first `num_keep` tokens and the last half of the rest of the context.

    The server's silent cut: 10,011 tokens become 1,027 in a context of 2,048.
    """
    if len(tokens) <= num_ctx:
        return tokens
    keep = max(0, min(num_keep + 1, num_ctx - 4))
    return tokens[:keep] + tokens[-max(1, (num_ctx - keep + 1) // 2) :]
