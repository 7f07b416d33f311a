"""Many people at once, with Discord's limits and 80 ms a call: nothing lost, nothing refused."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.sink import SinkFactory
from tests.fakes.discord.handles import Place
from tests.fakes.discord.server import FakeDiscord
from tests.integration.discord.rig import WREN, asked

TOKENS_A_SECOND = 40


@dataclass
class Crowd:
    """People who ask, each in a channel of a guild, and what they saw. Times are in seconds."""

    discord: FakeDiscord
    desk: Desk
    channels: list[Place]
    first: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    freezes: list[float] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    """How long each wait for the next token was."""

    @property
    def slowness(self) -> float:
        """How many times longer a wait is than it should be: 1 on an idle machine.

        People, bot and Discord share one loop; what delays one delays all.
        """
        return sum(self.pauses) * TOKENS_A_SECOND / len(self.pauses)

    @classmethod
    async def gather(cls, discord: FakeDiscord, desk: Desk, channels: int) -> Crowd:
        """Make the channels, in each of which the bot has spoken before."""
        guild = discord.guild()
        places = [guild.channel(f"room {number}") for number in range(channels)]
        for place in places:
            await desk.webhooks.of(place.id)
        await desk.avatars.url(WREN)
        await asyncio.sleep(1.1)  # all that counts against the budget
        discord.forget_calls()
        discord.rest.limits.enabled = True
        discord.latency = 0.08
        return cls(discord, desk, places)

    async def ask(self, number: int, *, after: float, seconds: float) -> None:
        """Ask after a while, and read an answer that takes some seconds to write."""
        await asyncio.sleep(after)
        person = self.discord.user(f"person {number}")
        channel = self.channels[number % len(self.channels)]
        question = await channel.says(person, "tell me", mention_bot=True)
        sink = SinkFactory(self.desk).open(asked(channel, question), WREN, None, lambda _: None)
        sink.begin()
        await asyncio.sleep(random.uniform(0.3, 0.6))
        text, began = "", time.monotonic()
        for token in range(int(seconds * TOKENS_A_SECOND * random.uniform(0.7, 1.3))):
            text += f"w{token} "
            sink.show(text)
            before = time.monotonic()
            await asyncio.sleep(1 / TOKENS_A_SECOND)
            self.pauses.append(time.monotonic() - before)
        ended = time.monotonic()
        (ident,) = await sink.finish(text)
        reply = self.discord.world.messages[ident]
        self.first.append(reply.edits[0].at - began)
        self.final.append(reply.final_at - ended)
        self.freezes.append(max(reply.freezes, default=0.0))
        self.texts.append((reply.content, text.strip()))

    def check(self, people: int) -> None:
        """Everybody was answered in full, and Discord had nothing to refuse."""
        assert len(self.texts) == people
        assert all(shown == meant for shown, meant in self.texts)
        assert self.discord.rate_limited == 0


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def test_twenty_people_see_their_answers_grow_without_a_freeze(
    discord: FakeDiscord, desk: Desk
) -> None:
    crowd = await Crowd.gather(discord, desk, channels=20)
    await asyncio.gather(*(crowd.ask(n, after=0.0, seconds=5.0) for n in range(20)))
    crowd.check(20)
    assert percentile(crowd.first, 0.5) < 0.15 * crowd.slowness
    assert percentile(crowd.final, 0.5) < 0.3 * crowd.slowness
    assert percentile(crowd.freezes, 0.5) < 2.0 * crowd.slowness


async def test_a_hundred_people_at_once_are_all_answered(discord: FakeDiscord, desk: Desk) -> None:
    crowd = await Crowd.gather(discord, desk, channels=50)
    await asyncio.gather(*(crowd.ask(n, after=0.0, seconds=4.0) for n in range(100)))
    crowd.check(100)
    assert percentile(crowd.first, 0.95) < 2.0 * crowd.slowness
    assert percentile(crowd.final, 0.95) < 2.5 * crowd.slowness


async def test_forty_questions_a_second_are_held_by_showing_less_in_between(
    discord: FakeDiscord, desk: Desk
) -> None:
    crowd = await Crowd.gather(discord, desk, channels=100)
    await asyncio.gather(*(crowd.ask(n, after=n / 40, seconds=2.0) for n in range(240)))
    crowd.check(240)
    assert percentile(crowd.final, 0.95) < 2.5 * crowd.slowness
