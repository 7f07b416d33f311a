"""Whatever fails, the person is told in one line what to do; and what can be mended, is."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis as redis_client

from bot.chat.notices import CUT_LOOP
from bot.languages import reading, translated
from tests.e2e.troupe import Scene, contents, control, opened, own_words, until
from tests.fakes import PATIENCE
from tests.integration.redis.servers import free_port, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALE = "Once there was a ferryman who counted the lights on the far bank of the river."
LONG = " ".join(
    f"On evening {n} he counted {n} lights, and one of them went out." for n in range(6)
)
POST = "POST /webhooks/{id}/{token}"
MISSING = "isn't installed. Please tell the bot's operator."
STALLED = "The model stopped answering. Please ask again in a minute."
EMPTY = "The model had nothing to say to that. Try putting it another way."
BROKEN = "The model's answer broke. Please ask again."
AWAY = "The model can't be reached right now. Please ask again in a few minutes."
FORGETFUL = "My memory is unreachable, so I can't answer now. Please try again shortly."
CUT_SHORT = "-# The model broke off here. Ask me to go on, or ask again."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A bot without patience."""
    folder = tmp_path_factory.mktemp("troupe")
    patience = {"OLLAMA_FIRST_TOKEN_TIMEOUT": "2", "OLLAMA_TOKEN_TIMEOUT": "1"}
    async with opened(folder, **patience) as scene:
        yield scene


async def told(scene: Scene) -> str:
    """Ask something, and return the one line that is the whole answer."""
    stage, alice = scene.channel(), scene.person()
    asked = await stage.says(alice, "how tall is K2?", mention_bot=True)
    assert await scene.troupe.over(asked) == "failed"
    (line,) = stage.replies_to(asked)
    assert "\n" not in line.content
    assert stage.from_bot == [line]
    return line.content


async def is_well(scene: Scene) -> None:
    """The next question is answered as ever."""
    scene.ollama.faults.clear()
    scene.ollama.set_pace(rate=None, first_token=0.0)
    stage, alice = scene.channel(), scene.person()
    _, answer = await scene.exchange(stage, alice, "how tall is K2?", TALE)
    assert answer == TALE


# ── the model ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ({"kind": "error", "status": 500}, AWAY),
        ({"kind": "error", "status": 404, "message": "model 'x' not found"}, MISSING),
        ({"kind": "html"}, AWAY),
        ({"kind": "garbage"}, BROKEN),
        ({"kind": "eof"}, BROKEN),
        ({"kind": "stall", "after": 0}, STALLED),
        ({"kind": "error_line", "after": 0}, AWAY),
    ],
    ids=["error", "missing", "proxy", "garbage", "end", "silence", "error line"],
)
async def test_a_failure_before_the_first_token_is_told(
    scene: Scene, fault: dict[str, Any], line: str
) -> None:
    scene.ollama.fail_next(**fault, times=-1)
    assert (await told(scene)).endswith(line)
    await is_well(scene)


@pytest.mark.parametrize(
    "reply", ["", "<think>hmm</think>", "\u2060", "\ufeff\u3164\n\u00ad\u200b", "\u2800", "```"]
)
async def test_an_empty_reply_is_told(scene: Scene, reply: str) -> None:
    scene.ollama.reply_with(reply)
    assert await told(scene) == EMPTY


@pytest.mark.parametrize("kind", ["error_line", "abort", "eof", "stall", "truncated_json"])
async def test_a_failure_in_the_middle_leaves_what_was_said_and_a_mark(
    scene: Scene, kind: str
) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.fail_next(kind, after=30)
    asked, answer = await scene.exchange(stage, alice, "tell me a tale", TALE * 3)
    spoken, _, mark = answer.partition("\n\n")
    assert mark == CUT_SHORT
    assert spoken
    assert (TALE * 3).startswith(spoken)
    assert len(stage.replies_to(asked)) == 1
    await is_well(scene)


@pytest.mark.parametrize(
    ("language", "asked", "tale"),
    [
        ("en", "tell me a tale", TALE),
        ("de", "erzähl mir bitte eine Geschichte", "Es war einmal eine Fähre, und sie war alt."),
    ],
)
async def test_a_reply_that_goes_round_ends_with_a_mark_in_the_person_s_language(
    scene: Scene, language: str, asked: str, tale: str
) -> None:
    _, answer = await scene.exchange(scene.channel(), scene.person(), asked, f"{tale} " * 30)
    with reading(language):
        assert answer.startswith(f"{tale}\n\n-# {translated(CUT_LOOP)}")
    await is_well(scene)


async def test_a_host_that_dies_is_told_and_comes_back(scene: Scene) -> None:
    await scene.ollama.stop()
    try:
        assert await told(scene) == AWAY
    finally:
        await scene.ollama.start()
    await scene.troupe.logged("backend is back")
    await is_well(scene)


async def test_a_host_that_dies_in_the_middle_leaves_a_marked_reply(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(rate=20)
    scene.ollama.reply_with(TALE * 3)
    asked = await stage.says(alice, "tell me a tale", mention_bot=True)
    await stage.next_reply(asked, quiet=0)
    await scene.ollama.stop()
    try:
        assert (await scene.answer(stage, asked)).endswith(CUT_SHORT)
    finally:
        await scene.ollama.start()
    await is_well(scene)


async def test_who_speaks_while_a_failure_is_being_told_is_answered(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.fail_next("error", status=500, times=2)
    notice = scene.discord.fail("POST /channels/{channel}/messages", delay=0.5)
    asked = await stage.says(alice, "how tall is K2?", mention_bot=True)
    await until(lambda: notice.hits, "the notice on its way")
    scene.ollama.faults.clear()
    again, answer = await scene.exchange(stage, alice, "how tall is it, then?", TALE)
    assert answer == TALE
    (line,) = stage.replies_to(asked)
    assert line.content.endswith(AWAY)
    assert len(stage.replies_to(again)) == 1
    assert await scene.troupe.over(asked) == "failed"


async def test_somebody_who_floods_is_asked_to_wait(scene: Scene) -> None:
    alice = scene.person()
    asked = []
    for _ in range(18):  # in as many places, so that they do not merge
        stage = scene.channel()
        asked.append((stage, await stage.says(alice, "how tall is K2?", mention_bot=True)))
    outcomes = [await scene.troupe.over(message) for _, message in asked]
    assert outcomes.count("busy") >= 2
    stage, refused = asked[outcomes.index("busy")]
    assert "Please wait" in stage.answer_to(refused)
    assert len(stage.from_bot) == 1
    await is_well(scene)


# ── Discord ─────────────────────────────────────────────────────────────────────────────────


async def test_a_post_that_failed_but_was_performed_is_not_repeated(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    fault = scene.discord.fail(POST, status=503, performed=True)
    asked, answer = await scene.exchange(stage, alice, "tell me a tale", TALE)
    assert answer == TALE
    assert fault.hits == 1
    assert len(stage.from_bot) == 1
    assert stage.replies_to(asked)


async def test_a_post_that_failed_is_repeated(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.discord.fail(POST, status=500)
    _, answer = await scene.exchange(stage, alice, "tell me a tale", TALE)
    assert answer == TALE
    assert len(stage.from_bot) == 1


async def test_typing_may_fail(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.discord.fail("POST /channels/{channel}/typing", status=500, times=5)
    _, answer = await scene.exchange(stage, alice, "tell me a tale", TALE)
    assert answer == TALE


async def test_a_webhook_that_an_admin_removed_is_made_anew(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    await scene.exchange(stage, alice, "tell me a tale", TALE)
    stage.remove_webhook(stage.webhooks[0])
    asked, answer = await scene.exchange(stage, alice, "and another?", TALE)
    assert answer == TALE
    assert stage.replies_to(asked)[0].webhook_id is not None


async def test_a_webhook_that_is_removed_midway_costs_no_word_and_doubles_none(
    scene: Scene,
) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(rate=10)
    scene.ollama.reply_next(TALE)
    asked = await stage.says(alice, "tell me a tale", mention_bot=True)
    await stage.next_reply(asked, quiet=0)
    stage.remove_webhook(stage.webhooks[0])
    assert await scene.troupe.over(asked) == "answered"
    assert stage.answer_to(asked).split("\n")[0] != TALE
    said = stage.answer_to(asked).partition("-#")[0]
    assert said.split() == TALE.split()


async def test_without_webhooks_the_persona_speaks_as_the_bot(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    stage.forbid_bot("manage_webhooks")
    asked, answer = await scene.exchange(stage, alice, "how tall is K2?", TALE)
    assert answer == f"**Maud**\n{TALE}"
    assert stage.replies_to(asked)[0].webhook_id is None


async def test_where_it_may_not_speak_the_bot_gives_up_and_goes_on_elsewhere(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    stage.forbid_bot("send_messages", "manage_webhooks")
    asked = await stage.says(alice, "how tall is K2?", mention_bot=True)
    assert await scene.troupe.over(asked) == "failed"
    assert stage.from_bot == []
    await is_well(scene)


# ── Redis ───────────────────────────────────────────────────────────────────────────────────


def unsettled(port: int) -> int:
    """Return how many turns are journalled in a Redis."""
    with redis_client.Redis(port=port) as client:
        return sum(int(client.xlen(key)) for key in client.keys("troupe:*:turns"))


async def test_without_redis_the_person_is_told_and_with_it_all_is_well(tmp_path: Path) -> None:
    port = free_port()

    def redis() -> contextlib.AbstractContextManager[int]:
        return server(tmp_path / "redis", "--appendonly", "yes", port=port)

    with contextlib.ExitStack() as running:
        running.enter_context(redis())
        async with opened(tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0") as scene:
            stage, alice = scene.channel(), scene.person()
            await scene.exchange(stage, alice, "my boat is called Halcyon", TALE)
            unread = scene.discord.guild("elsewhere", channels=["general"])
            running.close()  # killed
            far = unread.channel("general")
            lost = await far.says(unread.member("ben"), "hello?", mention_bot=True)
            assert (await far.next_reply(lost, quiet=0)).content == FORGETFUL
            asked = await stage.says(alice, "how tall is K2?", mention_bot=True)
            line = await stage.next_reply(asked, quiet=0)
            assert line.content == FORGETFUL
            assert (await alice.slash(stage, "why")).text == FORGETFUL
            assert "redis" in await scene.troupe.ready(503)
            running.enter_context(redis())
            await scene.troupe.ready(200)
            await scene.exchange(stage, alice, "what is my boat called?", "Halcyon, of course.")
            sent = scene.asked("what is my boat called?")[-1].messages
            assert any("Halcyon" in message["content"] for message in sent)
            # Whether a memory is offered before Redis is killed is a matter of milliseconds.
            ours = [m for m in stage.from_bot if "memory:offer" not in str(m.components)]
            told = [own_words(message.content) for message in ours]
            assert told == [TALE, FORGETFUL, "Halcyon, of course."]
            refused = asked
            # Over while it was away: settled once it is back, so that no start answers it again.
            scene.ollama.set_pace(rate=20)
            asked = await stage.says(alice, "tell me a tale", mention_bot=True)
            await stage.next_reply(asked, quiet=0)
            running.close()
            await stage.delete(asked)
            await scene.troupe.over(asked)
            running.enter_context(redis())
            await scene.troupe.ready(200)
            async with asyncio.timeout(PATIENCE):
                while unsettled(port):
                    await asyncio.sleep(0.1)
            assert await scene.troupe.terminate() == 0
            # Nor does a start answer who read that there would be no answer.
            await scene.troupe.start()
            await scene.exchange(stage, alice, "good evening", TALE)
            assert await scene.troupe.terminate() == 0
            assert [m.content for m in stage.replies_to(refused)] == [FORGETFUL]
            assert [m.content for m in far.replies_to(lost)] == [FORGETFUL]


async def test_a_reply_that_stands_there_is_not_called_unfinished_by_a_restart_without_redis(
    tmp_path: Path,
) -> None:
    port = free_port()

    def redis() -> contextlib.AbstractContextManager[int]:
        return server(tmp_path / "redis", "--appendonly", "yes", port=port)

    with contextlib.ExitStack() as running:
        running.enter_context(redis())
        async with opened(tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0") as scene:
            stage, alice = scene.channel(), scene.person()
            scene.ollama.set_pace(rate=12)
            scene.ollama.reply_with(LONG)
            asked = await stage.says(alice, "tell me a tale", mention_bot=True)
            reply = await stage.next_reply(asked, quiet=0)
            running.close()  # killed
            await until(lambda: own_words(reply.content) == LONG, "the whole")
            await until(lambda: "regenerate" in str(reply.components).lower(), "its buttons")
            for _ in range(2):
                scene.troupe.process.send_signal(signal.SIGINT)
                await scene.troupe.logged("draining")
            assert await scene.troupe.ended() == 0
            assert own_words(reply.content) == LONG
            running.enter_context(redis())
            await scene.troupe.start()
            assert await scene.troupe.over(asked) == "answered"
            assert [own_words(each.content) for each in stage.from_bot] == [LONG]
            assert await scene.troupe.terminate() == 0


async def test_redis_that_dies_in_the_middle_leaves_no_half_answer(tmp_path: Path) -> None:
    port = free_port()

    def redis() -> contextlib.AbstractContextManager[int]:
        return server(tmp_path / "redis", "--appendonly", "yes", port=port)

    with contextlib.ExitStack() as running:
        running.enter_context(redis())
        async with opened(tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0") as scene:
            alice = scene.person()
            first, second = scene.channel(), scene.channel()
            before, _ = await scene.exchange(second, alice, "hello", TALE)
            (old,) = second.replies_to(before)
            scene.ollama.set_pace(rate=12)
            scene.ollama.reply_with(LONG)
            asked = await first.says(alice, "tell me a tale", mention_bot=True)
            await alice.click(old, control(old, "again"))
            reply = await first.next_reply(asked, quiet=0)
            await until(lambda: LONG.startswith(old.content[:30]), "a part of another variant")
            running.close()  # killed
            for each in (reply, old):
                await until(lambda each=each: own_words(each.content) == LONG, "the whole")
            running.enter_context(redis())
            assert await scene.answer(first, asked) == LONG
            await until(lambda: "2/2" in str(old.components), "both variants")
            assert len(first.from_bot) == len(second.from_bot) == 1
            scene.ollama.set_pace(rate=None)
            for stage in (first, second):  # it is remembered, too
                await scene.exchange(stage, alice, "and then?", TALE)
                assert LONG in contents(scene.asked("and then?")[-1:])
            async with asyncio.timeout(PATIENCE):
                while unsettled(port):
                    await asyncio.sleep(0.1)
            assert await scene.troupe.terminate() == 0
