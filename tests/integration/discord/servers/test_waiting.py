"""What people see while they wait, what of their files is read, and who is let in."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.adapters.discord.speaking import sink
from bot.chat.place import GuildId
from bot.chat.replying import drafting
from bot.personas.binding import Binding, BindingLevel, BindingTarget, QuietHours
from bot.scheduling import fair_queue
from tests.fakes.discord.state import Message
from tests.fakes.ollama.catalogue import guess
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.troupe import MODEL
from tests.integration.discord.rig import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def room_for_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told about the wait while calls are scarce, as after the quick scenes before."""
    monkeypatch.setattr(sink, "WAIT_PRESSURE", 1.0)


async def bind(stage: Stage, binding: Binding) -> None:
    target = BindingTarget(BindingLevel.CHANNEL, GuildId(stage.guild.id), stage.channel.id)
    await stage.troupe.stores.bindings.put(target, binding)


async def answer(stage: Stage, asked: Message, part: str) -> str:
    """Wait until an answer has a part."""

    def look() -> str | None:
        text = stage.channel.answer_to(asked)
        return text if part in text else None

    return await stage.discord.world.until(look, f"{part!r}")


@pytest.mark.usefixtures("room_for_lines")
async def test_a_cold_start_is_announced_and_its_line_becomes_the_reply(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "WAKING_AFTER", 0.2)
    stage.ollama.scheduler.unload(guess(MODEL))
    stage.ollama.scheduler.load_seconds = 1.5
    stage.ollama.reply_with("Good morning.")
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await answer(stage, asked, "Waking the model")
    await answer(stage, asked, "Good morning.")
    (reply,) = stage.channel.replies_to(asked)
    assert "Waking" not in reply.content
    warm = await stage.channel.says(stage.guest, "again", mention_bot=True)
    await answer(stage, warm, "Good morning.")
    (reply,) = stage.channel.replies_to(warm)
    assert not any("Waking" in revision.content for revision in reply.edits)


async def test_a_slow_model_that_is_loaded_is_not_said_to_wake(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "WAKING_AFTER", 0.1)
    stage.ollama.reply_with("Done.")
    first = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await answer(stage, first, "Done.")
    stage.ollama.set_pace(first_token=1.0)
    asked = await stage.channel.says(stage.guest, "slowly", mention_bot=True)
    await answer(stage, asked, "Done.")
    (reply,) = stage.channel.replies_to(asked)
    assert not any("Waking" in revision.content for revision in reply.edits)


@pytest.mark.usefixtures("room_for_lines")
async def test_who_waits_is_told_their_place_and_the_line_goes_when_it_is_deleted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "TELL_AFTER", 0.1)
    monkeypatch.setattr(fair_queue, "TELL_EVERY", 0.1)
    monkeypatch.setattr(
        type(stage.troupe.models.pool), "capacity", property(lambda _: 1), raising=True
    )
    stage.ollama.set_pace(first_token=1.5)
    stage.ollama.reply_with("At last.")
    first = await stage.channel.says(stage.guest, "one", mention_bot=True)
    await stage.ollama.until(lambda: len(stage.ollama.chats) == 1)
    second = await stage.channel.says(stage.admin, "two", mention_bot=True)
    await answer(stage, second, "number 1 in line")
    third = await stage.channel.says(stage.guild.member("eve"), "three", mention_bot=True)
    await answer(stage, third, "number 2 in line")
    await stage.channel.delete(third)
    await answer(stage, first, "At last.")
    await answer(stage, second, "At last.")
    assert stage.channel.replies_to(third) == []
    assert len(stage.channel.from_bot) == 2
    assert len(stage.ollama.chats) == 2


async def test_a_model_that_sees_nothing_gets_no_picture_and_the_person_knows(
    stage: Stage,
) -> None:
    stage.ollama.reply_with("Nice.")
    files = [("cat.png", picture(64, 48), "image/png")]
    blind = await stage.channel.says(
        stage.guest, "what is this?", mention_bot=True, attachments=files
    )
    text = await answer(stage, blind, "Nice.")
    assert "Not read: cat.png (the model here sees no images)" in text
    assert "images" not in stage.ollama.chats[-1].messages[-1]


async def test_other_files_are_named_with_the_reason(stage: Stage) -> None:
    stage.ollama.reply_with("Nice.")
    files = [
        ("song.mp3", b"ID3", "audio/mpeg"),
        ("huge.png", picture(30_000, 30_000), "image/png"),
        ("old.txt", "na\xefve".encode("latin-1"), "text/plain"),
        ("notes.txt", "grüße".encode("utf-16"), "text/plain"),
    ]
    asked = await stage.channel.says(stage.guest, "look", mention_bot=True, attachments=files)
    text = await answer(stage, asked, "Not read")
    assert "song.mp3 (not an image or a text)" in text
    assert "huge.png (an image of more than 8 MB or 40 megapixels)" in text
    assert "old.txt (not in UTF-8 or UTF-16)" in text
    assert "notes.txt" not in text
    assert "grüße" in stage.ollama.chats[-1].messages[-1]["content"]


async def test_a_broken_picture_is_called_so(stage: Stage) -> None:
    stage.ollama.reply_with("Nice.")
    files = [("torn.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "image/png")]
    asked = await stage.channel.says(stage.guest, "look", mention_bot=True, attachments=files)
    text = await answer(stage, asked, "Not read")
    assert "Not read: torn.png (an image that is damaged: it can't be read)" in text


async def test_who_is_barred_is_told_once_and_costs_nothing(stage: Stage) -> None:
    await bind(stage, Binding(barred=(f"u{stage.guest.id}",)))
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await answer(stage, asked, "leaves you out")
    again = await stage.channel.says(stage.guest, "hello?", mention_bot=True)
    stage.ollama.reply_with("Here.")
    other = await stage.channel.says(stage.admin, "hello", mention_bot=True)
    await answer(stage, other, "Here.")
    assert stage.channel.replies_to(again) == []
    assert len(stage.ollama.chats) == 1


async def test_only_a_role_that_is_allowed_is_answered(stage: Stage) -> None:
    role = stage.guild.role("patrons")
    stage.guild.record.members[stage.admin.id].role_ids.add(role.id)
    await bind(stage, Binding(allowed=(f"r{role.id}",)))
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await answer(stage, asked, "leaves you out")
    patron = await stage.channel.says(stage.admin, "hello", mention_bot=True)
    await answer(stage, patron, "Here.")


async def test_quiet_hours_say_when_they_end(stage: Stage) -> None:
    minute = int(time.time()) // 60 % 1440
    hours = QuietHours((minute - 60) % 1440, (minute + 60) % 1440)
    await bind(stage, Binding(quiet=hours))
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    assert "again at <t:" in await answer(stage, asked, "Quiet hours")
    assert stage.ollama.chats == []


async def test_a_limit_of_the_server_names_itself(stage: Stage) -> None:
    await bind(stage, Binding(limits={"all": 1}))
    stage.ollama.reply_with("Here.")
    first = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await answer(stage, first, "Here.")
    second = await stage.channel.says(stage.admin, "hello", mention_bot=True)
    assert "Everybody here has asked me a lot" in await answer(stage, second, "wait")


async def test_messages_at_the_same_moment_are_one_turn_and_cost_one(stage: Stage) -> None:
    await bind(stage, Binding(limits={"each": 1}))
    stage.ollama.reply_with("Here.")
    asked = await asyncio.gather(
        *(stage.channel.says(stage.guest, f"part {n}", mention_bot=True) for n in range(4))
    )
    await answer(stage, max(asked, key=lambda message: message.id), "Here.")
    assert [reply.content for reply in stage.channel.from_bot if "wait" in reply.content] == []


async def test_a_question_that_is_let_in_stays_so_however_it_begins_anew(
    stage: Stage,
) -> None:
    await bind(stage, Binding(limits={"each": 1}))
    stage.ollama.reply_with("Here.")
    stage.ollama.set_pace(first_token=1.0)
    first = await stage.channel.says(stage.guest, "one", mention_bot=True)
    await stage.discord.world.until(lambda: stage.ollama.chats, "the first request")
    await stage.channel.edit(first, f"{first.content} and a half")
    await stage.discord.world.until(lambda: len(stage.ollama.chats) > 1, "the edited one")
    second = await stage.channel.says(stage.guest, "two", mention_bot=True)
    await answer(stage, second, "Here.")
    assert "and a half" in str(stage.ollama.chats[-1].body["messages"])
    third = await stage.channel.says(stage.guest, "three", mention_bot=True)
    await answer(stage, third, "wait")


async def test_a_model_outside_the_operator_s_list_is_not_used(stage: Stage) -> None:
    await bind(stage, Binding(model="somebody/else:70b"))
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await answer(stage, asked, "Here.")
    assert stage.ollama.chats[-1].body["model"] == MODEL
