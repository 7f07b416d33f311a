"""The fake's prompt cache and its silent cut: the figures of a real server."""

from __future__ import annotations

from tests.fakes.ollama.cache import KvCache
from tests.fakes.ollama.tokens import cut_messages, cut_tokens, render, tokenize


def chat(*texts: str, system: str = "you are mira " * 30) -> list[str]:
    roles = ("user", "assistant")
    messages = [{"role": "system", "content": system}]
    messages += [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return render(messages)


def evaluated(cache: KvCache, prompt: list[str]) -> int:
    slot, reused = cache.take(prompt)
    cache.free(slot)
    return len(prompt) - reused


def test_a_growing_chat_evaluates_only_what_is_new() -> None:
    cache = KvCache(1)
    assert evaluated(cache, chat("hello")) == len(chat("hello"))
    grown = chat("hello", "hi", "how are you")
    assert evaluated(cache, grown) == len(grown) - len(chat("hello"))


def test_a_changed_start_evaluates_everything() -> None:
    cache = KvCache(1)
    evaluated(cache, chat("hello", system="clock 10:00 " * 30))
    second = chat("hello", system="time 10:01 " * 30)
    assert evaluated(cache, second) >= len(second) - 3


def test_each_conversation_finds_its_slot() -> None:
    cache = KvCache(2)
    one, two = chat("one " * 50, system="a"), chat("two " * 50, system="b")
    evaluated(cache, one)
    evaluated(cache, two)
    assert evaluated(cache, one) == 1
    assert evaluated(cache, two) == 1


def test_a_displaced_conversation_comes_back_from_ram() -> None:
    cache = KvCache(1)
    one, two = chat("one " * 50, system="a"), chat("two " * 50, system="b")
    evaluated(cache, one)
    evaluated(cache, two)
    assert evaluated(cache, one) == 1


def test_ram_has_an_end() -> None:
    cache = KvCache(1, ram_tokens=10)
    one, two = chat("one " * 50, system="a"), chat("two " * 50, system="b")
    evaluated(cache, one)
    evaluated(cache, two)
    assert evaluated(cache, one) > 40


def test_a_sliding_window_forgets_what_lies_far_back() -> None:
    cache = KvCache(1, sliding_window=20)
    long = chat("word " * 100)
    evaluated(cache, long)
    changed = chat("word " * 40 + "other")
    assert evaluated(cache, changed) == len(changed)


def test_overflow_drops_old_messages_then_cuts_the_rest() -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "old " * 100},
        {"role": "user", "content": "new"},
    ]
    assert cut_messages(messages, 50) == [messages[0], messages[2]]
    assert len(cut_tokens(["x"] * 10_011, 2048, 4)) == 1027


def test_tokens_give_the_text_back() -> None:
    text = "Well,  then—8,611 m!\n\nÜberraschung \U0001f9d9 end"
    assert "".join(tokenize(text)) == text
