"""Importing a card: preview, decision, and everything that may go wrong with an upload."""

from __future__ import annotations

import asyncio
import io
import unicodedata
import zipfile
from pathlib import Path

import pytest

from bot.chat.place import GuildId
from bot.personas.imported import MAX_CARD
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.validation import components_of
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.cards import json_card, png_card, upload
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.troupe import running


def button(shown: Interaction, label: str) -> str:
    assert shown.response is not None
    for part in components_of(shown.response.components):
        if part.get("label") == label:
            return str(part["custom_id"])
    raise AssertionError(f"no button {label!r}")


async def imports(stage: Stage, content: bytes, name: str = "wren.json") -> Interaction:
    return await stage.admin.slash(stage.channel, "persona import", file=upload(content, name))


async def accepts(stage: Stage, content: bytes, name: str = "wren.json") -> Interaction:
    shown = await imports(stage, content, name)
    assert shown.response is not None, shown.text
    clicked = await stage.admin.click(shown.response, button(shown, "Import"))
    await stage.tells(clicked, "Let them play here")
    return clicked


def embed_text(shown: Interaction) -> str:
    assert shown.response is not None
    return str(shown.response.embeds)


async def names(stage: Stage) -> str:
    return (await stage.guest.slash(stage.channel, "persona list")).text


async def test_a_card_is_previewed_then_goes_live(stage: Stage) -> None:
    shown = await imports(stage, png_card(alternate_greetings=["Hi.", "Ho."]), "wren.png")
    assert shown.ephemeral
    text = embed_text(shown)
    for part in ("Wren", "Made for gardens.", "bird, garden", "3 greetings", "None.", "V2"):
        assert part in text
    assert shown.response is not None
    assert [file["filename"] for file in shown.response.attachments] == ["avatar.png"]
    assert "Wren" not in await names(stage)
    clicked = await stage.admin.click(shown.response, button(shown, "Import"))
    await stage.tells(clicked, "**Wren** is imported")
    assert clicked.response is not None
    assert not clicked.response.components
    assert not clicked.response.embeds
    assert "Wren" in await names(stage)
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    stage.ollama.reply_with("Chirp!")
    asked = await stage.channel.says(stage.guest, "sing", mention_bot=True)
    assert (await stage.channel.next_reply(to=asked)).author.name == "Wren"


async def test_every_warning_is_shown(stage: Stage) -> None:
    odd = json_card(tags="bird, garden", character_book={"entries": {}}, extensions=None)
    text = embed_text(await imports(stage, odd))
    assert "Warnings" in text
    assert "extensions is missing" in text


async def test_cancelling_imports_nothing(stage: Stage) -> None:
    shown = await imports(stage, json_card())
    assert shown.response is not None
    cancel, accept = button(shown, "Cancel"), button(shown, "Import")
    stale = list(shown.response.components)
    clicked = await stage.admin.click(shown.response, cancel)
    await stage.tells(clicked, "Nothing was imported")
    shown.response.components = stale  # a client that had not seen the answer yet
    again = await stage.admin.click(shown.response, accept)
    await stage.tells(again, "too old")
    assert "Wren" not in await names(stage)


async def test_a_restart_between_preview_and_click_does_no_harm(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> None:
    guild = discord.guild("home", channels=["general"])
    channel, admin = guild.channel("general"), guild.member("ada", permissions=["manage_guild"])
    async with running(discord, ollama, redis_url, tmp_path):
        shown = await admin.slash(channel, "persona import", file=upload(json_card("Robin")))
    assert shown.response is not None
    async with running(discord, ollama, redis_url, tmp_path) as troupe:
        clicked = await admin.click(shown.response, button(shown, "Import"))
        await discord.world.until(lambda: "Let them play here" in clicked.text or None, "import")
        assert troupe.library.get("robin", GuildId(guild.id)).name == "Robin"


async def test_names_of_any_script_play_are_listed_exported_and_removed_after_a_restart(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> None:
    names = ("José", "Юлия", "桜", "Łukasz", "يوسف", "😀😀")
    guild = discord.guild("home", channels=["general"])
    channel = guild.channel("general")
    admin = guild.member("ada", permissions=["manage_guild", "manage_channels"])
    async with running(discord, ollama, redis_url, tmp_path):
        for name in names:
            shown = await admin.slash(channel, "persona import", file=upload(json_card(name)))
            assert shown.response is not None
            clicked = await admin.click(shown.response, button(shown, "Import"))
            await discord.world.until(lambda c=clicked: "Let them play" in c.text or None, name)
    async with running(discord, ollama, redis_url, tmp_path):
        listed = (await admin.slash(channel, "persona list")).text
        assert [name for name in names if name not in listed] == []
        for name in names:
            typed = unicodedata.normalize("NFD", name)
            switched = await admin.slash(channel, "persona switch", name=typed)
            assert f"**{name}** answers here" in switched.text
            ollama.reply_with("Chirp!")
            asked = await channel.says(admin, "sing", mention_bot=True)
            spoke = (await channel.next_reply(to=asked)).author.name
            assert spoke.rstrip("\u200b") == name  # Discord takes no name of one letter
            exported = await admin.slash(channel, "persona export", name=name, format="original")
            shown = exported.followups[0] if exported.followups else exported.response
            assert shown is not None
            assert len(shown.attachments) == 1, exported.text
            removed = await admin.slash(channel, "persona remove", name=name)
            assert f"**{name}** is removed" in removed.text


async def test_the_same_name_takes_the_place_of_the_import_before(stage: Stage) -> None:
    await accepts(stage, json_card())
    changed = json_card(description="Another bird.")
    shown = await imports(stage, changed)
    assert "Takes the place of the one here" in embed_text(shown)
    same = await imports(stage, json_card())
    assert "here already" in embed_text(same)


async def test_a_shipped_persona_is_not_overwritten_by_its_namesake(stage: Stage) -> None:
    shown = await imports(stage, json_card("Maud"))
    assert "maud-2" in embed_text(shown)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"hello there", "notes.txt", "not a card"),
        (b"{}", "empty.json", "neither a name"),
        (b"[" * 200_000, "deep.json", "nested"),
        (b'{"spec":"lorebook_v3","data":{"entries":[]}}', "lore.json", "lorebook"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "cut.png", "no card"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "photo.jpg", "JPEG"),
        (b"PK\x03\x04" + bytes(50), "broken.charx", "damaged"),
        (b"", "nothing.json", "empty"),
    ],
)
async def test_what_is_no_card_is_refused_with_the_reason(
    stage: Stage, content: bytes, name: str, says: str
) -> None:
    shown = await imports(stage, content, name)
    assert says in shown.text
    assert shown.response is not None
    assert not shown.response.components


async def test_a_bomb_is_refused(stage: Stage) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", b" " * (40 * 2**20))
    shown = await imports(stage, packed.getvalue(), "bomb.charx")
    assert "more than I accept" in shown.text


async def test_too_large_a_file_is_refused_before_it_is_fetched(stage: Stage) -> None:
    shown = await imports(stage, json_card() + b" " * MAX_CARD)
    assert "larger than 8 MB" in shown.text
    assert not any("cdn" in entry.path for entry in stage.discord.rest.log)


async def test_who_may_not_manage_channels_may_not_import(stage: Stage) -> None:
    for command, options in (
        ("persona import", {"file": upload(json_card())}),
        ("persona export", {"name": "maud"}),
        ("persona edit", {"name": "maud"}),
        ("persona remove", {"name": "maud"}),
        ("persona scripts", {"name": "maud", "state": "on"}),
        ("persona switch", {"name": "maud"}),
    ):
        answer = await stage.guest.slash(stage.channel, command, **options)
        assert "Manage Channels" in answer.text, command
        assert answer.ephemeral


async def test_manage_server_is_enough(stage: Stage) -> None:
    warden = stage.guild.member("wim", permissions=["manage_guild"])
    shown = await warden.slash(stage.channel, "persona import", file=upload(json_card()))
    assert shown.response is not None
    clicked = await warden.click(shown.response, button(shown, "Import"))
    await stage.tells(clicked, "Let them play here")


async def test_a_guest_can_not_press_another_s_buttons(stage: Stage) -> None:
    shown = await imports(stage, json_card())
    assert shown.response is not None
    clicked = await stage.guest.click(shown.response, button(shown, "Import"))
    await stage.tells(clicked, "Manage Channels")
    other = stage.guild.member("ben", permissions=["manage_channels"])
    clicked = await other.click(shown.response, button(shown, "Import"))
    await stage.tells(clicked, "too old")  # it is not their draft
    assert "Wren" not in await names(stage)


async def test_cards_are_a_server_s_not_a_direct_message_s(stage: Stage) -> None:
    dm = stage.discord.dm(stage.admin)
    answer = await stage.admin.slash(dm, "persona import", file=upload(json_card()))
    assert "server only" in answer.text


async def test_another_server_does_not_see_the_card(stage: Stage, tmp_path: Path) -> None:
    await accepts(stage, json_card())
    away = stage.discord.guild("away", channels=["general"])
    other = away.member("olga", permissions=["manage_channels"])
    listed = await other.slash(away.channel("general"), "persona list")
    assert "Wren" not in listed.text
    switched = await other.slash(away.channel("general"), "persona switch", name="wren")
    assert "no persona" in switched.text


async def test_a_server_that_removes_the_bot_leaves_no_card(stage: Stage) -> None:
    await accepts(stage, json_card())
    guild = GuildId(stage.guild.id)
    assert await stage.troupe.stores.cards.entries(guild)
    stage.guild.removes_bot()
    for _ in range(100):
        if not await stage.troupe.stores.cards.entries(guild):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the cards are still there")
