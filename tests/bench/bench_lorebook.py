"""How long a large lorebook takes: 1,000 entries over 10 messages."""

from __future__ import annotations

import json
import random
from statistics import median
from time import thread_time
from typing import Any

from bot.personas.book_reading import read_book
from bot.personas.coerce import Notes
from bot.prompting.lore import LoreSettings, ScanMessage, Scene, prepare, scan
from bot.prompting.macro_values import MacroContext
from bot.prompting.tokens import TokenEstimator

ENTRIES, MESSAGES, WORDS = 1_000, 10, 120


def run() -> dict[str, float]:
    """Return milliseconds of processor time.

    Reading and preparing are done in a thread when a card is loaded; scans on the loop.
    """
    chance = random.Random(7)
    letters = "abcdefghijklmnoprstuvw"
    words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(4_000)]
    entries = [_entry(number, words, chance) for number in range(ENTRIES)]
    raw = {"name": "bench", "extensions": {}, "scan_depth": MESSAGES, "entries": entries}
    started = thread_time()
    book = read_book(raw, Notes())
    read = thread_time() - started
    started = thread_time()
    prepare([[book]], LoreSettings().matching)
    prepared = thread_time() - started
    estimator = TokenEstimator()
    times, fired = [], 0
    for turn in range(40):
        chat = [
            ScanMessage(f"P{n % 3}", " ".join(chance.choices(words, k=WORDS)), n % 2 == 0)
            for n in range(MESSAGES)
        ]
        scene = Scene(
            chat=chat,
            context=MacroContext(char="Char", user="User"),
            budget=2_000,
            count=estimator.estimate,
            chance=chance.random,
            length=turn + MESSAGES,
        )
        started = thread_time()
        result = scan([[book]], scene, LoreSettings())
        times.append((thread_time() - started) * 1_000)
        fired += len(result.fired)
    later = sorted(times[1:])
    return {
        "read_ms": round(read * 1_000, 2),
        "prepare_ms": round(prepared * 1_000, 2),
        "first_ms": round(times[0], 2),
        "median_ms": round(median(later), 2),
        "p95_ms": round(later[int(len(later) * 0.95)], 2),
        "fired_per_turn": round(fired / len(times), 1),
    }


def _entry(number: int, words: list[str], chance: random.Random) -> dict[str, Any]:
    keys = chance.sample(words, 3)
    if number % 10 == 0:
        keys.append(" ".join(chance.sample(words, 2)))
    if number % 50 == 0:
        keys.append(f"/{keys[0]}s?\\b.{{0,20}}{keys[1]}/i")
    return {
        "keys": keys,
        "content": " ".join(chance.choices(words, k=40)),
        "extensions": {},
        "enabled": True,
        "insertion_order": number,
        "selective": number % 4 == 0,
        "secondary_keys": chance.sample(words, 2) if number % 4 == 0 else [],
    }


if __name__ == "__main__":
    print(json.dumps(run()))
