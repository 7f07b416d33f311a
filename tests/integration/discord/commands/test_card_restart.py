"""A card, and a form that was open, still work when the bot was restarted in between."""

from __future__ import annotations

from pathlib import Path

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import QuietHours, TriggerMode
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.troupe import running


async def test_cards_and_open_forms_survive_a_restart(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> None:
    guild = discord.guild("home", channels=["den"])
    den, admin = guild.channel("den"), guild.member("ann", permissions=["manage_channels"])
    async with running(discord, ollama, redis_url, tmp_path):
        card = await admin.slash(den, "channel settings")
        message = card.followups[0] if card.followups else card.response
        assert message is not None
        form = await admin.click(message, "set:open:quiet:channel")
    async with running(discord, ollama, redis_url, tmp_path) as troupe:
        done = await admin.submit_modal(form, start="1", end="2", zone="")
        assert "01:00 to 02:00 (UTC)" in done.card
        await admin.click(message, "set:open:mode:channel")
        await admin.select(message, "set:pick:mode:channel", "off")
        found = await troupe.casting.resolved(Place(ChannelId(den.id), GuildId(guild.id)))
        assert (found.mode, found.quiet) == (TriggerMode.OFF, QuietHours(60, 120))
