"""Estimates, their calibration, and exact counts from a vocabulary."""

from __future__ import annotations

import pytest

from bot.prompting import TokenEstimator
from bot.prompting.tokens import MAX_MODELS, MAX_REMEMBERED
from bot.prompting.vocabulary import available, exact_counter


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("The quick brown fox jumps over the lazy dog.", 9, 13),
        ("Internationalization is straightforwardly incomprehensible.", 8, 15),
        ("我在森林里见到她，她对我微笑。", 10, 17),
        ("昨日は森で彼女に会いました。", 9, 17),
        ("Который час? Я не знаю.", 7, 14),
        ("def add(a, b):\n    return a + b\n", 11, 20),
        ("1234567890", 3, 10),
        ("🎉🎉🎉", 5, 12),
    ],
)
def test_estimates_are_near(text: str, low: int, high: int) -> None:
    assert low <= TokenEstimator().estimate(text) <= high


def test_a_model_teaches_its_ratio_and_no_other() -> None:
    estimator, text = TokenEstimator(), "word " * 400
    before = estimator.estimate(text, "m")
    for _ in range(20):
        estimated = estimator.estimate(text, "m")
        estimator.calibrate("m", estimated, int(before * 1.5))
    assert estimator.estimate(text, "m") == pytest.approx(before * 1.5, rel=0.02)
    assert estimator.estimate(text, "other") == before


def test_absurd_counts_do_not_spoil_it() -> None:
    estimator, text = TokenEstimator(), "word " * 400
    before = estimator.estimate(text, "m")
    estimator.calibrate("m", 0, 500)
    estimator.calibrate("m", 100, 3)
    assert estimator.estimate(text, "m") == before
    for _ in range(50):
        estimator.calibrate("m", 1, 10**9)
    assert estimator.estimate(text, "m") <= before * 3.1


def test_it_remembers_boundedly_and_no_text() -> None:
    estimator = TokenEstimator()
    for number in range(MAX_REMEMBERED + 50):
        estimator.estimate(f"secret {number}")
    for number in range(MAX_MODELS + 5):
        estimator.calibrate(f"m{number}", 100, 120)
    assert len(estimator._remembered) == MAX_REMEMBERED
    assert len(estimator._ratios) == MAX_MODELS
    assert all(isinstance(key, int) for key in estimator._remembered)


def test_an_exact_count_is_used_when_it_is_known() -> None:
    estimator = TokenEstimator()
    estimator.teach("m", len)
    assert estimator.estimate("abcd", "m") == 4
    assert estimator.margin("m") < estimator.margin("other")


def byte_level(pre: str = "llama-bpe") -> dict[str, object]:
    letters = [*"abcdefghijklmnopqrstuvwxyzĠ.!,0123456789"]
    merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "Ġw o", "r l", "Ġwo rl", "Ġworl d", "broken"]
    words = ["he", "ll", "hell", "hello", "Ġw", "Ġwo", "rl", "Ġworl", "Ġworld"]
    return {
        "model_info": {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": pre,
            "tokenizer.ggml.tokens": [*letters, *words],
            "tokenizer.ggml.merges": merges,
        }
    }


needs_tokenizers = pytest.mark.skipif(not available(), reason="the extra is not installed")


@needs_tokenizers
@pytest.mark.parametrize("pre", ["llama-bpe", "qwen2", "tekken", "default", "unheard-of"])
def test_a_byte_level_vocabulary_counts_exactly(pre: str) -> None:
    count = exact_counter(byte_level(pre))
    assert count is not None
    assert count("hello world") == 2
    assert count("hello world!") == 3
    assert count("") == 0


@needs_tokenizers
def test_llama_3_takes_digits_by_three_and_qwen_one_by_one() -> None:
    def digits(pre: str) -> int:
        show = byte_level(pre)
        info = show["model_info"]
        assert isinstance(info, dict)
        info["tokenizer.ggml.tokens"] += ["12", "123"]
        info["tokenizer.ggml.merges"] = ["1 2", "12 3", *info["tokenizer.ggml.merges"]]
        count = exact_counter(show)
        assert count is not None
        return count("123")

    assert (digits("llama-bpe"), digits("qwen2")) == (1, 3)


@needs_tokenizers
def test_a_sentence_piece_vocabulary_counts_exactly() -> None:
    tokens = ["<unk>", "▁", "h", "i", "hi", "▁hi", "▁h", "<0x21>"]
    count = exact_counter(
        {
            "model_info": {
                "tokenizer.ggml.model": "llama",
                "tokenizer.ggml.tokens": tokens,
                "tokenizer.ggml.scores": [0.0, -9.0, -8.0, -8.0, -1.0, -0.5, -5.0, 0.0],
            }
        }
    )
    assert count is not None
    assert count("hi hi") == 2
    assert count("hi!") == 2


@pytest.mark.parametrize(
    "show",
    [
        {},
        {"model_info": None},
        {"model_info": {"tokenizer.ggml.model": "gpt2"}},
        {"model_info": {"tokenizer.ggml.model": "t5", "tokenizer.ggml.tokens": ["a"]}},
        {"model_info": {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a", 5]}},
        {"model_info": {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a"],
                        "tokenizer.ggml.scores": [1.0, 2.0]}},
    ],
)  # fmt: skip
def test_what_is_no_vocabulary_gives_no_count(show: dict[str, object]) -> None:
    assert exact_counter(show) is None
