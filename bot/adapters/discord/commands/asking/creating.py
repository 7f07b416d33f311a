"""`/write`, `/rewrite`, `/describe`, `/brainstorm`, and the buttons under ideas."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Self

import discord
from discord import app_commands

from bot.adapters.discord.commands.asking.materials import material_of
from bot.adapters.discord.commands.asking.ordering import begin, idea_order, known_ideas
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told
from bot.adapters.discord.commands.pressing.forms import Form
from bot.adapters.discord.commands.services import Serving, services_of
from bot.adapters.discord.reading.mapping import clean_text
from bot.adapters.discord.speaking.rows import IDEA, idea_id
from bot.chat.turn import TurnId
from bot.creative.order import MOST_IDEAS, Length, Order, Tone, Tool
from bot.errors import InvalidChoice
from bot.languages import t

TONES = [app_commands.Choice(name=tone.value, value=tone.value) for tone in Tone]
LENGTHS = [app_commands.Choice(name=length.value, value=length.value) for length in Length]
IDEAS = 5
"""Ideas that a brainstorm gives when nobody says how many."""
Prompt = app_commands.Range[str, 1, 1500]
Material = app_commands.Range[str, 1, 4000]
Number = app_commands.Range[int, 1, MOST_IDEAS]


def tool(command: Any) -> Any:
    """Add what all tools have in common: options, and where they may be used."""
    command = app_commands.describe(
        text="A text to work with",
        file="A text file or a picture to work with",
        message="Link of a message to work with; you must be able to read it",
        tone="In which tone",
        length="How long each piece is",
        number="How many to choose from",
    )(command)
    command = app_commands.choices(tone=TONES, length=LENGTHS)(command)
    command = app_commands.allowed_installs(guilds=True, users=True)(command)
    return app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)(command)


class ToolCommands(Serving):
    """Each makes an order: a turn of its own on the creative route."""

    @app_commands.command(description="Have a piece written")
    @app_commands.describe(prompt="What to write")
    @tool
    async def write(
        self,
        interaction: discord.Interaction,
        prompt: Prompt,
        tone: str | None = None,
        length: str | None = None,
        number: Number = 1,
        text: Material | None = None,
        file: discord.Attachment | None = None,
        message: str | None = None,
    ) -> None:
        order = _order(Tool.WRITE, tone, length, number)
        await self._take(interaction, order, prompt, text, file, message)

    @app_commands.command(description="Have a text written anew")
    @app_commands.describe(prompt="How it should change; left out, it is made better")
    @tool
    async def rewrite(
        self,
        interaction: discord.Interaction,
        text: Material | None = None,
        file: discord.Attachment | None = None,
        message: str | None = None,
        prompt: Prompt | None = None,
        tone: str | None = None,
        length: str | None = None,
        number: Number = 1,
    ) -> None:
        if text is None and file is None and message is None:
            raise InvalidChoice("Give me a text to rewrite: as text, as a file, or a message.")
        order = _order(Tool.REWRITE, tone, length, number)
        await self._take(interaction, order, prompt, text, file, message)

    @app_commands.command(description="Have something described")
    @app_commands.describe(prompt="What to describe; a picture or a text can take its place")
    @tool
    async def describe(
        self,
        interaction: discord.Interaction,
        prompt: Prompt | None = None,
        tone: str | None = None,
        length: str | None = None,
        number: Number = 1,
        text: Material | None = None,
        file: discord.Attachment | None = None,
        message: str | None = None,
    ) -> None:
        if prompt is None and text is None and file is None and message is None:
            raise InvalidChoice("Say what to describe, or attach it.")
        order = _order(Tool.DESCRIBE, tone, length, number)
        await self._take(interaction, order, prompt, text, file, message)

    @app_commands.command(description="Have ideas, several different ones")
    @app_commands.describe(prompt="Ideas for what")
    @tool
    async def brainstorm(
        self,
        interaction: discord.Interaction,
        prompt: Prompt,
        tone: str | None = None,
        length: str | None = None,
        number: app_commands.Range[int, 2, MOST_IDEAS] = IDEAS,
        text: Material | None = None,
        file: discord.Attachment | None = None,
        message: str | None = None,
    ) -> None:
        order = _order(Tool.BRAINSTORM, tone, length, number)
        await self._take(interaction, order, prompt, text, file, message)

    async def _take(
        self,
        interaction: discord.Interaction,
        order: Order,
        prompt: str | None,
        text: str | None,
        file: discord.Attachment | None,
        link: str | None,
    ) -> None:
        said = clean_text(prompt or "")
        if prompt is not None and not said:
            raise InvalidChoice("Say in words what you want.")
        # A file and a message take their time: Discord waits three seconds for the first answer.
        answering = await begin(interaction)
        material, pictures = await material_of(interaction, text, file, link)
        order = replace(order, material=material)
        await answering.order(self.services, order, said, pictures, "command")


def _order(tool: Tool, tone: str | None, length: str | None, number: int) -> Order:
    return Order(
        tool,
        Tone(tone) if tone is not None else None,
        Length(length) if length is not None else None,
        number,
    )


class IdeaButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(IDEA + r":(?P<action>pick|refine|more):(?P<turn>\d{1,20}):(?P<number>\d)"),
):
    """A button under ideas. The ideas are read from the stored reply: a restart does no harm."""

    def __init__(self, action: str, turn: TurnId, number: int) -> None:
        self._action, self._turn, self._number = action, turn, number
        # Only its id counts: what stands there was rendered by `rows`.
        super().__init__(discord.ui.Button(label="…", custom_id=idea_id(action, turn, number)))

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["action"], TurnId(str(int(match["turn"]))), int(match["number"]))

    async def pressed(self, interaction: Pressed) -> None:
        ideas = await known_ideas(interaction, self._turn)
        if self._action == "refine":
            await interaction.response.send_modal(RefineModal(self._turn, len(ideas.texts)))
            return
        if self._action == "pick":
            order, said = idea_order(ideas, self._number), t("Work this idea out.")
        else:
            order, said = ideas.more(), ideas.prompt
        answering = await begin(interaction)
        await answering.order(services_of(interaction), order, said, (), self._action)


class RefineModal(Form):
    """Asks which idea, and what should change in it."""

    def __init__(self, turn: TurnId, count: int) -> None:
        super().__init__(title=t("Refine an idea"), timeout=900)
        self._turn = turn
        self.number: discord.ui.TextInput[RefineModal] = discord.ui.TextInput(
            custom_id="number", max_length=1, default="1"
        )
        self.wish: discord.ui.TextInput[RefineModal] = discord.ui.TextInput(
            custom_id="wish", style=discord.TextStyle.paragraph, max_length=1000
        )
        which = t("Which one? 1 to {count}", count=count)
        self.add_item(discord.ui.Label(text=which, component=self.number))
        self.add_item(discord.ui.Label(text=t("What should change?"), component=self.wish))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        ideas = await known_ideas(interaction, self._turn)
        given = self.number.value.strip()
        number = int(given) if given.isdecimal() else 0
        said = clean_text(self.wish.value)
        if not said:
            raise InvalidChoice("Say in words what you want.")
        order = idea_order(ideas, number, Tool.REWRITE)
        answering = await begin(interaction)
        await answering.order(services_of(interaction), order, said, (), "refine")
