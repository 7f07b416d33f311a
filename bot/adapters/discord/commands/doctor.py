"""`/doctor`: what is missing here, what takes it away, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import discord
from discord import app_commands

from bot.adapters.discord.allowed.diagnosis import Cause, Missing, Overwrite, diagnose
from bot.adapters.discord.allowed.examine import NEEDED, WANTED_ONLY, permission_title
from bot.adapters.discord.commands.render import place_of, plain, say
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.commands.settings.wording import warning
from bot.chat.place import Place
from bot.errors import NotFound
from bot.languages import mark, t, translated
from bot.personas.binding import ResolvedBinding, TriggerMode
from bot.routing.route import Route

_USES = {
    "view_channel": mark("to see the channel at all"),
    "send_messages": mark("to answer"),
    "send_messages_in_threads": mark("to answer in threads"),
    "create_public_threads": mark("to open a thread for a conversation"),
    "embed_links": mark("to show cards and quotes"),
    "attach_files": mark("to send cards and pictures"),
    "read_message_history": mark("to reply to a message and to read what it answers"),
    "add_reactions": mark("to react"),
    "external_emojis": mark("to use the personas' pictures"),
    "manage_webhooks": mark("to speak under a persona's own name and picture"),
}
_FOR_WHAT = {getattr(discord.Permissions, name).flag: use for name, use in _USES.items()}
"""By bit: discord.py has two names for some."""


class DoctorCommands(Serving):
    """Looks at a channel as the bot sees it."""

    @app_commands.command(description="What keeps me from answering here, and what to do about it")
    @app_commands.default_permissions(manage_channels=True)
    @app_commands.guild_only()
    @app_commands.checks.has_permissions(manage_channels=True)
    async def doctor(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        missing = permissions_missing(interaction)
        binding = await self.services.casting.resolved(place)
        lines = [_line(each, interaction) for each in missing]
        lines += self._settings(place, binding)
        if not any(each.bit & ~_optional() for each in missing):
            self.services.mutes.lift(place.channel)  # what was refused before may work now
        if not lines:
            lines = [t("✅ All is well: I have every permission that I need here.")]
        await say(interaction, "\n".join([f"### {t('Examination of this channel')}", *lines]))

    def _settings(self, place: Place, binding: ResolvedBinding) -> Iterator[str]:
        """Say which settings keep the bot silent, or can't work."""
        if binding.mode is TriggerMode.OFF:
            yield t("🔇 I am set to stay silent here: `/channel settings` → When I answer.")
        if binding.mode is TriggerMode.AUTO and not self.services.rules.auto_allowed:
            yield t(
                "❌ I am set to answer every message, but the operator has not switched on the "
                "message content intent: I only see messages that mention me."
            )
        if deaf := warning(binding.mode, hears_all=self.services.rules.auto_allowed):
            yield deaf.strip()
        names = {binding.cast[route] for route in Route}
        for name in sorted(names):
            try:
                persona = self.services.library.get(name, place.guild)
            except NotFound:
                yield t("❌ The persona `{name}` is gone: the default plays.", name=plain(name))
                continue
            if persona.adult and not place.age_restricted:
                yield t(
                    "❌ **{name}** is for adults, and this channel is not age-restricted.",
                    name=plain(persona.name),
                )
        if binding.model is not None and binding.model not in self.services.rules.models:
            yield t(
                "❌ The model `{model}` is not offered by the operator: the default answers.",
                model=plain(binding.model),
            )


def permissions_missing(interaction: discord.Interaction) -> tuple[Missing, ...]:
    """Return the permissions that the bot lacks where an interaction happened.

    Raises:
        NotFound: Discord has not told us about the channel yet.
    """
    guild, channel = interaction.guild, interaction.channel
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    if guild is None or guild.me is None or not isinstance(channel, discord.abc.GuildChannel):
        raise NotFound("Discord has not told me about this channel yet. Try again in a minute.")
    overwrites = {
        target.id: Overwrite(*(each.value for each in overwrite.pair()))
        for target, overwrite in channel.overwrites.items()
    }
    return diagnose(
        [getattr(discord.Permissions, name).flag for name, needed in NEEDED if needed],
        everyone=guild.id,
        roles={role.id: role.permissions.value for role in guild.me.roles},
        overwrites=overwrites,
        me=guild.me.id,
    )


def _optional() -> int:
    return sum(getattr(discord.Permissions, name).flag for name in WANTED_ONLY)


def _line(missing: Missing, interaction: discord.Interaction) -> str:
    """Return one missing permission in words: what it is for, what takes it away, what helps."""
    name = next(n for n, _ in NEEDED if getattr(discord.Permissions, n).flag == missing.bit)
    sign = "⚠️" if name in WANTED_ONLY else "❌"
    title, use = permission_title(name), translated(_FOR_WHAT[missing.bit])
    return f"{sign} **{title}** ({use}): {_why(missing, interaction)}"


def _why(missing: Missing, interaction: discord.Interaction) -> str:
    match missing.cause:
        case Cause.NO_ROLE:
            return t("none of my roles has it. Server Settings → Roles → my role → switch it on.")
        case Cause.EVERYONE:
            return t(
                "the overwrite of @everyone in this channel denies it. Edit Channel → Permissions "
                "→ add my role → allow it."
            )
        case Cause.ROLE:
            return t(
                "the overwrite of the role {role} in this channel denies it. Edit Channel → "
                "Permissions → that role → clear it.",
                role=f"<@&{missing.target}>",
            )
        case Cause.MEMBER:
            return t(
                "my own overwrite in this channel denies it. Edit Channel → Permissions → my name "
                "→ clear it."
            )
    return t("it can't work while I don't see the channel.")
