"""The group that the files of `/persona` add their commands to."""

from __future__ import annotations

from discord import app_commands

persona = app_commands.Group(
    name="persona", description="Who plays here, and the cards of this server", guild_only=False
)
