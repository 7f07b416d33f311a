"""Buttons, menus and forms of cards: all they need stands in their custom id.

A custom id is `<card>:<the rest>`. Nothing of a card is kept in memory, so that one works after
a restart, and also a form that was open meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import discord
from discord.ext import commands

from bot.adapters.discord.commands.failures import tell
from bot.adapters.discord.commands.services import Services, Serving
from bot.errors import InvalidChoice

FORM_TIMEOUT: Final = 900.0
"""Seconds after which discord.py forgets a form; we don't need it to remember one."""


@dataclass(frozen=True, slots=True)
class CardPress:
    """What somebody did on a card: the words of its custom id, and what was chosen or written."""

    interaction: discord.Interaction[Any]
    services: Services
    words: tuple[str, ...]
    values: tuple[str, ...]
    """What was chosen from a menu; roles and people as `r<id>` and `u<id>`."""
    texts: Mapping[str, str]
    """What was written into a form, by field."""

    def word(self, number: int) -> str:
        """Return a word of the custom id.

        Raises:
            InvalidChoice: the card is from another version of the bot.
        """
        if number >= len(self.words):
            raise InvalidChoice("This card is out of date. Please open a new one.")
        return self.words[number]


Answer: TypeAlias = Callable[[CardPress], Awaitable[None]]


class Presses(Serving):
    """Hands presses to the card they belong to. Whatever goes wrong is told to the person."""

    def __init__(self, services: Services, cards: Mapping[str, Answer]) -> None:
        """`cards`: what answers the presses of a card, by the first word of its custom ids."""
        super().__init__(services)
        self._cards = cards

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        kinds = (discord.InteractionType.component, discord.InteractionType.modal_submit)
        if interaction.type not in kinds:
            return
        data: Mapping[str, Any] = interaction.data or {}
        card, *words = str(data.get("custom_id")).split(":")
        answer = self._cards.get(card)
        if answer is None:
            return
        press = CardPress(
            interaction, self.services, tuple(words), tuple(_values(data)), dict(texts_of(data))
        )
        try:
            await answer(press)
        except Exception as error:  # noqa: BLE001  # a bug must not leave a person waiting
            await tell(interaction, error, card)


def card_view(*items: discord.ui.Item[Any]) -> discord.ui.LayoutView:
    """Return a view that discord.py forgets once it is sent."""
    view = discord.ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def form(title: str, custom_id: str, *fields: discord.ui.Label[Any]) -> discord.ui.Modal:
    """Return a form whose submission comes back as a press."""
    modal = discord.ui.Modal(title=title[:45], custom_id=custom_id, timeout=FORM_TIMEOUT)
    for field in fields:
        modal.add_item(field)
    return modal


def field(
    name: str,
    label: str,
    *,
    value: str = "",
    hint: str = "",
    required: bool = True,
    most: int = 100,
) -> discord.ui.Label[Any]:
    """Return a field of a form."""
    return discord.ui.Label(
        text=label[:45],
        description=hint[:100] or None,
        component=discord.ui.TextInput(
            custom_id=name, default=value[:most] or None, required=required, max_length=most
        ),
    )


def button(label: str, custom_id: str, **options: Any) -> discord.ui.Button[Any]:
    """Return a button; its label is a text, never a colour alone."""
    style = options.pop("style", discord.ButtonStyle.secondary)
    return discord.ui.Button(label=label[:80], custom_id=custom_id, style=style, **options)


def _values(data: Mapping[str, Any]) -> Iterator[str]:
    roles = (data.get("resolved") or {}).get("roles") or {}
    people = data.get("component_type") in (
        discord.ComponentType.mentionable_select.value,
        discord.ComponentType.role_select.value,
        discord.ComponentType.user_select.value,
    )
    for value in data.get("values") or ():
        yield f"{'r' if value in roles else 'u'}{value}" if people else str(value)


def texts_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was written into a form, by the custom ids of its fields."""
    for part in data.get("components") or ():
        inner = [part["component"]] if "component" in part else part.get("components") or ()
        for each in inner:
            if "value" in each:
                yield str(each["custom_id"]), str(each["value"])
