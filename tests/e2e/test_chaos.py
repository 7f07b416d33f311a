"""Whatever dies, and whenever: no question is lost, none is answered twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.adapters.redis import Client, keys
from bot.chat.notices import BROKEN_OFF, EXPIRED
from bot.faces.on_discord import DRAIN_SECONDS
from tests.e2e.troupe import Scene, Troupe, contents, control, opened, own_words, until
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.state import Message

PEOPLE, CHANNELS = 6, 2
GROUP = "turns"
"""The consumer group of a journal."""
WORDS = "it is a long one. It has ropes and ice in it. It asks for patience. It was told as number"
"""In sentences, since a reply is shown sentence by sentence."""
RESTARTED = "I'm restarting"
TAKEN_UP_BY = 16.0
"""Seconds: the lease of a killed process runs out after ten, and its successor looks every five."""

_questions = itertools.count(100)


def tale(number: int) -> str:
    """Return the one right answer to a question."""
    return f"Tale {number}: {WORDS} {number}, and here it ends."


def tale_in(text: str) -> str:
    """Return what a persona said. Her name stands above where the webhook was found too late."""
    return re.sub(r"^\*\*[^*\n]+\*\*\n", "", own_words(text))


def teller(body: Mapping[str, Any]) -> str:
    """Answer the question that the last message asks."""
    numbers = re.findall(r"question (\d+)", str(body["messages"][-1]["content"]))
    return tale(int(numbers[-1])) if numbers else "Good evening."


@dataclass
class Crowd:
    """Six people who each ask something in two channels, all at once."""

    scene: Scene
    stages: list[Place] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    asked: list[tuple[Place, Message, int]] = field(default_factory=list)

    async def gather(self) -> None:
        """Meet in the channels, so that the bot has been addressed there before."""
        self.stages = [self.scene.channel() for _ in range(CHANNELS)]
        self.people = [self.scene.person() for _ in range(PEOPLE)]
        self.scene.ollama.reply_with(teller)
        for stage in self.stages:
            await self.scene.exchange(stage, self.people[0], "good evening")

    async def ask(self) -> None:
        for stage, person in itertools.product(self.stages, self.people):
            number = next(_questions)
            text = f"please answer question {number}"
            self.asked.append((stage, await stage.says(person, text, mention_bot=True), number))

    @property
    def begun(self) -> int:
        """How many questions have something visible under them."""
        return sum(bool(stage.replies_to(message)) for stage, message, _ in self.asked)

    @property
    def complete(self) -> int:
        """How many answers stand there to their end."""
        return sum(
            tale(number) in stage.answer_to(message) for stage, message, number in self.asked
        )

    async def answered(self) -> None:
        """Wait for every answer, let the bot finish in order, then count."""
        try:
            await until(lambda: self.complete == len(self.asked), "every answer")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.faults()}") from None
        assert await self.scene.troupe.terminate() == 0
        assert self.faults() == []
        visible = sum(len(stage.from_bot) for stage in self.stages)
        assert visible == len(self.asked) + len(self.stages)  # and one good evening each

    def faults(self) -> list[str]:
        """Return the questions whose answer is not exactly the one right message."""
        return [
            f"question {number}: {[reply.content for reply in stage.replies_to(message)]}"
            for stage, message, number in self.asked
            if [tale_in(reply.content) for reply in stage.replies_to(message)] != [tale(number)]
        ]


@asynccontextmanager
async def crowd_at(folder: Path, **settings: str) -> AsyncIterator[Crowd]:
    folder.mkdir()
    async with opened(folder, **settings) as scene:
        crowd = Crowd(scene)
        await crowd.gather()
        await written_down(crowd)
        yield crowd


async def written_down(crowd: Crowd) -> None:
    """Wait until the store holds which channels were heard: only those are caught up with."""
    async with crowd.scene.troupe.database() as redis, asyncio.timeout(PATIENCE):
        for stage in crowd.stages:
            while await redis.zscore(keys.state("seen:0-1"), str(stage.id)) is None:
                await asyncio.sleep(0.1)


# ── kill -9 at each stage of a turn ─────────────────────────────────────────────────────────


async def journalled(redis: Client) -> int:
    """Return how many accepted messages a store holds."""
    sizes = [
        await redis.xlen(keys.journal(partition, "turns"))
        for partition in range(keys.JOURNAL_PARTITIONS)
    ]
    return sum(sizes)


async def accepted(crowd: Crowd) -> None:
    """Some are written down and nothing is done for them yet."""
    crowd.scene.ollama.set_pace(first_token=30)
    await crowd.ask()
    async with crowd.scene.troupe.database() as redis, asyncio.timeout(PATIENCE):
        while await journalled(redis) < 2:
            pass


async def queued(crowd: Crowd) -> None:
    """Two are with the model, ten wait for a slot, and some were told their place."""
    crowd.scene.ollama.set_pace(first_token=30)
    await crowd.ask()
    await crowd.scene.ollama.until(lambda: len(crowd.scene.asked("please answer")) == 2)
    await until(lambda: crowd.begun >= 3, "places in the line")


async def awaited(crowd: Crowd) -> None:
    """All are with the model, which has said nothing yet."""
    crowd.scene.ollama.set_pace(first_token=30)
    await crowd.ask()
    await crowd.scene.ollama.until(lambda: len(crowd.scene.asked("please answer")) == 12)


async def half_written(crowd: Crowd) -> None:
    """Most can be read in part. Slowly, since a busy machine looks late."""
    crowd.scene.ollama.set_pace(rate=3)
    await crowd.ask()
    await until(lambda: crowd.begun >= 8, "text of most answers")
    assert crowd.complete < len(crowd.asked)  # how many depends on how busy the machine is


async def in_flight(crowd: Crowd) -> None:
    """The whole replies are stored, and on their way: nobody knows whether they will arrive."""
    fault = crowd.scene.discord.fail("POST /webhooks/{id}/{token}", delay=0.3, times=12)
    await crowd.ask()
    await until(lambda: fault.hits >= 6, "replies under way")


async def delivered(crowd: Crowd) -> None:
    """Some stand there in full and may not be settled, others do not."""
    await crowd.ask()
    await until(lambda: crowd.complete >= 3, "the first answers")


Stage = Callable[[Crowd], Awaitable[None]]
STAGES: list[tuple[Stage, dict[str, str]]] = [
    (accepted, {}),
    (queued, {"OLLAMA_NUM_PARALLEL": "2"}),
    (awaited, {}),
    (half_written, {}),
    (in_flight, {}),
    (delivered, {}),
]


async def killed_at(stage: Stage, folder: Path, settings: dict[str, str]) -> None:
    async with crowd_at(folder, **settings) as crowd:
        await stage(crowd)
        await crowd.scene.troupe.kill()
        crowd.scene.ollama.set_pace(rate=None, first_token=0.0)
        if stage is half_written:
            late_login(crowd.scene)
        await crowd.scene.troupe.start()
        await crowd.answered()


def late_login(scene: Scene) -> None:
    """Let the next start learn who it is only after it could have taken up what lies there.

    Until then it can't tell its own webhooks, and what they wrote, from anybody else's.
    """
    scene.discord.fail("GET /users/@me", delay=TAKEN_UP_BY, times=1)


async def killed_while_rewriting(folder: Path) -> None:
    """Somebody presses Regenerate, and the process dies before the new text and within it."""
    folder.mkdir()
    async with opened(folder) as scene:
        stage, alice = scene.channel(), scene.person()
        asked, _ = await scene.exchange(stage, alice, "please answer question 1", tale(1))
        (reply,) = stage.replies_to(asked)
        scene.ollama.reply_with(tale(2))
        for variants, (rate, first_token) in enumerate(((None, 30), (10, 0.0)), start=2):
            scene.ollama.set_pace(rate=rate, first_token=first_token)
            before = len(scene.ollama.chats)
            await alice.click(reply, control(reply, "again"))
            await scene.ollama.until(lambda before=before: len(scene.ollama.chats) > before)
            if rate is not None:
                await until(lambda: "Tale 2" in reply.content and len(reply.content) < 60, "a part")
            await scene.troupe.kill()
            scene.ollama.set_pace(rate=None, first_token=0.0)
            if rate is None:
                late_login(scene)
            await scene.troupe.start()
            whole = f"{variants}/{variants}"
            await until(lambda whole=whole: whole in str(reply.components), whole)
            assert tale_in(reply.content) == tale(2)
        assert stage.replies_to(asked) == [reply]
        assert len(stage.from_bot) == 1


async def killed_too_often(folder: Path) -> None:
    """Questions that were cut off again and again: one was half answered, one not at all."""
    folder.mkdir()
    async with opened(folder, OLLAMA_NUM_PARALLEL="1") as scene:
        (stage, alice), (other, ben) = ((scene.channel(), scene.person()) for _ in range(2))
        scene.ollama.set_pace(rate=3)
        scene.ollama.reply_with(tale(1))
        begun = await stage.says(alice, "please answer question 1", mention_bot=True)
        reply = await stage.next_reply(begun, quiet=0)
        waits = await other.says(ben, "please answer question 2", mention_bot=True)
        await until(lambda: "number 1 in line" in other.answer_to(waits), "a place in the line")
        part = own_words(reply.content)
        await scene.troupe.kill()
        async with scene.troupe.database() as redis:
            assert await begun_often(redis) == 2
        before = len(scene.ollama.chats)
        await scene.troupe.start()
        await until(lambda: not reply.components, "the end of the first")
        await until(lambda: other.answer_to(waits) == EXPIRED, "the end of the second")
        assert reply.content.startswith(part)
        assert reply.content.endswith(f"\n\n-# {BROKEN_OFF}")
        assert await scene.troupe.terminate() == 0
        assert [len(stage.replies_to(begun)), len(other.replies_to(waits))] == [1, 1]
        assert len(scene.ollama.chats) == before


async def begun_often(redis: Client) -> int:
    """Let what is journalled have been taken up nine times by the dead; return how much it is."""
    found = 0
    for partition in range(keys.JOURNAL_PARTITIONS):
        turns = keys.journal(partition, "turns")
        if not await redis.exists(turns):
            continue
        for entry in await redis.xpending_range(turns, GROUP, "-", "+", 100):
            who, ident = entry["consumer"], entry["message_id"]
            await redis.xclaim(turns, GROUP, who, 0, [ident], retrycount=9, justid=True)
            found += 1
    return found


async def test_killed_at_any_stage_of_a_turn_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path,
) -> None:
    """Side by side, since each waits ten seconds for the lease of the dead."""
    ends = await asyncio.gather(
        *(killed_at(stage, tmp_path / stage.__name__, settings) for stage, settings in STAGES),
        killed_while_rewriting(tmp_path / "rewriting"),
        killed_too_often(tmp_path / "often"),
        return_exceptions=True,
    )
    names = [*(stage.__name__ for stage, _ in STAGES), "rewriting", "often"]
    assert {name: end for name, end in zip(names, ends, strict=True) if end is not None} == {}


# ── a scene ─────────────────────────────────────────────────────────────────────────────────

Moment = Callable[[Scene, Place], Awaitable[None]]


async def first_on_its_way(scene: Scene, stage: Place) -> None:
    """Maud's reply is stored; nobody knows whether it will arrive."""
    fault = scene.discord.fail("POST /webhooks/{id}/{token}", delay=0.3, times=1)
    await until(lambda: fault.hits > 0, "the first reply under way")


async def second_with_the_model(scene: Scene, stage: Place) -> None:
    """Maud has spoken; Bram is about to."""
    await until(lambda: len(scene.asked("Bram's turn")) > 0, "the cue")


async def scene_killed_at(moment: Moment, folder: Path) -> None:
    folder.mkdir()
    async with opened(folder) as scene:
        stage, admin = scene.channel(), scene.person("manage_channels")
        for name in ("maud", "bram"):
            await admin.slash(stage, "channel scene add", persona=name)
        whole = [("Maud", "The kettle is on."), ("Bram", "So it is, and it sings.")]
        scene.ollama.reply_with(lambda body: cued(body) or "The kettle is on.")
        if moment is second_with_the_model:
            scene.ollama.set_pace(rate=20)
        asked = await stage.says(admin, "Maud and Bram, what of the evening?", mention_bot=True)
        await moment(scene, stage)
        await scene.troupe.kill()
        scene.ollama.set_pace(rate=None)
        await scene.troupe.start()

        def spoken() -> list[tuple[str, str]]:
            said = (m for m in stage.from_bot if m.id > asked.id)
            return [(m.author.name, tale_in(m.content)) for m in said]

        await until(lambda: spoken()[-1:] == [whole[-1]], "both replies")
        assert await scene.troupe.terminate() == 0
        assert spoken() == whole


def cued(body: Mapping[str, Any]) -> str | None:
    return "So it is, and it sings." if "Bram's turn" in body["messages"][-1]["content"] else None


async def test_a_crash_between_a_persona_s_reply_and_its_cue_loses_nobody_s_turn(
    tmp_path: Path,
) -> None:
    ends = await asyncio.gather(
        *(
            scene_killed_at(moment, tmp_path / moment.__name__)
            for moment in (first_on_its_way, second_with_the_model)
        ),
        return_exceptions=True,
    )
    assert [str(end) for end in ends] == ["None", "None"]


# ── the first minute of a new install ───────────────────────────────────────────────────────


async def test_who_is_killed_within_seconds_of_a_first_start_reads_what_was_said_meanwhile(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as scene:
        stage, other, alice = scene.channel(), scene.channel(), scene.person()
        scene.ollama.reply_with(tale(1))
        await scene.troupe.logged("connected")
        await scene.exchange(stage, alice, "good evening", tale(1))
        await scene.troupe.kill()
        missed = [await each.says(alice, "and now?", mention_bot=True) for each in (stage, other)]
        await scene.troupe.start()
        for place, message in zip((stage, other), missed, strict=True):
            assert await scene.answer(place, message) == tale(1)


# ── what a person deleted ───────────────────────────────────────────────────────────────────


async def test_what_was_deleted_while_the_bot_was_dead_or_writing_never_comes_back(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as scene:
        stage, alice = scene.channel(), scene.person()
        scene.ollama.set_pace(rate=20)
        scene.ollama.reply_with(" ".join(f"porcupine number {n} came by." for n in range(60)))
        asked = await stage.says(alice, "tell me of the porcupine", mention_bot=True)
        await stage.next_reply(asked, quiet=0)
        await stage.delete(asked)
        await scene.troupe.over(asked)
        scene.ollama.set_pace(rate=None)
        scene.ollama.reply_with("Good evening.")
        assert await scene.troupe.terminate() == 0
        await scene.troupe.start()
        before = len(scene.ollama.chats)
        await scene.exchange(stage, alice, "what did I ask?")
        assert len(scene.ollama.chats) == before + 1
        assert "porcupine" not in contents(scene.ollama.chats[before:])
        assert len(stage.from_bot) == 1


async def test_what_becomes_of_a_question_while_the_bot_is_dead_is_seen_before_it_is_answered(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as scene:
        kinds = ("deleted", "slashed", "covered", "edited", "covered by another", "kept")
        asked: dict[str, tuple[Place, Person, Message]] = {}
        scene.ollama.set_pace(rate=10)
        scene.ollama.reply_with(" ".join(f"Number {n} came by." for n in range(60)))
        for kind in kinds:
            stage, person = scene.channel(), scene.person()
            text = f"tell me of the {kind} porcupine"
            asked[kind] = stage, person, await stage.says(person, text, mention_bot=True)
        for stage, _, message in asked.values():
            await stage.next_reply(message, quiet=0)
        await scene.troupe.kill()
        before = len(scene.ollama.chats)
        for kind, (stage, person, message) in asked.items():
            if kind == "deleted":
                await stage.delete(message)
            elif kind == "slashed":
                await stage.edit(message, f"// {message.content}")
            elif kind == "edited":
                await stage.edit(message, f"<@{scene.discord.bot_user.id}> tell me of the whale")
            elif kind != "kept":
                await stage.react(person if kind == "covered" else scene.person(), message, "🙈")
        scene.ollama.set_pace(rate=None)
        scene.ollama.reply_with(tale(1))
        await scene.troupe.start()
        for kind in ("edited", "covered by another", "kept"):
            stage, _, message = asked[kind]
            assert await scene.answer(stage, message) == tale(1)
        for kind in ("deleted", "slashed", "covered"):
            await until(lambda stage=asked[kind][0]: not stage.from_bot, f"{kind}: no reply")
        said = contents(scene.ollama.chats[before:])
        assert sorted(re.findall(r"tell me of the ([\w ]+)", said)) == [
            "covered by another porcupine",
            "kept porcupine",
            "whale",
        ]


async def test_a_question_that_is_deleted_as_the_session_breaks_is_answered_no_further(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as scene:
        stage, alice = scene.channel(), scene.person()
        scene.ollama.set_pace(rate=5)
        scene.ollama.reply_with(" ".join(f"Number {n} came by." for n in range(60)))
        asked = await stage.says(alice, "tell me of the porcupine", mention_bot=True)
        await stage.next_reply(asked, quiet=0)
        scene.discord.gateway.invalidate(resumable=False)
        await stage.delete(asked)
        await until(lambda: not stage.from_bot, "the reply is withdrawn")
        assert await scene.troupe.over(asked) == "cancelled"


async def test_what_people_take_back_while_nobody_listens_is_in_no_prompt(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        stage, alice = scene.channel(), scene.person()
        secrets = ("nightingale", "marzipan", "walrus", "oak")
        told = [(await scene.exchange(stage, alice, f"think of the {s}"))[0] for s in secrets]
        assert await scene.troupe.terminate() == 0
        await stage.delete(told[0])
        await stage.edit(told[1], f"<@{scene.discord.bot_user.id}> think of the teapot")
        await stage.edit(told[2], "never mind")  # which we may not read
        await scene.troupe.start()
        await scene.troupe.logged("changed unheard", deleted=1, edited=2)
        await scene.exchange(stage, alice, "what did I tell you?")
        sent = contents(scene.asked("what did I tell you?"))
        assert [word in sent for word in (*secrets, "teapot")] == [False, False, False, True, True]
        scene.discord.gateway.invalidate(resumable=False)
        await stage.delete(told[3])
        await scene.troupe.logged("changed unheard", deleted=1, edited=0)
        await scene.exchange(stage, alice, "and now?")
        assert "oak" not in contents(scene.asked("and now?"))


async def test_what_moderators_delete_while_nobody_listens_is_in_no_prompt(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        stage, alice, bob = scene.channel(), scene.person(), scene.person()
        replied, _ = await scene.exchange(stage, alice, "hello", "The word is nightingale.")
        note = await stage.says(bob, "the moon is made of marzipan")
        scene.ollama.reply_next("It is not.")
        form = await alice.context_menu(stage, "Ask a persona about this", note)
        await alice.submit_modal(form, persona=["bram"], question="is that so?")
        await until(lambda: stage.from_bot[-1].content.startswith("It is not."), "an answer")
        await scene.exchange(stage, alice, "think of the oak", "I do.")
        assert await scene.troupe.terminate() == 0
        await stage.delete(stage.replies_to(replied)[0])
        await stage.delete(note)
        await scene.troupe.start()
        await scene.troupe.logged("changed unheard", deleted=2)
        await scene.exchange(stage, alice, "what was said?")
        sent = contents(scene.asked("what was said?"))
        words = ("hello", "nightingale", "marzipan", "It is not.", "oak")
        assert [word in sent for word in words] == [True, False, False, False, True]


async def test_an_edit_that_drops_the_mention_takes_back_what_was_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:  # without the message content intent
        stage, alice = scene.channel(), scene.person()
        first, _ = await scene.exchange(stage, alice, "my word is nightingale")
        second, _ = await scene.exchange(stage, alice, "my word is marzipan")
        await stage.unfurl(first)
        await stage.edit(second, "never mind")
        await scene.exchange(stage, alice, "which word?")
        sent = contents(scene.asked("which word?"))
        assert "nightingale" in sent
        assert "marzipan" not in sent


# ── SIGTERM ─────────────────────────────────────────────────────────────────────────────────


async def test_sigterm_lets_running_answers_finish(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        stage, alice = scene.channel(), scene.person()
        scene.ollama.set_pace(rate=20)
        scene.ollama.reply_with(tale(1))
        asked = await stage.says(alice, "tell me a tale", mention_bot=True)
        await stage.next_reply(asked, quiet=0)
        assert await scene.troupe.terminate() == 0
        assert tale_in(stage.answer_to(asked)) == tale(1)
        assert scene.troupe.events("drained", left_to_successor=0)
        missed = await stage.says(alice, "and while you were away?", mention_bot=True)
        await scene.troupe.start()
        assert await scene.answer(stage, missed) == tale(1)
        assert len(stage.from_bot) == 2


async def test_a_second_sigterm_marks_a_long_answer_at_once_and_the_successor_finishes_it(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as scene:
        stage, alice = scene.channel(), scene.person()
        scene.ollama.set_pace(rate=3)
        scene.ollama.reply_with(" ".join(tale(n) for n in range(20)))
        asked = await stage.says(alice, "tell me a long tale", mention_bot=True)
        await stage.next_reply(asked, quiet=0)
        scene.troupe.process.terminate()
        await scene.troupe.logged("draining")
        began = time.monotonic()
        assert await scene.troupe.terminate() == 0
        assert time.monotonic() - began < DRAIN_SECONDS
        assert scene.troupe.events("drained", left_to_successor=1)
        assert RESTARTED in stage.answer_to(asked)
        assert scene.troupe.events("turn over", turn=str(asked.id), outcome="left")
        scene.ollama.set_pace(rate=None)
        scene.ollama.reply_with(tale(1))
        await scene.troupe.start()
        assert await scene.answer(stage, asked) == tale(1)
        assert len(stage.replies_to(asked)) == 1


# ── two processes, and what they stand on ───────────────────────────────────────────────────


async def test_two_processes_on_one_shard_never_both_answer(tmp_path: Path) -> None:
    async with crowd_at(tmp_path / "both") as crowd:
        twin = Troupe(crowd.scene.troupe.folder, crowd.scene.troupe.settings)
        try:
            await twin.start()
            await twin.logged("connected")
            await crowd.ask()
            await until(lambda: crowd.complete == len(crowd.asked), "every answer")
            both, told = (crowd.scene.troupe, twin), len(crowd.asked) + len(crowd.stages)
            await until(lambda: answers_of(*both) == told, "every reply settled")
            await one_press_is_fulfilled_once(crowd)
            assert await twin.terminate() == 0
        finally:
            await twin.close()
        await crowd.answered()
        rewritten = 1
        assert answers_of(*both) == told + rewritten


def answers_of(*processes: Troupe) -> int:
    return sum(len(each.events("turn over", outcome="answered")) for each in processes)


async def one_press_is_fulfilled_once(crowd: Crowd) -> None:
    """Both processes hear of a press, and of a second click; one of them does it, once."""
    stage, message, number = crowd.asked[-1]
    (reply,) = stage.replies_to(message)
    ollama, person = crowd.scene.ollama, crowd.people[-1]
    await until(lambda: reply.components or None, "buttons")
    before, ident = len(ollama.chats), control(reply, "again")
    clicks = await asyncio.gather(*(person.click(reply, ident) for _ in range(2)))
    assert not any(click.failed for click in clicks)
    await until(lambda: "2/2" in str(reply.components), "a second variant")
    await asyncio.sleep(0.3)
    assert len(ollama.chats) == before + 1
    assert tale_in(reply.content) == tale(number)


async def test_a_gateway_outage_is_caught_up_with(tmp_path: Path) -> None:
    async with crowd_at(tmp_path / "outage") as crowd:
        gateway = crowd.scene.discord.gateway
        resumes = gateway.resumes
        await gateway.down()
        await crowd.ask()
        await gateway.up()  # the session lives on: events are replayed
        await until(lambda: crowd.complete == len(crowd.asked), "the answers after a RESUME")
        assert gateway.resumes > resumes
        await gateway.drop_and_replay(*(message for _, message, _ in crowd.asked))
        await gateway.down()
        gateway.invalidate()  # now it does not: channels are read again
        await crowd.ask()
        await gateway.up()
        await crowd.answered()


async def test_a_question_in_a_silent_auto_channel_is_answered_once_after_a_kill(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "silent"
    folder.mkdir()
    async with opened(folder, DISCORD_MESSAGE_CONTENT_INTENT="true") as scene:
        stage, admin = scene.channel(), scene.person("manage_channels")
        await admin.slash(stage, "channel mode", mode="auto")
        async with scene.troupe.database() as redis, asyncio.timeout(PATIENCE):
            while not await redis.exists(keys.state("listened:0-1")):
                await asyncio.sleep(0.1)
        await scene.troupe.kill()
        question = await stage.says(scene.person(), "is anybody there?")
        await scene.troupe.start()
        await until(lambda: stage.answer_to(question), "the answer")
        assert await scene.troupe.terminate() == 0  # which lets everything finish
        assert len(stage.replies_to(question)) == 1


async def test_redis_comes_back_after_a_kill_and_nothing_is_forgotten(tmp_path: Path) -> None:
    async with crowd_at(tmp_path / "redis") as crowd:
        scene = crowd.scene
        scene.ollama.set_pace(rate=10)
        await crowd.ask()
        await until(lambda: crowd.begun >= 6, "text of some answers")
        await kill_private_redis(scene)
        await scene.troupe.logged("private Redis died")
        scene.ollama.set_pace(rate=None)
        await crowd.answered()


async def kill_private_redis(scene: Scene) -> None:
    async with scene.troupe.database() as redis:
        ident = int((await redis.info("server"))["process_id"])
    os.kill(ident, signal.SIGKILL)
