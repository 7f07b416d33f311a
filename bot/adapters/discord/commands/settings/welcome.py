"""A card for a server that has just added the bot: three clicks, and somebody plays there.

The first click begins, the second chooses who plays, the third when they answer. Each is written
down at once, so that a restart in between, or stopping halfway, does no harm.
"""

from __future__ import annotations

from typing import Any, Final

import discord
import structlog
from discord.ext import commands

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.commands.permissions import require_server
from bot.adapters.discord.commands.pressing.presses import CardPress, button, card_view
from bot.adapters.discord.commands.render import place_of, plain, shorten
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.commands.settings.wording import MODES, warning
from bot.chat.place import GuildId, Place
from bot.errors import InvalidChoice
from bot.languages import mark, reading, t, translated
from bot.personas.binding import BindingLevel, TriggerMode

log = structlog.get_logger(__name__)

CARD: Final = "welcome"
CAST: Final = "-"
"""The choice that leaves the cast to the router: a persona for each route."""
HELLO: Final = mark(
    "## Hello!\nI host personas: characters with a voice of their own. Mention me, or reply to me, "
    "and one of them answers; which one depends on what you ask. You are always talking to an AI."
)
NEXT: Final = mark(
    "`/channel settings` changes everything, here or for the whole server. `/persona import` adds "
    "your own cards, `/doctor` finds missing permissions, `/privacy` says what is kept."
)


class Welcome(Serving):
    """Greets servers. discord.py tells an outage apart: its end is no joining."""

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Post the card where it may stand; nowhere if there is no such place."""
        channel = where(guild)
        if channel is None:
            log.info("no place for the welcome card")
            return
        with reading(guild.preferred_locale.value):
            view = hello()
        try:
            await channel.send(view=view)
        except FAILED as error:
            log.info("welcome card not posted", reason=type(error).__name__)


def where(guild: discord.Guild) -> discord.TextChannel | None:
    """Return the channel for the card: the one for such messages, else the first that fits."""
    first = [guild.system_channel] if guild.system_channel is not None else []
    ordered = sorted(guild.text_channels, key=lambda each: each.position)
    for channel in (*first, *ordered):
        mine = channel.permissions_for(guild.me)
        if mine.view_channel and mine.send_messages:
            return channel
    return None


def hello() -> discord.ui.LayoutView:
    """Return the card that stands in the channel."""
    start = button(t("Set me up"), f"{CARD}:start", style=discord.ButtonStyle.primary)
    return card_view(
        discord.ui.Container(
            discord.ui.TextDisplay(translated(HELLO)),
            discord.ui.ActionRow(start),
            discord.ui.TextDisplay(f"-# {t('For who may manage the server: three clicks.')}"),
        )
    )


async def pressed(press: CardPress) -> None:
    """Take the next of the three steps."""
    interaction = press.interaction
    if interaction.guild_id is None:
        raise InvalidChoice("That works in a server only.")
    require_server(interaction)
    place = place_of(interaction)
    await press.services.casting.ready(place.guild)
    match press.word(0):
        case "start":
            view = _step(t("1 of 2: who plays?"), "who", _personas(press, place))
            await interaction.response.send_message(view=view, ephemeral=True)
        case "who":
            await _set_cast(press, place)
            await interaction.response.edit_message(
                view=_step(t("2 of 2: when do they answer?"), "when", _modes(press))
            )
        case "when":
            await _set_mode(press, place)
            await interaction.response.edit_message(view=await _done(press, place))
        case _:
            raise InvalidChoice("This card is out of date. Please open a new one.")


def _step(title: str, step: str, options: list[discord.SelectOption]) -> discord.ui.LayoutView:
    menu: discord.ui.Select[Any] = discord.ui.Select(custom_id=f"{CARD}:{step}", options=options)
    return card_view(
        discord.ui.Container(discord.ui.TextDisplay(f"### {title}"), discord.ui.ActionRow(menu))
    )


def _personas(press: CardPress, place: Place) -> list[discord.SelectOption]:
    cast = t("A persona for each kind of question")
    found = [p for p in press.services.library.all(place.guild) if not p.adult and len(p.id) <= 100]
    return [
        discord.SelectOption(label=shorten(cast, 100), value=CAST),
        *(discord.SelectOption(label=shorten(p.name, 100), value=p.id) for p in found[:24]),
    ]


def _modes(press: CardPress) -> list[discord.SelectOption]:
    rules = press.services.rules
    modes = [m for m in MODES if m is not TriggerMode.AUTO or rules.auto_allowed]
    return [
        discord.SelectOption(label=shorten(translated(MODES[m]), 100), value=m.value) for m in modes
    ]


async def _set_cast(press: CardPress, place: Place) -> None:
    casting, chosen = press.services.casting, _chosen(press)
    if chosen == CAST:
        await casting.reset_cast(place, level=BindingLevel.GUILD)
    else:
        await casting.switch(place, chosen, level=BindingLevel.GUILD)


async def _set_mode(press: CardPress, place: Place) -> None:
    chosen = _chosen(press)
    if chosen not in list(TriggerMode):
        raise InvalidChoice("Choose one of the list.")
    await press.services.rules.set_mode(place, TriggerMode(chosen), level=BindingLevel.GUILD)


def _chosen(press: CardPress) -> str:
    if not press.values:
        raise InvalidChoice("Choose one of the list.")
    return press.values[0]


async def _done(press: CardPress, place: Place) -> discord.ui.LayoutView:
    """Return what is in force now, and what to try next."""
    casting = press.services.casting
    binding = await casting.resolved(Place(place.channel, GuildId(place.guild or 0)))
    players = {plain(casting.player(binding, route, place.guild).name) for route in binding.cast}
    lines = [
        f"## {t('Ready')}",
        t(
            "**{names}** · {mode}",
            names=", ".join(sorted(players)),
            mode=translated(MODES[binding.mode]),
        )
        + warning(binding.mode, hears_all=press.services.rules.auto_allowed),
        translated(NEXT),
    ]
    return card_view(discord.ui.Container(discord.ui.TextDisplay("\n".join(lines))))
