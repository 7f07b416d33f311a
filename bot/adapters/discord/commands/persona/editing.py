"""The form in which somebody rewrites a card's main texts."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.adapters.discord.commands.permissions import guild_of, may_keep_cards, require
from bot.adapters.discord.commands.pressing.forms import Form
from bot.adapters.discord.commands.render import plain, say, shorten
from bot.adapters.discord.commands.services import Services
from bot.chat.place import UserId
from bot.errors import InvalidChoice
from bot.languages import mark, t, translated
from bot.personas import Persona

FIELDS: Mapping[str, Mapping[str, str]] = {
    "main texts": {
        "name": mark("Name"),
        "description": mark("Description"),
        "personality": mark("Personality"),
        "scenario": mark("Scenario"),
        "first_mes": mark("First message"),
    },
    "further texts": {
        "nickname": mark("Nickname (what {{char}} stands for)"),
        "mes_example": mark("Example messages"),
        "system_prompt": mark("System prompt"),
        "post_history_instructions": mark("Instructions after the history"),
        "creator_notes": mark("Creator's notes (never for the model)"),
    },
}
"""The parts of the form: Discord's modals have five fields."""
LONGEST = 4000
"""Characters that a field of a modal takes."""
TIMEOUT = 1800.0


class EditModal(Form):
    """Five texts of a card. Only what was changed is changed."""

    def __init__(self, services: Services, persona: Persona, part: str) -> None:
        """Raise `InvalidChoice` when every text of the part is too long for a form."""
        super().__init__(title=shorten(t("Edit {name}", name=persona.name), 45), timeout=TIMEOUT)
        self._services, self._persona = services, persona
        self._before: dict[str, str] = {}
        self._too_long: list[str] = []
        self._inputs: dict[str, discord.ui.TextInput[EditModal]] = {}
        for field, label in FIELDS[part].items():
            text: str = getattr(persona.card, field)
            if len(text) > LONGEST:
                self._too_long.append(translated(label))
                continue
            self._before[field] = text
            entry: discord.ui.TextInput[EditModal] = discord.ui.TextInput(
                custom_id=field,
                style=discord.TextStyle.short if field in _LINES else discord.TextStyle.long,
                default=text or None,
                required=field == "name",
                max_length=_LINES.get(field, LONGEST),
            )
            self._inputs[field] = entry
            self.add_item(discord.ui.Label(text=translated(label), component=entry))
        if not self._inputs:
            raise InvalidChoice(
                "These texts are too long for a form. Export the card, edit the file, and import "
                "it again."
            )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Keep what was changed."""
        require(may_keep_cards(interaction))
        await interaction.response.defer(ephemeral=True, thinking=True)
        changes = {
            field: entry.value
            for field, entry in self._inputs.items()
            if _bare(entry.value) != _bare(self._before[field])
        }
        if not changes:
            await say(interaction, t("Nothing was changed."))
            return
        guild, imported = guild_of(interaction), self._services.imported
        # As it is now, not as it was when the form was opened: others may have edited it.
        persona = self._services.library.get(self._persona.id, guild)
        copied = not imported.is_imported(guild, persona.id)
        changed = await imported.edit(guild, UserId(interaction.user.id), persona, changes)
        fields = ", ".join(sorted(changes))
        lines = [t("**{name}** is changed: {fields}.", name=plain(changed.name), fields=fields)]
        if copied:
            lines.append(
                t("This server now has a card of its own; `/persona remove` brings the bot's back.")
            )
        if self._too_long:
            lines.append(
                t(
                    "Too long for the form, and as they were: {fields}.",
                    fields=", ".join(self._too_long),
                )
            )
        await say(interaction, "\n".join(lines))


_LINES = {"name": 100, "nickname": 100}
"""Fields of one line, with their most characters."""


def _bare(text: str) -> str:
    """Return a text as Discord gives it back: other line ends, no blanks around it."""
    return text.replace("\r\n", "\n").strip()
