"""The command tree, which holds options to what the command declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

MAX_TEXT: Final = 6000
"""Characters of a text option (Discord, "Application Commands", option structure)."""

_TYPES: Final[Mapping[discord.AppCommandOptionType, tuple[type, ...]]] = {
    discord.AppCommandOptionType.string: (str,),
    discord.AppCommandOptionType.integer: (int,),
    discord.AppCommandOptionType.boolean: (bool,),
    discord.AppCommandOptionType.number: (int, float),
}


class CheckedTree(app_commands.CommandTree[commands.Bot]):
    """Refuses values that a command does not offer.

    Discord checks options by the command as the person's client knows it, and that may be the one
    of yesterday; discord.py hands on what comes.
    """

    async def interaction_check(self, interaction: discord.Interaction[commands.Bot], /) -> bool:
        """Let a command run.

        Raises:
            app_commands.CommandSignatureMismatch: a choice, length, number or type does not fit.
        """
        command = interaction.command
        used = interaction.type is discord.InteractionType.application_command
        if used and isinstance(command, app_commands.Command):
            given = dict(iter(interaction.namespace))
            known = {parameter.name: parameter for parameter in command.parameters}
            if not all(name in known and _fits(known[name], v) for name, v in given.items()):
                raise app_commands.CommandSignatureMismatch(command)
        return True


def _fits(parameter: app_commands.Parameter, value: Any) -> bool:
    if isinstance(value, discord.Object) or type(value) not in _TYPES.get(
        parameter.type, (type(value),)
    ):
        return False  # an id that nothing was sent with, or another type
    if parameter.choices:
        return value in {choice.value for choice in parameter.choices}
    low, high = parameter.min_value, parameter.max_value
    if parameter.type is discord.AppCommandOptionType.string:
        value, high = len(value), MAX_TEXT if high is None else high
    return (low is None or value >= low) and (high is None or value <= high)
