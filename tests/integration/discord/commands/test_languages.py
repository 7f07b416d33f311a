"""Each person reads the bot in the language of their Discord, and is answered in their own."""

from __future__ import annotations

from tests.fakes.discord.validation import components_of
from tests.integration.discord.commands.conftest import Stage


async def test_the_interface_speaks_the_readers_language(stage: Stage) -> None:
    command = next(
        each for each in stage.discord.rest.commands.listed(None) if each["name"] == "memory"
    )
    assert command["name_localizations"]["de"] == "gedächtnis"
    assert command["name_localizations"]["es-419"] == command["name_localizations"]["es-ES"]
    assert command["description_localizations"]["ja"] == "あなたについての記憶"
    assert "en-GB" not in command["name_localizations"]

    stage.guest.record.locale = "de"
    assert "Wer hier spielt:" in (await stage.guest.slash(stage.channel, "persona show")).text
    refused = await stage.guest.slash(stage.channel, "persona show", name="nobody")
    assert "gibt es hier nicht. Siehe `/persona liste`." in refused.text
    stage.admin.record.locale = "fr"
    shown = await stage.admin.slash(stage.channel, "persona show", name="maud")
    labels = [str(p.get("label")) for p in components_of(shown.original.components)]  # type: ignore[union-attr]
    assert "Accueil 1" in labels
    stage.guest.record.locale = "xx"
    assert "Who plays here:" in (await stage.guest.slash(stage.channel, "persona show")).text


async def test_a_reply_and_a_failure_come_in_the_language_of_who_speaks(stage: Stage) -> None:
    stage.ollama.reply_next("Sehr hoch.", "Sehr alt.")
    asked = await stage.channel.says(stage.guest, "wie hoch ist der K2?", mention_bot=True)
    await stage.channel.next_reply(to=asked)
    assert "[Reply in German" in stage.ollama.chats[-1].messages[-1]["content"]
    again = await stage.channel.says(stage.guest, "ok, K2??", mention_bot=True)
    await stage.channel.next_reply(to=again)
    assert "[Reply in German" in stage.ollama.chats[-1].messages[-1]["content"]
    stage.ollama.remove_model("llama3.2:3b")
    lost = await stage.channel.says(stage.guest, "und wie alt ist er?", mention_bot=True)
    told = await stage.channel.next_reply(to=lost)
    assert "Das Modell für diesen Kanal ist nicht installiert." in told.content
