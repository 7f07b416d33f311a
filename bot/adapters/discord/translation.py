"""The reader's language on Discord: of each interaction, and of the commands' own names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Where

from bot.languages import SOURCE, language_for, lookup, reading

CONTEXTS: Final = {
    Where.command_name: "command",
    Where.group_name: "command",
    Where.parameter_name: "option",
    Where.choice_name: "choice",
}
"""Names have a context in the catalogues: a command's or option's must be one lower-case word."""
MENU: Final = "menu"
"""Context of the names of context menus, which are free text."""


def context_of(
    where: Where, data: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | object
) -> str | None:
    """Return the catalogue's context for what discord.py wants translated."""
    if isinstance(data, app_commands.ContextMenu):
        return MENU
    return CONTEXTS.get(where)


class CatalogueTranslator(app_commands.Translator):
    """Gives discord.py the names and descriptions of commands in each of Discord's languages."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the translation; None where there is none, so that Discord shows English."""
        language = language_for(locale.value)
        if language == SOURCE:
            return None
        source = string.message
        said = lookup(language, source, context_of(context.location, context.data))
        return said if said != source else None


def in_readers_language(parse: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap the gateway's parser of interactions, so that every task that it begins (commands,
    buttons, modals, autocompletion) speaks the language of the person's Discord."""

    def parse_for_reader(data: Any) -> None:
        locale = data.get("locale") if isinstance(data, dict) else None
        with reading(locale if isinstance(locale, str) else None):
            parse(data)

    return parse_for_reader
