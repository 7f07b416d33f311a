"""Buttons of the memory commands: leaf through, take back, confirm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import discord

from bot.adapters.discord.commands.failures import tell
from bot.adapters.discord.commands.render import plain, shorten
from bot.chat.place import UserId
from bot.languages import t
from bot.memory import Item, Kind, Notebook, Undo

PATIENCE = 180.0
"""Seconds for which a button answers."""
A_PAGE = 8
LINE = 180


class _Own(discord.ui.View):
    """Buttons for one person's eyes and hands."""

    def __init__(self, person: int, *, timeout: float = PATIENCE) -> None:
        super().__init__(timeout=timeout)
        self._person = person

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        if interaction.user.id == self._person:
            return True
        await interaction.response.send_message(t("That is not for you."), ephemeral=True)
        return False

    async def on_error(
        self, interaction: discord.Interaction, error: Exception, item: discord.ui.Item[_Own]
    ) -> None:
        await tell(interaction, error, type(self).__name__)


class Pager(_Own):
    """A list, page by page."""

    def __init__(self, person: int, lines: Sequence[str], heading: str) -> None:
        super().__init__(person)
        self._pages = [lines[at : at + A_PAGE] for at in range(0, len(lines), A_PAGE)] or [()]
        self._heading = heading
        self._at = 0
        self.back.label, self.on.label = t("Back"), t("Next")
        self._turn(0)

    @property
    def alone(self) -> bool:
        """Whether there is nothing to leaf through."""
        return len(self._pages) == 1

    @property
    def text(self) -> str:
        """Return the page that is open."""
        number = f" ({self._at + 1}/{len(self._pages)})" if not self.alone else ""
        return shorten("\n".join([f"**{self._heading}**{number}", *self._pages[self._at]]), 2000)

    def _turn(self, by: int) -> None:
        self._at = min(max(0, self._at + by), len(self._pages) - 1)
        self.back.disabled = self._at == 0
        self.on.disabled = self._at == len(self._pages) - 1

    @discord.ui.button(custom_id="memory-back")
    async def back(self, interaction: discord.Interaction, _: discord.ui.Button[Pager]) -> None:
        self._turn(-1)
        await interaction.response.edit_message(content=self.text, view=self)

    @discord.ui.button(custom_id="memory-next")
    async def on(self, interaction: discord.Interaction, _: discord.ui.Button[Pager]) -> None:
        self._turn(1)
        await interaction.response.edit_message(content=self.text, view=self)


class TakeBack(_Own):
    """One button that undoes what was just done."""

    def __init__(self, person: int, notebook: Notebook, undo: Undo) -> None:
        super().__init__(person)
        self._notebook = notebook
        self._what = undo
        self.undo.label = t("Undo")

    @discord.ui.button(custom_id="memory-undo")
    async def undo(self, interaction: discord.Interaction, _: discord.ui.Button[TakeBack]) -> None:
        await self._notebook.undo(UserId(self._person), self._what)
        self.stop()
        await interaction.response.edit_message(content=t("Undone."), view=None)


class Confirm(_Own):
    """One button that does what can't be undone."""

    def __init__(self, person: int, label: str, work: Callable[[], Awaitable[str]]) -> None:
        super().__init__(person)
        self._work = work
        self.sure.label = label

    @discord.ui.button(style=discord.ButtonStyle.danger, custom_id="memory-sure")
    async def sure(self, interaction: discord.Interaction, _: discord.ui.Button[Confirm]) -> None:
        await interaction.response.defer()  # a large memory may take longer than Discord waits
        text = await self._work()
        self.stop()
        await interaction.edit_original_response(content=text, view=None)


def item_line(item: Item) -> str:
    """Return one item as a line of a list."""
    name = item.slot.replace("_", " ") if item.kind is Kind.PROFILE else item.kind.word
    marks = [t("only with {name}", name=plain(item.persona))] if item.persona else []
    marks += [t("yours")] if item.pinned else []
    marks += [t("shared with {count}", count=len(item.shared))] if item.shared else []
    note = f" ({', '.join(marks)})" if marks else ""
    return f"- {plain(name)}: {shorten(plain(item.text), LINE)}{note}"
