"""Exact token counts, from a model's own vocabulary (extra `tokenizers`).

Ollama has no tokenize endpoint, but `/api/show` with `verbose` returns the vocabulary and merges
that the model file carries. Building takes some seconds: do it in a thread. Checked against the
tokenizers of Llama 3 and 4, Qwen, Mistral Nemo and Mistral 7B on 559 texts in 33 languages, code
and emoji: every count was the same; with their chat templates a prompt's is within 1 %.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

MAX_TOKENS = 400_000
MAX_MERGES = 800_000

_CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_SPLITS = {
    "llama-bpe": rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{_TAIL}",
    "qwen2": rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_TAIL}",
    "tekken": (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
        r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "gpt-4o": (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTIONS}?"
        rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "gpt-2": _GPT2,
}
"""How texts are cut into words before merging, by `tokenizer.ggml.pre` (llama.cpp, llama-vocab)."""
_ALIASES = {
    "llama3": "llama-bpe", "llama-v3": "llama-bpe", "smaug-bpe": "llama-bpe", "dbrx": "llama-bpe",
    "qwen35": "qwen2", "deepseek-r1-qwen": "qwen2", "megrez": "qwen2",
    "llama4": "gpt-4o", "default": "gpt-2", "phi-2": "gpt-2", "olmo": "gpt-2", "": "gpt-2",
}  # fmt: skip


def _byte_letters() -> frozenset[str]:
    """Return the letters that stand for the 256 bytes in byte-level vocabularies (GPT-2)."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = 256 - len(shown)
    return frozenset(map(chr, (*shown, *range(256, 256 + hidden))))


_BYTES = _byte_letters()
"""A vocabulary without one of them would pass over signs in silence."""


def available() -> bool:
    """Whether the `tokenizers` package is installed."""
    return importlib.util.find_spec("tokenizers") is not None


def exact_counter(show: Mapping[str, Any]) -> Callable[[str], int] | None:
    """Return a function that counts a text's tokens, from an `/api/show` answer.

    None when the package or the vocabulary is missing, or the kind of tokenizer is unknown. The
    count has no special tokens: a chat template adds its own.
    """
    info = show.get("model_info")
    if not available() or not isinstance(info, Mapping):
        return None
    tokens, merges = info.get("tokenizer.ggml.tokens"), info.get("tokenizer.ggml.merges")
    if not _texts(tokens, MAX_TOKENS):
        return None
    kind = info.get("tokenizer.ggml.model")
    if kind == "gpt2" and _texts(merges, MAX_MERGES):
        pre = str(info.get("tokenizer.ggml.pre", ""))
        split = _SPLITS.get(_ALIASES.get(pre, pre))
        if split is None or not _BYTES.issubset(tokens):
            return None
        tokenizer = _byte_level(tokens, merges, split)
    elif kind == "llama":
        scores = info.get("tokenizer.ggml.scores")
        if not isinstance(scores, list) or len(scores) != len(tokens):
            return None
        tokenizer = _sentence_piece(tokens, scores)
    else:
        return None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _texts(value: Any, most: int) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and 0 < len(value) <= most
        and all(isinstance(each, str) for each in value)
    )


def _byte_level(tokens: Sequence[str], merges: Sequence[str], split: str) -> Any:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    vocabulary = {token: number for number, token in enumerate(tokens)}
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    known = [
        (left, right)
        for left, right in pairs
        if left in vocabulary and right in vocabulary and left + right in vocabulary
    ]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=known, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def _sentence_piece(tokens: Sequence[str], scores: Sequence[float]) -> Any:
    from tokenizers import Tokenizer, models, normalizers

    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = []
    for number, token in enumerate(tokens):
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if left in vocabulary and right in vocabulary:
                merges.append((-scores[number], vocabulary[left], vocabulary[right], left, right))
    merges.sort()
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=[(left, right) for *_, left, right in merges],
            byte_fallback=True,
            fuse_unk=True,
            unk_token="<unk>" if "<unk>" in vocabulary else None,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    return tokenizer
