"""The program as its operator meets it: start, stop, pages, commands and exit codes."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.adapters.redis.embedded import is_running
from bot.chat.notices import INTERRUPTED
from bot.files.data_files import personas_dir
from tests.e2e.troupe import MODEL, Troupe, connections, environment, opened, run, until
from tests.fakes import PATIENCE
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama

NO_OLLAMA = "http://127.0.0.1:9"  # the discard port: nothing listens there


# ── the running bot ─────────────────────────────────────────────────────────────────────────


async def test_pages_for_whoever_watches_and_restarts_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        troupe, stage, alice = scene.troupe, scene.channel(), scene.person()
        await troupe.ready(200)
        status, page = await troupe.get("/livez")
        assert status == 200
        assert json.loads(page)["ok"] is True
        _, page = await troupe.get("/readyz")
        assert {"redis", "backend", "gateway"} <= {c["name"] for c in json.loads(page)["checks"]}

        await scene.exchange(stage, alice, "how tall is K2?", "8,611 metres.")
        labels = {"route": "factual", "trigger": "mention", "outcome": "answered"}
        assert await troupe.metric("troupe_turns_total", **labels) == 1
        _, page = await troupe.get("/metrics")
        for name in (
            "troupe_turn_seconds",
            "troupe_ollama_first_token_seconds",
            "troupe_queue_depth",
            "troupe_discord_requests_total",
            "troupe_discord_gateway_latency_seconds",
            "troupe_event_loop_lag_seconds",
        ):
            assert f"\n{name}" in page, name
        assert "K2" not in page
        assert str(alice.id) not in page
        assert str(stage.id) not in page

        await scene.ollama.stop()
        assert "backend" in await troupe.ready(503)
        assert (await troupe.get("/livez"))[0] == 200  # a restart would not help
        await scene.ollama.start()
        await troupe.ready(200)
        await scene.discord.gateway.down()
        assert "gateway" in await troupe.ready(503)
        await troupe.up(lambda: [each for each in troupe.log if "gateway away" in each], "a line")
        assert not any("Traceback" in line for line in troupe.log)
        await scene.discord.gateway.up()
        await troupe.ready(200)


async def test_commands_are_registered_once(tmp_path: Path) -> None:
    async with opened(tmp_path, fresh=True) as scene:
        assert scene.discord.command_syncs == 1
        assert await scene.troupe.terminate() == 0
        await scene.troupe.start()
        await scene.troupe.logged("connected")
        assert scene.discord.command_syncs == 1
        told = await scene.person().slash(scene.channel(), "about")
        assert MODEL in told.text
        assert not [line for line in scene.troupe.log if "voice will NOT" in line]


async def test_another_signal_ends_the_wait_for_running_turns_and_loses_none(
    tmp_path: Path,
) -> None:
    tale = " ".join(f"On evening {n} he counted {n} lights." for n in range(1, 31))
    async with opened(tmp_path) as scene:
        stage, alice, troupe = scene.channel(), scene.person(), scene.troupe
        scene.ollama.set_pace(rate=20)
        scene.ollama.reply_with(tale)
        asked = await stage.says(alice, "tell me a tale", mention_bot=True)
        await stage.next_reply(asked, quiet=0)
        troupe.process.send_signal(signal.SIGINT)
        await troupe.logged("draining", running=1)
        assert stage.answer_to(asked) != tale  # there is time: it is being waited for
        troupe.process.send_signal(signal.SIGINT)
        assert await troupe.ended() == 0
        (drained,) = troupe.events("drained")
        assert drained["left_to_successor"] == 1
        assert stage.answer_to(asked).endswith(f"-# {INTERRUPTED}")
        scene.ollama.set_pace(rate=None)
        await troupe.start()
        assert await troupe.over(asked) == "answered"
        (reply,) = stage.from_bot
        assert tale in reply.content


async def test_a_token_that_discord_refuses_ends_the_program(tmp_path: Path) -> None:
    async with FakeDiscord() as discord, FakeOllama([MODEL]) as ollama:
        settings = connections(discord, ollama) | {"DISCORD_TOKEN": "wrong.token.entirely"}
        ended = await run(tmp_path, "run", **settings)
    assert ended.code == 2
    assert "settings: DISCORD_TOKEN: " in ended.err
    assert "wrong.token.entirely" not in ended.err + ended.out


async def test_an_intent_that_is_not_granted_ends_the_program(tmp_path: Path) -> None:
    async with FakeDiscord(privileged_intents=0) as discord, FakeOllama([MODEL]) as ollama:
        settings = connections(discord, ollama) | {"DISCORD_MESSAGE_CONTENT_INTENT": "true"}
        ended = await run(tmp_path, "run", **settings)
    assert ended.code == 2
    assert "settings: DISCORD_MESSAGE_CONTENT_INTENT: " in ended.err


async def test_without_the_intent_mentions_are_answered_and_auto_mode_is_refused(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as scene:
        stage, alice = scene.channel(), scene.person("manage_channels")
        refused = await alice.slash(stage, "channel mode", mode="auto")
        assert "message content intent" in refused.text
        _, answer = await scene.exchange(stage, alice, "how tall is K2?", "8,611 metres.")
        assert answer == "8,611 metres."
        deaf = "In threads, too, I only see messages that mention me"
        assert deaf not in (await alice.slash(stage, "channel mode", mode="mention")).text
        assert deaf in (await alice.slash(stage, "channel mode", mode="thread")).text
        assert deaf in (await alice.slash(stage, "doctor")).text
        settings = (await alice.slash(stage, "channel settings")).response
        assert settings is not None
        for mode in ("mention", "thread"):
            await alice.click(settings, "set:open:mode:channel")
            chosen = await alice.select(settings, "set:pick:mode:channel", mode)
            assert (deaf in chosen.card) is (mode == "thread")
        await scene.troupe.logged("connected")  # who comes before has not just joined
        guild = scene.discord.guild("new", channels=["lobby"], joins=True)
        boss, lobby = guild.member("boss", permissions=["manage_guild"]), guild.channel("lobby")
        (card,) = await until(lambda: lobby.from_bot, "a welcome card")
        for mode in ("mention", "thread"):
            step = (await boss.click(card, "welcome:start")).response
            assert step is not None
            await boss.select(step, "welcome:who", "bram")
            done = await boss.select(step, "welcome:when", mode)
            assert (deaf in done.card) is (mode == "thread")


# ── settings ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"OLLAMA_HOSTS": "not a url"}, "OLLAMA_HOSTS: "),
        ({"OLLAMA_NUM_CTX": "17"}, "OLLAMA_NUM_CTX: "),
        ({"OLLAMA_MODLE": "llama3.2:3b"}, "OLLAMA_MODLE: unknown setting; did you mean"),
        ({"OLLAMA_HEADERS": "secretvalue"}, "OLLAMA_HEADERS: must be JSON"),
        ({"REDIS_URL": "http://secretvalue"}, "REDIS_URL: must start with"),
        ({"DISCORD_SHARD_IDS": "5"}, "DISCORD_SHARD_IDS must lie between"),
        ({"PLAY_HOST": "0.0.0.0"}, "set PLAY_TOKEN"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT: "),
        ({"ENCRYPTION_KEYS": "secretvalue"}, "ENCRYPTION_KEYS: "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_a_wrong_setting_is_one_clear_line(
    tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    ended = await run(tmp_path, "run", **settings)
    assert ended.code == 2
    (line,) = [line for line in ended.err.splitlines() if line.startswith("settings: ")]
    assert says in line
    assert "secretvalue" not in ended.err + ended.out
    assert "Traceback" not in ended.err


async def test_a_redis_that_is_away_is_said_and_the_program_ends(tmp_path: Path) -> None:
    ended = await run(tmp_path, "run", REDIS_URL="redis://:hushhush@127.0.0.1:9/0")
    assert ended.code == 3
    assert "Traceback" not in ended.err
    assert "hushhush" not in ended.err + ended.out
    assert ended.err.strip().splitlines()[-1].startswith("run: ")


async def test_wrong_keys_are_refused_before_anything_starts(tmp_path: Path) -> None:
    ended = await run(tmp_path, "run", ENCRYPTION_KEYS="k1:bm90IDMyIGJ5dGVz")
    assert ended.code == 2
    assert ended.err.startswith("settings: ENCRYPTION_KEYS: key 1 must be base64 of 32 bytes")
    assert "bm90" not in ended.err
    assert not list(tmp_path.iterdir())


# ── the other commands ──────────────────────────────────────────────────────────────────────


async def test_the_doctor_finds_all_well(tmp_path: Path) -> None:
    async with FakeDiscord() as discord, FakeOllama([MODEL]) as ollama:
        discord.guild("home")
        ended = await run(tmp_path, "doctor", fresh=True, **connections(discord, ollama))
        token = discord.token
    assert ended.code == 0, ended.out
    lines = ended.out.splitlines()
    assert lines[-1] == "all well"
    assert all(line.startswith("ok  ") for line in lines[:-1])
    for part in (
        "personas",
        "route table",
        "Redis",
        "schema",
        "Ollama at",
        "model llama3.2:3b",
        "Discord token",
    ):
        assert part in ended.out
    assert token not in ended.out + ended.err
    assert not list(tmp_path.iterdir())  # looking makes nothing


async def test_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    async with FakeDiscord() as discord, FakeOllama(["other:1b"]) as ollama:
        guild = discord.guild("home")
        guild.forbid_bot("send_messages")
        guild.record.roles[guild.id].permissions = 0  # what everybody may do
        settings = connections(discord, ollama)
        settings["OLLAMA_HOSTS"] += f",{NO_OLLAMA}"
        settings["REDIS_URL"] = "redis://127.0.0.1:9/0"
        own = tmp_path / "personas"
        shutil.copytree(personas_dir(), own)
        with (own / "routes.toml").open("a", encoding="utf-8") as file:
            file.write("\n[model_stage]\nenabled = 1\n")
        (own / "route.table").write_bytes(b"junk")
        settings["PERSONAS_DIR"] = str(own)
        ended = await run(tmp_path, "doctor", **settings)
        settings["DISCORD_TOKEN"] = "wrong.token.entirely"
        stranger = await run(tmp_path, "doctor", **settings)
        settings["DISCORD_API_BASE"] = "http://127.0.0.1:9/api/v10"
        nobody = await run(tmp_path, "doctor", **settings)
    assert ended.code == 1
    ill = [line for line in ended.out.splitlines() if line.startswith("FAIL")]
    for advice in (
        "run `troupe pull`",
        "start it, or correct OLLAMA_HOSTS",
        "check REDIS_URL",
        "[model_stage] `enabled` must be true or false",
        f"`troupe route rollback`, or remove {own / 'route.table'}",
        "missing Send Messages: invite again with https://discord.com/",
    ):
        assert any(advice in line for line in ill), ended.out
    assert stranger.code == 1
    assert "Discord token: refused: reset it" in stranger.out
    silent = "FAIL Discord: no answer from http://127.0.0.1:9/api/v10: check DISCORD_API_BASE"
    assert silent in nobody.out.splitlines()
    assert "wrong.token.entirely" not in stranger.out + stranger.err


async def test_a_migration_is_told_before_it_is_done(tmp_path: Path) -> None:
    first = await run(tmp_path, "migrate", "--dry-run")
    assert first.code == 0
    assert "schema version 0; would apply: 0001_initial" in first.out
    assert not list(tmp_path.rglob("redis"))  # the dry run has made nothing
    done = await run(tmp_path, "migrate")
    assert "; applied: 0001_initial" in done.out
    again = await run(tmp_path, "migrate", "--dry-run")
    assert "; would apply: nothing" in again.out


async def test_a_talk_in_the_terminal(tmp_path: Path) -> None:
    async with FakeOllama([MODEL], num_ctx=8192) as ollama:
        ollama.reply_next("Good evening to you.", "8,611 metres.")
        ended = await run(
            tmp_path, "chat", "--persona", "bram",
            said="good evening\n\n  // psst, a secret\nhow tall is K2?\n/quit\nnever read\n",
            OLLAMA_HOSTS=ollama.url,
        )  # fmt: skip
        sent = [str(message["content"]) for message in ollama.chats[-1].messages]
    assert ended.code == 0, ended.err
    assert "Good evening to you." in ended.out
    assert "8,611 metres." in ended.out
    assert ended.out.count("[Bram") == 2
    assert "A message that begins with `//` is hidden from me: it was not sent." in ended.out
    assert any("Good evening to you." in text for text in sent)
    assert "never read" not in "".join(sent)
    assert "secret" not in "".join(sent)


async def test_a_talk_in_the_terminal_tells_of_failures(tmp_path: Path) -> None:
    said = f"{'x' * 1_000_000}\n{'é' * 4_001}\nhow tall is K2?\n"
    ended = await run(tmp_path, "chat", said=said, OLLAMA_HOSTS=NO_OLLAMA)
    assert ended.code == 0
    assert ended.out.count("That is too long: a message has 4,000 characters at most.") == 2
    assert "The model can't be reached right now." in ended.out
    unknown = await run(tmp_path, "chat", "--persona", "nobody", OLLAMA_HOSTS=NO_OLLAMA)
    assert unknown.code == 2
    assert "chat: --persona: there is no 'nobody', but " in unknown.err
    assert "bram" in unknown.err
    assert "Traceback" not in unknown.err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["Ctrl-C", "SIGTERM"]
)
async def test_a_signal_ends_a_talk_at_once_and_leaves_nothing_running(
    tmp_path: Path, number: int, code: int
) -> None:
    """At Ctrl-C the model is speaking, at SIGTERM the program waits for a line."""
    async with FakeOllama([MODEL], num_ctx=8192) as ollama:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "chat"),
            cwd=tmp_path,
            env=environment(DATA_DIR=str(tmp_path / "data"), OLLAMA_HOSTS=ollama.url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE):
                await process.stdout.readuntil(b"> ")
                assert is_running(tmp_path / "data")
                if number == signal.SIGINT:
                    ollama.set_pace(rate=20)
                    ollama.reply_next("a long story, " * 200)
                    process.stdin.write(b"tell me a long story\n")
                    await process.stdout.readuntil(b"a long")
                process.send_signal(number)
                assert await process.wait() == code
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if number == signal.SIGINT:
            await until(lambda: ollama.cancelled, "the end of the generation")
    assert not is_running(tmp_path / "data")


@pytest.mark.parametrize(
    ("command", "settings"),
    [("run", {}), ("play", {"DISCORD_TOKEN": "never.used.here"})],
    ids=["run without a token", "play"],
)
async def test_with_nothing_at_all_the_playground_rehearses(
    tmp_path: Path, command: str, settings: dict[str, str]
) -> None:
    troupe = Troupe(tmp_path, settings, command=command, fresh=True)
    try:
        await troupe.start()
        url = await troupe.up(
            lambda: next((line.split()[-1] for line in troupe.out if "open at" in line), None),
            "the page's address",
        )
        async with aiohttp.ClientSession() as http:
            async with http.get(url) as response:
                assert response.status == 200
                assert "Troupe" in await response.text()
            async with http.get(f"{url.rstrip('/')}/api/state") as response:
                assert response.status == 200
                assert (await response.json())["status"]["rehearsal"] is True
        assert await troupe.terminate() == 0
        kept = "\n".join(troupe.log)
        assert "Traceback" not in kept
        assert "logging in" not in kept
    finally:
        await troupe.close()
