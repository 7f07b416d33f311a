"""Every command, menu, button and form with bad input: one clear line, and nothing stored.

The test walks what the bot has registered, so that a new command is tried as soon as it exists.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.adapters.redis import open_redis
from bot.chat.notices import UNEXPECTED
from tests.fakes import PATIENCE
from tests.fakes.discord.forging import Forger, Leaf, leaves
from tests.fakes.discord.handles import Person
from tests.fakes.discord.handles import Place as Channel
from tests.fakes.discord.interactions import SHOW_MODAL, Interaction
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of
from tests.integration.discord.commands.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRING, INTEGER, BOOLEAN, NUMBER = 3, 4, 5, 10
FOREIGN = "123456789012345678"
HOSTILE = (" \u200b", "@everyone `</a:1>` **x**\n# y", FOREIGN, "../../etc/passwd\x00", "-1")
TOO_LONG = "x" * 6001
"""Discord takes 6,000 characters."""


def given(each: Mapping[str, Any], value: Any) -> dict[str, Any]:
    return {"name": each["name"], "type": each["type"], "value": value}


def others(leaf: Leaf, wrong: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every other option that the command needs, well filled in."""
    needed = [each for each in leaf.options if each.get("required") and each is not wrong]
    return [given(each, plausible(each)) for each in needed]


def plausible(each: Mapping[str, Any]) -> Any:
    if each.get("choices"):
        return each["choices"][0]["value"]
    return {STRING: "a", INTEGER: 1, NUMBER: 1.0, BOOLEAN: True}.get(each["type"], FOREIGN)


def malformed(leaf: Leaf) -> Iterable[list[dict[str, Any]]]:
    """Return options that break what the command declares: missing, too long, of another type."""
    if any(each.get("required") for each in leaf.options):
        yield []
    for each in leaf.options:
        for value in unfit(each):
            yield [*others(leaf, each), given(each, value)]
    if leaf.options:
        yield [{"name": "no-such-option", "type": STRING, "value": "x"}]


def unfit(each: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return values that an option does not take."""
    if each.get("choices"):
        return ("no such choice", TOO_LONG, 5)
    match each["type"]:
        case 3:
            return (TOO_LONG, 5, True)
        case 4 | 10:
            return (2**53, -(2**53), "many")
        case 5:
            return ("yes", 2)
        case _:
            return (FOREIGN,)  # nobody, no channel, no role and no file came with it


def hostile(leaf: Leaf, *more: str) -> Iterable[list[dict[str, Any]]]:
    """Return options that a person may send, with texts that nobody wants."""
    for each in leaf.options:
        if each["type"] == STRING and not each.get("choices"):
            for text in (*HOSTILE, *more):
                fitting = text[: each.get("max_length", 6000)]
                yield [*others(leaf, each), given(each, fitting)]


def complaint(what: str, answer: Interaction) -> str | None:
    """Return what is wrong with an answer to somebody who did something wrong."""
    if answer.callback is None:
        return f"{what}: Interaction failed"
    if answer.late:
        return f"{what}: late"
    if answer.callback == SHOW_MODAL:
        return None
    if answer.announced:
        return f"{what}: it thinks for ever"
    if UNEXPECTED in answer.text:
        return f"{what}: {answer.text!r}"
    messages = [each for each in (answer.response, *answer.followups) if each is not None]
    if any(each.pings for each in messages):
        return f"{what}: it pings"
    return None


def refusal(what: str, answer: Interaction) -> str | None:
    """Return what is wrong with the refusal of something that can't be meant."""
    if (wrong := complaint(what, answer)) or answer.callback == SHOW_MODAL:
        return wrong
    if not answer.text.strip() and not answer.card:
        return f"{what}: no word"
    messages = [each for each in (answer.response, *answer.followups) if each is not None]
    if not all(each.ephemeral for each in messages):
        return f"{what}: everybody sees {answer.text!r}"
    if len(answer.text) > 2000 or "Traceback" in answer.text:
        return f"{what}: {answer.text[:200]!r}"
    return None


async def stored(stage: Stage, *people: Person) -> dict[bytes, bytes | None]:
    """Return everything in the database that belongs to the stage or to somebody on it."""
    owners = [stage.guild, stage.channel, stage.adult, stage.admin, stage.guest, *people]
    redis = await open_redis(stage.redis_url)
    try:
        names = [key async for key in redis.scan_iter()]
        kept = [n for n in names if any(str(owner.id) in n.decode() for owner in owners)]
        return {name: await redis.dump(name) for name in sorted(kept)}
    finally:
        await redis.aclose()


async def settings(stage: Stage) -> dict[bytes, bytes | None]:
    """Return what the server's admins have set, and its cards."""
    found = await stored(stage)
    return {k: v for k, v in found.items() if k.endswith((b":bindings", b":cards", b":guard"))}


def targets(stage: Stage, message: Message, leaf: Leaf) -> dict[str, Message]:
    return {"target": message} if leaf.is_menu else {}


@pytest.fixture
def well(caplog: pytest.LogCaptureFixture) -> Iterable[list[Any]]:
    """Fail when something in the bot broke, though nobody saw it."""
    with capture_logs() as lines, caplog.at_level(logging.ERROR):
        yield lines
    broken = [
        line for line in lines if line["log_level"] in ("error", "critical") or "exc_info" in line
    ]
    assert not broken
    assert not [record.getMessage() for record in caplog.records]


async def tried(
    stage: Stage, who: Person, where: Channel, cases: Iterable[tuple[Leaf, Any]], check: Any
) -> list[str]:
    """Use commands one after the other; return the complaints."""
    forger, wrong = Forger(stage.discord), []
    message = await where.says(stage.admin, "a word of mine")
    for leaf, options in cases:
        answer = await forger.use(who, where, leaf, options, **targets(stage, message, leaf))
        wrong.append(check(f"/{leaf.name} {str(options)[:160]}", answer))
    return [each for each in wrong if each]


@pytest.mark.usefixtures("well")
async def test_what_breaks_a_command_s_own_rules_is_refused_and_stores_nothing(
    stage: Stage,
) -> None:
    boss = stage.guild.member("boss", permissions=["administrator"])
    cases = [(leaf, options) for leaf in leaves(stage.discord) for options in malformed(leaf)]
    assert len(cases) > 60
    before = await stored(stage, boss)
    assert await tried(stage, boss, stage.channel, cases, refusal) == []
    assert await stored(stage, boss) == before


@pytest.mark.usefixtures("well")
async def test_an_interaction_that_is_over_is_no_error(stage: Stage) -> None:
    callback = "POST /interactions/{id}/{token}/callback"
    for code in (10062, 40060):
        stage.discord.fail(callback, status=404 if code == 10062 else 400, code=code)
        stage.discord.rest.interactions.deadline = 0.2
        with capture_logs() as lines:
            await stage.guest.slash(stage.channel, "about", timeout=0.5)
            await until_logged(lines, "command answered too late, or by another process")
        assert [line for line in lines if line["log_level"] in ("error", "warning")] == []
    stage.discord.rest.interactions.deadline = PATIENCE
    assert "Troupe" in (await stage.guest.slash(stage.channel, "about")).text


async def until_logged(lines: Sequence[Mapping[str, Any]], event: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not any(line["event"] == event for line in lines):
            await asyncio.sleep(0.02)


async def test_hostile_texts_are_answered_and_ping_nobody(stage: Stage) -> None:
    boss = stage.guild.member("boss", permissions=["administrator"])
    abroad = stage.discord.guild("abroad", channels=["den"]).channel("den")
    secret = await abroad.says(stage.discord.user("zoe"), "the merger is on Friday")
    link = (
        f"https://discord.com/channels/{stage.discord.guild('abroad').id}/{abroad.id}/{secret.id}"
    )
    cases = [(leaf, options) for leaf in leaves(stage.discord) for options in hostile(leaf, link)]
    assert len(cases) > 100
    assert await tried(stage, boss, stage.channel, cases, complaint) == []
    assert all(not message.pings for message in stage.channel.from_bot)
    assert "merger" not in " ".join(message.content for message in stage.channel.from_bot)
    assert "merger" not in str([chat.messages for chat in stage.ollama.chats])


@pytest.mark.usefixtures("well")
async def test_whatever_is_typed_into_an_option_something_is_offered(stage: Stage) -> None:
    forger = Forger(stage.discord)
    completed = [
        (leaf, each)
        for leaf in leaves(stage.discord)
        for each in leaf.options
        if each.get("autocomplete")
    ]
    assert len(completed) > 3
    for leaf, each in completed:
        for text in (*HOSTILE, "", "x" * 6000):
            focused = given(each, text) | {"focused": True}
            offered = await forger.use(stage.guest, stage.channel, leaf, [focused], typing=True)
            assert offered.choices is not None, f"/{leaf.name} {each['name']}: {text[:20]!r}"
            assert not offered.late


@pytest.mark.usefixtures("well")
async def test_who_lacks_the_permission_is_told_which_and_changes_nothing(stage: Stage) -> None:
    guarded = [leaf for leaf in leaves(stage.discord) if leaf.command["default_member_permissions"]]
    assert len(guarded) > 10
    cases = [(leaf, options) for leaf in guarded for options in ([], *hostile(leaf))]
    before = await stored(stage)
    assert await tried(stage, stage.guest, stage.channel, cases, refusal) == []
    assert await stored(stage) == before


@pytest.mark.usefixtures("well")
async def test_in_the_wrong_place_a_command_says_so(stage: Stage) -> None:
    post, _ = await stage.guild.forum("help").post("lamp", stage.admin, "it hums")
    places = (stage.discord.dm(stage.admin), await stage.channel.thread("side", stage.admin), post)
    for where in places:
        cases = [
            (leaf, options)
            for leaf in leaves(stage.discord)
            for options in [next(iter(malformed(leaf)), [])]
        ]
        assert await tried(stage, stage.admin, where, cases, complaint) == []


@pytest.mark.usefixtures("well")
async def test_forged_buttons_and_forms_are_answered(stage: Stage) -> None:
    boss = stage.guild.member("boss", permissions=["administrator"])
    forger, seen, forms = Forger(stage.discord), set(), []
    message = await stage.channel.says(stage.admin, "a word of mine")
    stage.ollama.reply_with("Wren.")
    asked = await stage.channel.says(boss, "name a bird", mention_bot=True)
    await stage.channel.next_reply(to=asked)
    for leaf in leaves(stage.discord):
        required = others(leaf, {})
        answer = await forger.use(
            boss, stage.channel, leaf, required, **targets(stage, message, leaf)
        )
        if answer.modal is not None:
            forms.append((leaf.name, answer.modal))
    for each in list(stage.discord.world.messages.values()):
        if each.channel is stage.channel.record:
            seen |= {p["custom_id"] for p in components_of(each.components) if "custom_id" in p}
    assert len(seen) > 10
    before, wrong = await settings(stage), []
    for ident in sorted(seen):
        for forged in (ident, f"{ident}:x", ident.rpartition(":")[0] or "x", ident[:-1]):
            pressed = await forger.press(stage.guest, stage.channel, message, forged)
            wrong.append(complaint(f"button {forged}", pressed))
    for name, modal in forms:
        for text in ("y" * 4001, *HOSTILE, ""):
            answer = await forger.submit(stage.guest, stage.channel, modal, text)
            wrong.append(complaint(f"form of {name}: {text[:20]!r}", answer))
    assert [each for each in wrong if each] == []
    assert await settings(stage) == before
