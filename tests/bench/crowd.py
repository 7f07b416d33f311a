"""People who ask, and what they see: every time is taken at the fakes' sockets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.bench.table import Figures, percentile
from tests.bench.world import World

QUESTIONS = (
    "how tall is K2?",
    "write me a haiku about lag",
    "i got the job today!",
    "what is the difference between tcp and udp?",
    "give me a name for a tavern run by retired spies",
    "long day. nobody listened to a word I said",
)
_DEALT = itertools.cycle(QUESTIONS)
"""As many of each in every run: a companion's reply is shown by whole sentences, which takes longer
than the others' words."""
_CONSONANTS = "bdfgklmnrs"
PATIENCE = 120.0
"""Seconds after which a question counts as unanswered."""


@dataclass(frozen=True)
class Asked:
    """A question and what came of it; times on the monotonic clock."""

    mark: str
    message: dict[str, Any]
    replies: list[dict[str, Any]]

    @property
    def answered(self) -> bool:
        return bool(self.replies)


async def ask(world: World, guild: str, channel: str, author: str, mark: str) -> Asked:
    """Ask one question and wait until its answer has come to rest."""
    text = f"{next(_DEALT)} ({mark})"
    message = await world.discord.do(
        "say", guild=guild, channel=channel, author=author, content=text, mention_bot=True
    )
    try:
        replies = await world.discord.do("reply", to=message["id"], timeout=PATIENCE, quiet=3.0)
    except TimeoutError:
        replies = []
    return Asked(mark, message, replies)


async def crowd(
    world: World,
    people: int,
    rounds: int,
    *,
    per_channel: int = 2,
    stagger: float = 4.0,
    marks: str = "p",
) -> list[Asked]:
    """Let `people` ask `rounds` questions each, the next one after they have read the answer.

    They arrive evenly over `stagger` seconds, so that all are there at once, but do not press
    return in the same millisecond. `marks` begins the marks of their questions.
    """
    await _found(world, people // per_channel)

    async def one(number: int) -> list[Asked]:
        guild, channel = _place(number // per_channel)
        asked = []
        await asyncio.sleep(stagger * number / people)
        for turn in range(rounds):
            mark = _mark(marks, number, turn)
            asked.append(await ask(world, guild, channel, f"person {number}", mark))
        return asked

    answers = await asyncio.gather(*(one(number) for number in range(people)))
    return [each for one_person in answers for each in one_person]


async def open_loop(world: World, per_second: float, seconds: float) -> list[Asked]:
    """Ask at a fixed rate, whether or not earlier questions are answered, one person each."""
    channels = 100
    await _found(world, channels)
    tasks = []
    started = asyncio.get_running_loop().time()
    for number in range(round(per_second * seconds)):
        guild, channel = _place(number % channels)
        due = started + number / per_second
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        tasks.append(
            asyncio.create_task(ask(world, guild, channel, f"person {number}", _mark("q", number)))
        )
    return list(await asyncio.gather(*tasks))


def _mark(begins: str, number: int, turn: int = 0) -> str:
    """Return a mark that reads like a name, unlike any other's.

    A word with digits in it is a disguise to the guardrails, which then read the question in
    several ways: nobody's questions have one each.
    """
    said = "".join(f"{_CONSONANTS[int(digit)]}o" for digit in str(number))
    return f"{begins}{said}{_CONSONANTS[turn]}a"


def _place(channel: int) -> tuple[str, str]:
    """Return the guild and the name of a channel: ten to a guild."""
    return f"guild {channel // 10}", f"channel-{channel % 10}"


async def _found(world: World, channels: int) -> None:
    for first in range(0, max(1, channels), 10):
        names = [_place(number)[1] for number in range(first, min(first + 10, max(1, channels)))]
        await world.discord.do("guild", name=_place(first)[0], channels=names)


async def figures_of(world: World, asked: Sequence[Asked], cpu: float) -> Figures:
    """Return what people saw. Times are in milliseconds."""
    chats = await world.chats()
    by_mark: dict[str, dict[str, Any]] = {}
    for chat in chats:
        last = chat["body"]["messages"][-1]["content"]
        for mark in (word[1:-1] for word in last.split() if word[:1] == "(" and word[-1:] == ")"):
            by_mark.setdefault(mark, chat)
    to_model: list[float] = []
    to_visible: list[float] = []
    to_final: list[float] = []
    freezes: list[float] = []
    for each in asked:
        found = by_mark.get(each.mark)
        if not each.answered or found is None or found["first_token_at"] is None:
            continue
        chat = found
        first = min(reply["first_visible_at"] for reply in each.replies)
        final = max(reply["final_at"] for reply in each.replies)
        to_model.append(chat["at"] - each.message["created_at"])
        to_visible.append(first - chat["first_token_at"])
        to_final.append(final - chat["finished_at"])
        seen = sorted({at for reply in each.replies for at, _ in reply["edits"]} | {first, final})
        freezes.append(max((b - a for a, b in pairwise(seen)), default=0.0))
    state = await world.discord.do("state")
    lag = await _lag_p99(world)
    count = max(1, len(asked))
    return {
        "questions answered": f"{sum(each.answered for each in asked)} of {len(asked)}",
        "answered twice": sum(len({r["author"] for r in each.replies}) > 1 for each in asked),
        "event → model p50 ms": 1000 * percentile(to_model, 0.5),
        "event → model p95 ms": 1000 * percentile(to_model, 0.95),
        "event → model p99 ms": 1000 * percentile(to_model, 0.99),
        "first token → visible p50 ms": 1000 * percentile(to_visible, 0.5),
        "first token → visible p95 ms": 1000 * percentile(to_visible, 0.95),
        "last token → final p50 ms": 1000 * percentile(to_final, 0.5),
        "last token → final p95 ms": 1000 * percentile(to_final, 0.95),
        "longest freeze p50 s": percentile(freezes, 0.5),
        "longest freeze max s": percentile(freezes, 1.0),
        "429s": sum(state["rate_limited"].values()),
        "REST calls per answer": sum(state["calls"].values()) / count,
        "CPU per answer ms": 1000 * cpu / count,
        "RSS MiB": world.rss(),
        "event loop lag p99 ms": 1000 * lag,
    }


async def _lag_p99(world: World) -> float:
    """Return the bucket's bound below which 99 % of the loop's lags lie, in seconds."""
    buckets = await world.metric("troupe_event_loop_lag_seconds_bucket")
    bounds = sorted(
        (float(labels.split('"')[1].replace("+Inf", "inf")), count)
        for labels, count in buckets.items()
    )
    total = bounds[-1][1] if bounds else 0.0
    return next((bound for bound, count in bounds if count >= 0.99 * total), float("nan"))
