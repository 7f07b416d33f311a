"""`/route`: looking at the router, and correcting it, as people do it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from functools import partial
from pathlib import Path

import pytest

from bot.chat.place import ChannelId, GuildId
from bot.chat.place import Place as Chat
from bot.cli import build_parser
from bot.commandline.data import export_corrections
from bot.files.data_files import personas_dir
from bot.routing import Router
from bot.routing.dataset import read_labelled
from bot.routing.features import FEATURE_VERSION
from bot.routing.route import Route
from bot.routing.table import SCHEMA
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Message
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.troupe import running
from tests.unit.routing.test_watch import table

FACT = "how tall is mount everest in metres"
STORY = "write me a short story about a lighthouse keeper and a storm"
GIF = "https://example.org/a.gif"


@pytest.fixture
def mod(stage: Stage) -> Person:
    """Somebody who may do everything about routes."""
    return stage.guild.member(
        "mo", permissions=["manage_messages", "manage_channels", "manage_guild"]
    )


async def asks(place: Place, person: Person, text: str) -> tuple[Message, Message]:
    """Say something to the bot; return it with the whole reply."""
    asked = await place.says(person, text, mention_bot=True)
    return asked, await place.next_reply(to=asked, quiet=0.3)


def has(reply: Message, text: str) -> bool:
    return text in reply.content


async def route_of(place: Place, person: Person, reply: Message) -> str:
    """Return what `/route why` says of a reply."""
    shown = await person.slash(place, "route why", message=str(reply.id))
    assert shown.ephemeral
    return shown.text


# ── looking ─────────────────────────────────────────────────────────────────────────────────


async def test_why_shows_the_decision_with_its_numbers(stage: Stage) -> None:
    _, reply = await asks(stage.channel, stage.guest, FACT)
    text = await route_of(stage.channel, stage.guest, reply)
    assert "Route: **factual**, by table (sure)" in text
    for route in Route:
        assert f"- {route.value}: " in text
    last = await stage.guest.slash(stage.channel, "route why")
    assert last.text == text


async def test_why_names_the_turn_before_and_the_reasons(stage: Stage) -> None:
    await asks(stage.channel, stage.guest, STORY)
    _, reply = await asks(stage.channel, stage.guest, "more")
    text = await route_of(stage.channel, stage.guest, reply)
    assert "Route: **creative**" in text
    assert "only continues the turn before" in text
    assert "Because: continues the previous creative turn" in text


async def test_why_answers_while_the_reply_is_still_written_and_after_a_restart(
    stage: Stage,
) -> None:
    stage.ollama.fail_next("stall", after=2, seconds=PATIENCE)
    asked = await stage.channel.says(stage.guest, FACT, mention_bot=True)
    await stage.ollama.until(lambda: bool(stage.ollama.chats))
    for given in ({}, {"message": str(asked.id)}):
        shown = await stage.guest.slash(stage.channel, "route why", **given)
        assert "Route: **factual**, by table (sure)" in shown.text
    await stage.channel.delete(asked)  # which ends its turn
    elsewhere = stage.guild.channel("elsewhere")
    _, reply = await asks(elsewhere, stage.guest, STORY)
    before = await route_of(elsewhere, stage.guest, reply)
    await stage.restart()
    after = await route_of(elsewhere, stage.guest, reply)
    assert after == before
    assert "Route: **creative**, by table" in after


async def test_of_a_turn_long_ago_the_route_is_known_still(stage: Stage) -> None:
    _, reply = await asks(stage.channel, stage.guest, STORY)
    place = Chat(ChannelId(stage.channel.id), GuildId(stage.guild.record.id))
    await stage.restart()
    await stage.troupe.stores.replies.reset(place)
    text = await route_of(stage.channel, stage.guest, reply)
    assert text == "Route: **creative**. Why is no longer known."


async def test_only_who_may_correct_is_told_how(stage: Stage, mod: Person) -> None:
    _, reply = await asks(stage.channel, stage.guest, FACT)
    assert "/route fix" not in await route_of(stage.channel, stage.guest, reply)
    assert "/route fix" in await route_of(stage.channel, mod, reply)
    await mod.slash(stage.channel, "route pin", route="creative")
    _, pinned = await asks(stage.channel, mod, FACT)
    assert "/route fix" not in await route_of(stage.channel, mod, pinned), "the pin comes first"


async def test_try_asks_as_if_it_were_said_here_and_now(stage: Stage) -> None:
    await asks(stage.channel, stage.guest, STORY)
    here = await stage.guest.slash(stage.channel, "route try", text="more")
    assert "Route: **creative**" in here.text
    elsewhere = stage.guild.channel("elsewhere")
    there = await stage.guest.slash(elsewhere, "route try", text="more")
    assert "only continues the previous" not in there.text
    assert "continues the previous creative turn" in here.text


@pytest.mark.parametrize("given", ["hello", "999999999999999999", "@everyone", "-1", "x" * 300])
async def test_what_is_no_reply_gets_a_clear_answer(stage: Stage, given: str) -> None:
    shown = await stage.guest.slash(stage.channel, "route why", message=given)
    assert shown.ephemeral
    assert "message" in shown.text
    assert "went wrong" not in shown.text


async def test_try_shows_a_route_and_counts_nothing(stage: Stage, mod: Person) -> None:
    shown = await stage.guest.slash(stage.channel, "route try", text=STORY)
    assert "Route: **creative**, by table" in shown.text
    hostile = await stage.guest.slash(stage.channel, "route try", text="@everyone `*_~" * 100)
    assert "Route: **" in hostile.text
    assert "@everyone" not in hostile.text
    half = await stage.guest.slash(stage.channel, "route try", text="is half a sign \ud83d text?")
    assert "Route: **" in half.text
    stats = await mod.slash(stage.channel, "route stats")
    assert stats.text.count("nothing was routed") == 2  # since the start, and in the last day


async def test_try_says_what_the_bot_would_do_about_a_crisis_and_keeps_nothing(
    stage: Stage, mod: Person
) -> None:
    text = "i want to kill myself tonight"
    shown = await stage.guest.slash(stage.channel, "route try", text=text)
    assert "Route: **companion**, by safety" in shown.text
    assert "signs of distress" in shown.text
    phrase, alone = doubtful(stage)  # which would stay with the companion after such signs
    after = await stage.guest.slash(stage.channel, "route try", text=phrase)
    assert f"Route: **{alone}**, by table" in after.text
    _, reply = await asks(stage.channel, stage.guest, STORY)
    assert "Route: **creative**" in await route_of(stage.channel, stage.guest, reply)


async def test_while_care_is_in_force_a_story_is_told_by_nobody_and_the_reason_is_true(
    stage: Stage,
) -> None:
    await asks(stage.channel, stage.guest, "i want to kill myself tonight")
    _, reply = await asks(stage.channel, stage.guest, STORY)
    for shown in (
        await route_of(stage.channel, stage.guest, reply),
        (await stage.guest.slash(stage.channel, "route try", text=STORY)).text,
    ):
        assert "Route: **companion**, by safety" in shown
        assert "care is in force: no story for now" in shown


# ── pins ────────────────────────────────────────────────────────────────────────────────────


async def test_my_pin_is_mine_and_can_be_taken_out(stage: Stage, mod: Person) -> None:
    shown = await stage.guest.slash(stage.channel, "route pin", route="creative")
    assert "Your messages are **creative**" in shown.text
    _, reply = await asks(stage.channel, stage.guest, FACT)
    assert "Route: **creative**, by pin" in await route_of(stage.channel, stage.guest, reply)
    elsewhere = stage.guild.channel("elsewhere")
    _, reply = await asks(elsewhere, stage.guest, FACT)
    assert "by pin" in await route_of(elsewhere, stage.guest, reply)
    _, reply = await asks(stage.channel, mod, FACT)
    assert "Route: **factual**, by table" in await route_of(stage.channel, mod, reply)
    assert "chooses again" in (await stage.guest.slash(stage.channel, "route unpin")).text
    assert "nothing changed" in (await stage.guest.slash(stage.channel, "route unpin")).text
    _, reply = await asks(elsewhere, stage.guest, FACT)
    assert "by table" in await route_of(elsewhere, stage.guest, reply)


async def test_a_place_s_pin_needs_manage_channels(stage: Stage) -> None:
    refused = await stage.guest.slash(stage.channel, "route pin", route="creative", scope="here")
    assert "Manage Channels" in refused.text
    done = await stage.admin.slash(stage.channel, "route pin", route="companion", scope="here")
    assert "Everything said here is **companion**" in done.text
    _, reply = await asks(stage.channel, stage.guest, FACT)
    assert "Route: **companion**, by pin" in await route_of(stage.channel, stage.guest, reply)
    refused = await stage.guest.slash(stage.channel, "route unpin", scope="here")
    assert "Manage Channels" in refused.text


async def test_unpin_tells_of_the_pin_that_is_left(stage: Stage) -> None:
    pinned = await stage.admin.slash(stage.channel, "route pin", route="factual", scope="here")
    assert "`/route unpin` for everybody's messages here" in pinned.text
    none = await stage.guest.slash(stage.channel, "route unpin")
    assert none.text == (
        "There was no such pin. Your messages here are still **factual**, by another pin."
    )
    await stage.admin.slash(stage.channel, "route pin", route="creative")
    gone = await stage.admin.slash(stage.channel, "route unpin", scope="here")
    assert "That pin is gone. Your messages here are still **creative**" in gone.text
    assert "chooses again" in (await stage.admin.slash(stage.channel, "route unpin")).text


async def test_signs_of_distress_win_over_a_pin_and_hold_the_companion(stage: Stage) -> None:
    await stage.guest.slash(stage.channel, "route pin", route="factual")
    _, reply = await asks(stage.channel, stage.guest, "i want to kill myself tonight")
    assert "Route: **companion**, by safety" in await route_of(stage.channel, stage.guest, reply)


async def test_a_pin_works_in_a_direct_message(stage: Stage) -> None:
    dm = stage.discord.dm(stage.guest)
    await stage.guest.slash(dm, "route pin", route="creative", scope="here")
    asked = await dm.says(stage.guest, FACT)
    reply = await dm.next_reply(to=asked, quiet=0.3)
    assert "by pin" in await route_of(dm, stage.guest, reply)
    mine = await stage.guest.slash(dm, "route pin", route="creative")
    assert "Everything said here is **creative**" in mine.text, "it holds nowhere else"
    stats = await stage.guest.slash(dm, "route stats")
    assert "server" in stats.text


# ── corrections ─────────────────────────────────────────────────────────────────────────────


async def test_a_fixed_message_goes_the_right_way_the_next_time(stage: Stage, mod: Person) -> None:
    asked, reply = await asks(stage.channel, stage.guest, FACT)
    assert "factual" in await route_of(stage.channel, stage.guest, reply)
    fixed = await mod.slash(stage.channel, "route fix", label="companion", message=str(asked.id))
    assert "went to factual" in fixed.text
    assert "**companion**" in fixed.text
    assert "without its text" in fixed.text
    _, reply = await asks(stage.channel, stage.guest, f"{FACT.upper()}??")
    text = await route_of(stage.channel, stage.guest, reply)
    assert "Route: **companion**, by correction" in text
    assert "like it to companion" in text
    tried = await stage.guest.slash(stage.channel, "route try", text=FACT)
    assert "by correction" in tried.text


async def test_what_only_continues_is_corrected_after_such_a_turn_and_fix_says_so(
    stage: Stage, mod: Person
) -> None:
    await asks(stage.channel, stage.guest, STORY)
    asked, _ = await asks(stage.channel, stage.guest, "more")
    fixed = await mod.slash(stage.channel, "route fix", label="companion", message=str(asked.id))
    assert "**companion** from now on after a creative turn of the same person" in fixed.text
    other = stage.guild.channel("elsewhere")
    await asks(other, stage.guest, FACT)
    assert "by correction" not in (await stage.guest.slash(other, "route try", text="more")).text
    await asks(other, stage.guest, STORY)
    assert "by correction" in (await stage.guest.slash(other, "route try", text="more")).text


async def test_the_reply_or_nothing_names_the_message_too(stage: Stage, mod: Person) -> None:
    _, reply = await asks(stage.channel, stage.guest, FACT)
    by_reply = await mod.slash(stage.channel, "route fix", label="creative", message=str(reply.id))
    assert "**creative**" in by_reply.text
    last = await mod.slash(stage.channel, "route fix", label="companion")
    assert "**companion**" in last.text
    assert "by correction" in (await mod.slash(stage.channel, "route try", text=FACT)).text


async def test_only_moderators_correct_and_only_what_was_answered(
    stage: Stage, mod: Person
) -> None:
    refused = await stage.guest.slash(stage.channel, "route fix", label="creative")
    assert "Manage Messages" in refused.text
    nothing = await mod.slash(stage.channel, "route fix", label="creative")
    assert "no answered message" in nothing.text
    unknown = await mod.slash(
        stage.channel, "route fix", label="creative", message="123456789012345678"
    )
    assert "no answered message" in unknown.text


async def test_a_message_without_words_teaches_nothing(stage: Stage, mod: Person) -> None:
    asked, _ = await asks(stage.channel, stage.guest, GIF)
    shown = await mod.slash(stage.channel, "route fix", label="creative", message=str(asked.id))
    assert "no words" in shown.text


async def test_a_deleted_message_takes_its_correction_along(stage: Stage, mod: Person) -> None:
    asked, _ = await asks(stage.channel, stage.guest, FACT)
    await mod.slash(stage.channel, "route fix", label="companion", message=str(asked.id))
    await stage.channel.delete(asked)
    async with asyncio.timeout(PATIENCE):
        while "by correction" in (await mod.slash(stage.channel, "route try", text=FACT)).text:
            await asyncio.sleep(0.05)


async def test_texts_are_exported_only_where_the_server_keeps_them(
    stage: Stage, mod: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guild, settings = stage.guild.record.id, stage.troupe.settings
    file = tmp_path / "corrections.jsonl"
    refused = await stage.guest.slash(stage.channel, "route keep-text", texts="on")
    assert "Manage Server" in refused.text
    asked, _ = await asks(stage.channel, stage.guest, FACT)
    await mod.slash(stage.channel, "route fix", label="companion", message=str(asked.id))
    assert await export_corrections(settings, guild, file) == 0
    assert file.read_text() == ""
    assert "1 without their text" in capsys.readouterr().out
    on = await mod.slash(stage.channel, "route keep-text", texts="on")
    assert "keeps the text" in on.text
    again = await mod.slash(stage.channel, "route fix", label="companion", message=str(asked.id))
    assert "with its text" in again.text
    assert await export_corrections(settings, guild, file) == 0
    assert [(each.text, each.label) for each in read_labelled(file)] == [(FACT, Route.COMPANION)]
    assert file.stat().st_mode & 0o077 == 0
    off = await mod.slash(stage.channel, "route keep-text", texts="off")
    assert "1 were dropped" in off.text
    assert await export_corrections(settings, guild, file) == 0
    assert file.read_text() == ""
    assert await export_corrections(settings, guild, tmp_path / "no" / "folder") == 1


@pytest.mark.parametrize("ident", ["x", "-1", "0", "9" * 30, "1e3", "٣"])
def test_a_wrong_server_id_is_refused(ident: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["route", "corrections", "--guild", ident, "--out", "x"])
    assert ended.value.code == 2
    assert "id of a server" in capsys.readouterr().err


# ── stats and reload ────────────────────────────────────────────────────────────────────────


async def test_stats_count_what_was_acted_on(stage: Stage, mod: Person) -> None:
    await asks(stage.channel, stage.guest, FACT)
    asked, _ = await asks(stage.channel, stage.guest, STORY)
    await mod.slash(stage.channel, "route fix", label="companion", message=str(asked.id))
    tally, counts = stage.troupe.dispatcher.tally, stage.troupe.stores.route_counts
    await tally.flush(counts)
    stats = await mod.slash(stage.channel, "route stats")
    for part in stats.text.split("**In the last day**"):
        assert "2 decisions: creative 1, factual 1" in part
        assert "decided by table 2" in part
        assert "switched 1, corrected 1" in part
    page = stage.troupe.metrics.exposition().decode()
    assert 'troupe_route_decisions_total{route="factual",source="table",stage="table"} 1.0' in page
    assert 'troupe_route_corrections_total{instead_of="creative",label="companion"} 1.0' in page
    assert "troupe_route_flips_total 1.0" in page
    version = f"{SCHEMA}.{FEATURE_VERSION}"
    assert re.search(rf'troupe_route_model{{sha256="\w{{12}}",version="{version}"}} 1', page)


async def test_a_new_table_comes_into_service_under_load_without_a_failed_turn(
    stage: Stage,
) -> None:
    whole = "Eight thousand eight hundred and forty-nine."
    stage.ollama.reply_with(whole)
    channels = [stage.guild.channel(f"load-{number}") for number in range(4)]
    router = stage.troupe.dispatcher.router
    seen: set[float] = set()

    async def talk(channel: Place, number: int) -> None:
        person = stage.guild.member(f"guest-{number}")
        for _ in range(4):
            asked = await channel.says(person, FACT, mention_bot=True)
            reply = await channel.next_reply(to=asked, quiet=0)
            await stage.discord.world.until(partial(has, reply, whole), "the whole answer")
            assert router.table is not None
            seen.add(router.table.header.threshold)

    async def swap() -> None:
        for threshold in (0.61, 0.62):
            new = stage.folder / "route.table.new"
            new.write_bytes(table(threshold))
            os.replace(new, stage.folder / "route.table")
            async with asyncio.timeout(PATIENCE):
                while router.table is None or router.table.header.threshold != threshold:
                    await asyncio.sleep(0.02)

    await asyncio.gather(swap(), *(talk(channel, at) for at, channel in enumerate(channels)))
    page = stage.troupe.metrics.exposition().decode()
    assert 'outcome="failed"' not in page
    assert 'troupe_route_reloads_total{outcome="loaded"} 2.0' in page


async def test_a_table_that_fails_the_canaries_is_refused_and_counted(stage: Stage) -> None:
    router = stage.troupe.dispatcher.router
    before = router.table
    (stage.folder / "route.table").write_bytes(table(blank=True))
    async with asyncio.timeout(PATIENCE):
        while 'troupe_route_reloads_total{outcome="refused"} 1.0' not in (
            stage.troupe.metrics.exposition().decode()
        ):
            await asyncio.sleep(0.05)
    assert router.table is before
    _, reply = await asks(stage.channel, stage.guest, FACT)
    assert "factual" in await route_of(stage.channel, stage.guest, reply)
    assert json.loads((stage.folder / "route.table").read_bytes().partition(b"\n")[0])["schema"]


# ── the conversation's part ─────────────────────────────────────────────────────────────────


def doubtful(stage: Stage) -> tuple[str, Route]:
    """Return a message that the router is not sure of, and its route."""
    router = stage.troupe.dispatcher.router
    for phrase in ("which one is heavier", "give me a name", "what would you call a cat"):
        found = router.route(phrase, previous=None, now=1.0)
        if found.route is not Route.COMPANION and found.confidence < 0.9:
            return phrase, found.route
    raise AssertionError("the router is sure of everything")


async def test_after_signs_of_distress_a_doubtful_message_stays_with_the_companion(
    stage: Stage,
) -> None:
    text, alone = doubtful(stage)
    await asks(stage.channel, stage.guest, "i want to kill myself tonight")
    _, reply = await asks(stage.channel, stage.guest, text)
    shown = await route_of(stage.channel, stage.guest, reply)
    assert "Route: **companion**" in shown
    assert "signs of distress a while ago" in shown or "previous companion" in shown
    elsewhere = stage.guild.channel("elsewhere")
    other = await stage.guest.slash(elsewhere, "route try", text=text)
    assert "signs of distress a while ago" in other.text, "it holds in the whole server"
    somebody = await stage.admin.slash(elsewhere, "route try", text=text)
    assert f"Route: **{alone}**" in somebody.text


async def test_a_running_scene_takes_in_who_joins_it(stage: Stage) -> None:
    line = "i'm terrified. don't leave me here"
    alone = await stage.admin.slash(stage.channel, "route try", text=line)
    assert "Route: **companion**" in alone.text
    stage.ollama.reply_next("*lifts the lantern* Who goes there, in this storm?")
    await asks(stage.channel, stage.guest, STORY)
    _, reply = await asks(stage.channel, stage.admin, line)
    text = await route_of(stage.channel, stage.admin, reply)
    assert "Route: **creative**" in text
    assert "a scene is open" in text


async def test_what_one_person_asked_before_is_not_another_s_turn(stage: Stage) -> None:
    await asks(stage.channel, stage.guest, STORY)
    await asks(stage.channel, stage.admin, FACT)
    _, mine = await asks(stage.channel, stage.guest, "more")
    assert "Route: **creative**" in await route_of(stage.channel, stage.guest, mine)
    _, theirs = await asks(stage.channel, stage.admin, "more")
    assert "Route: **factual**" in await route_of(stage.channel, stage.admin, theirs)


async def test_the_operator_may_let_a_model_settle_doubts(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "personas"
    shutil.copytree(personas_dir(), folder)
    with (folder / "routes.toml").open("a") as file:
        file.write("\n[model_stage]\nenabled = true\ndeadline_ms = 2000\n")
    phrases = ("which one then", "what about tea", "how does that even work", "the red one")
    router = Router.load()
    doubtful = next(
        text for text in phrases if router.route(text, previous=None, now=1.0).uncertain
    )
    guild = discord.guild("home", channels=["general"])
    channel, guest = guild.channel("general"), guild.member("guy")
    async with running(discord, ollama, redis_url, tmp_path, personas=folder) as troupe:
        ollama.reply_with("B")
        shown = await guest.slash(channel, "route try", text=doubtful)
        assert "by model" in shown.text
        assert "the model says creative" in shown.text
        sure = await guest.slash(channel, "route try", text=FACT)
        assert "by table" in sure.text
        page = troupe.metrics.exposition().decode()
        assert 'troupe_route_model_seconds_count{outcome="answered"} 1.0' in page
