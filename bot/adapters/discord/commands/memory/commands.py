"""`/memory …`, `/privacy`, and the context menus "Remember this" and "Forget this"."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.adapters.discord.commands.asking.menus import add_message_menu
from bot.adapters.discord.commands.memory.offer import OfferButton, Owning
from bot.adapters.discord.commands.memory.told import UndoButton, what
from bot.adapters.discord.commands.memory.views import Confirm, Pager, TakeBack, item_line
from bot.adapters.discord.commands.render import place_of, plain, say, shorten
from bot.adapters.discord.reading.mapping import clean_text, is_unknown
from bot.chat.place import GuildId, MessageId, Place, UserId
from bot.errors import InvalidChoice, NotAllowed, NotFound, StoreError
from bot.languages import mark, t, tn, translated
from bot.memory import Consent, Memory, Undo

CHOICES = 25
PATIENCE = 2.0
"""Seconds; Discord takes choices for three."""
PRIVACY = mark("""\
**What I keep**
- What was said to me in a channel, and my replies: encrypted at rest, for 30 days after the \
last of it. Delete your message and it is gone here too; edit it and my copy changes. Messages \
that are not for me are not kept.
- A memory of you only if you said yes: what you told me, and facts drawn from your own words.
**Where I use it**: what you tell me in a DM stays in our DMs. What you say in a server stays in \
that server and our DMs; what you say in a closed channel stays in that channel and our DMs.
**What I never store**: health, faith, sexuality, politics, age, contact data, secrets.
**What you can do**: `/memory show`, `search`, `edit`, `forget`, `share`, `export`, `pause`; \
`/memory go-back` undoes a change of mine; `/memory forget-all` leaves nothing, here and in my \
conversations, and its encryption key is destroyed as well. If you said no, only that stays, \
under a scrambled name, so that I don't ask again.
No text is logged, and no language model is trained on it; it runs on hosts of this bot's \
operator.
Where a server has switched on `/route keep-text`, a message whose persona a moderator corrected \
is kept for 90 days, and may train the part that picks personas; nothing else may.
Your memory is sealed with a key of its own. Unused for {days} days, it is deleted.""")


HIDING = mark(
    "**Hiding**: I don't read a message that begins with `//`. React with 🙈 to a message of your "
    "own, and I forget it with its answer; that can't be undone."
)


class MemoryCommands(Owning, group_name="memory", group_description="What I remember of you"):
    """A person's own hand in their memory; everything for their eyes only."""

    def __init__(self, memory: Memory) -> None:
        self.notebook = memory.notebook
        super().__init__()

    # ── looking ─────────────────────────────────────────────────────────────────────────────

    @app_commands.command(description="Show what I remember of you")
    async def show(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        place = place_here(interaction)
        items = await self.notebook.show(_person(interaction), place)
        heading = tn(
            "{count} memory that I may use here", "{count} memories that I may use here", len(items)
        )
        if not place.is_dm:
            heading = t("{heading}; in a DM you see the rest", heading=heading)
        await _leaf(interaction, [item_line(item) for item in items], heading)

    @app_commands.command(description="Search what I remember of you")
    @app_commands.describe(words="What to look for")
    async def search(
        self, interaction: discord.Interaction, words: app_commands.Range[str, 1, 200]
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        found = await self.notebook.search(_person(interaction), place_here(interaction), words)
        await _leaf(
            interaction, [item_line(item) for item in found], t("{count} found", count=len(found))
        )

    async def _items(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Offer items that may be said here and hold what was typed."""
        return await self._offered(_person(interaction), place_here(interaction), current)

    async def _all_items(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Offer items wherever they were told: choices are for the person's eyes only."""
        anywhere = Place(place_here(interaction).channel)
        return await self._offered(_person(interaction), anywhere, current)

    async def _offered(
        self, person: UserId, place: Place, current: str
    ) -> list[app_commands.Choice[str]]:
        try:
            async with asyncio.timeout(PATIENCE):
                items = await self.notebook.show(person, place)
        except (NotFound, StoreError, TimeoutError):
            return []
        wanted = current.casefold().strip()
        found = [item for item in items if wanted in item.text.casefold()]
        return [
            app_commands.Choice(name=shorten(item.text, 100), value=item.id)
            for item in found[:CHOICES]
        ]

    # ── changing ────────────────────────────────────────────────────────────────────────────

    @app_commands.command(description="Say one memory in your own words")
    @app_commands.describe(memory="Which one", text="What is true")
    @app_commands.autocomplete(memory=_items)
    async def edit(
        self,
        interaction: discord.Interaction,
        memory: str,
        text: app_commands.Range[str, 1, 160],
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        person, place = _person(interaction), place_here(interaction)
        undo = await self.notebook.edit(person, place, memory, clean_text(text))
        await self._done(interaction, t("Noted: {text}", text=plain(text)), undo)

    @app_commands.command(description="Forget one memory")
    @app_commands.describe(memory="Which one")
    @app_commands.autocomplete(memory=_items)
    async def forget(self, interaction: discord.Interaction, memory: str) -> None:
        await interaction.response.defer(ephemeral=True)
        person, place = _person(interaction), place_here(interaction)
        undo = await self.notebook.forget(person, place, memory)
        await self._done(interaction, t("Forgotten, with {what}.", what=what(undo)), undo)

    async def _replaced(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Offer what took the place of something else."""
        try:
            async with asyncio.timeout(PATIENCE):
                pairs = await self.notebook.replaced(_person(interaction), place_here(interaction))
        except (NotFound, StoreError, TimeoutError):
            return []
        wanted = current.casefold().strip()
        return [
            app_commands.Choice(name=shorten(f"{new.text} ← {old.text}", 100), value=new.id)
            for new, old in pairs
            if wanted in f"{new.text} {old.text}".casefold()
        ][:CHOICES]

    @app_commands.command(name="go-back", description="Bring back what a memory replaced")
    @app_commands.describe(memory="Which one")
    @app_commands.autocomplete(memory=_replaced)
    async def go_back(self, interaction: discord.Interaction, memory: str) -> None:
        await interaction.response.defer(ephemeral=True)
        person, place = _person(interaction), place_here(interaction)
        item, undo = await self.notebook.go_back(person, place, memory)
        await self._done(interaction, t("Noted: {text}", text=plain(item.text)), undo)

    @app_commands.command(name="forget-all", description="Forget everything about you, for good")
    async def forget_all(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        person = _person(interaction)

        async def work() -> str:
            count = await self.notebook.forget_all(person)
            return tn(
                "Everything is forgotten: {count} memory, and its key.",
                "Everything is forgotten: {count} memories, and their key.",
                count,
            )

        view = Confirm(person, t("Forget everything"), work)
        await interaction.followup.send(
            t(
                "This deletes all that I remember of you, and what you said from my "
                "conversations. It can't be undone."
            ),
            view=view,
            ephemeral=True,
        )

    @app_commands.command(description="Let me use one memory in this server, or no longer")
    @app_commands.describe(memory="Which one", stop="Take the permission back")
    @app_commands.autocomplete(memory=_all_items)
    @app_commands.guild_only()
    async def share(
        self, interaction: discord.Interaction, memory: str, stop: bool = False
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        if interaction.guild_id is None:
            raise InvalidChoice("That works in a server only.")
        guild = GuildId(interaction.guild_id)
        item = await self.notebook.share(_person(interaction), memory, guild, stop=stop)
        await say(
            interaction,
            t("In this server I may no longer use: {text}", text=plain(item.text))
            if stop
            else t("In this server I may use: {text}", text=plain(item.text)),
        )

    @app_commands.command(description="Get everything that I remember of you, as a file")
    async def export(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        if interaction.guild_id is not None:
            raise NotAllowed("The file holds what you told me elsewhere. Ask for it in our DM.")
        told = await self.notebook.export(_person(interaction))
        data = json.dumps(told, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        file = discord.File(io.BytesIO(data), "memory.json")
        await interaction.followup.send(t("This is all of it."), file=file, ephemeral=True)

    # ── consent ─────────────────────────────────────────────────────────────────────────────

    @app_commands.command(name="on", description="Let me remember what you tell me")
    async def switch_on(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await self.notebook.set_consent(_person(interaction), Consent.ON)
        await say(
            interaction, t("I remember from now on. `/privacy` says what, and where I use it.")
        )

    @app_commands.command(name="pause", description="Neither use nor add anything for now")
    async def pause(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        person = _person(interaction)
        if await self.notebook.consent(person) not in (Consent.ON, Consent.PAUSED):
            raise NotFound("I keep no memory of you, so there is nothing to pause.")
        await self.notebook.set_consent(person, Consent.PAUSED)
        await say(interaction, t("Paused: what I know stays as it is. `/memory on` goes on."))

    @app_commands.command(name="off", description="Forget everything and stop remembering")
    async def switch_off(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        person = _person(interaction)

        async def work() -> str:
            await self.notebook.set_consent(person, Consent.DECLINED)
            return t("Done. I remember nothing of you, and I won't ask again.")

        view = Confirm(person, t("Forget and stop"), work)
        await interaction.followup.send(
            t(
                "This deletes all that I remember of you, and I stop. `/memory pause` would "
                "keep it."
            ),
            view=view,
            ephemeral=True,
        )

    @app_commands.command(description="Let all personas use what you told one of them")
    @app_commands.describe(linked="Whether they share it")
    async def link(self, interaction: discord.Interaction, linked: bool) -> None:
        await interaction.response.defer(ephemeral=True)
        await self.notebook.link_personas(_person(interaction), linked)
        await say(
            interaction,
            t("All personas use what you told one of them.")
            if linked
            else t("What you tell a companion stays with it."),
        )

    # ── how the person likes replies ────────────────────────────────────────────────────────

    @app_commands.command(description="How you like replies: look, write it yourself, on or off")
    @app_commands.describe(
        learn="Learn it from the replies you choose",
        compare="Now and then, offer me two replies to choose between",
        text="In your own words; `-` deletes it",
    )
    async def persona(
        self,
        interaction: discord.Interaction,
        learn: bool | None = None,
        compare: bool | None = None,
        text: app_commands.Range[str, 1, 600] | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        person = _person(interaction)
        if learn is not None:
            await self.notebook.liking.want(person, learn)
        if compare is not None:
            await self.notebook.liking.want_comparisons(person, compare)
        if text is not None:
            await self.notebook.liking.edit(person, "" if text == "-" else clean_text(text))
        page = await self.notebook.liking.page(person)
        lines = [
            t("**How you like replies** (learning)")
            if page.wanted
            else t("**How you like replies** (not learning)"),
            plain(page.text) or t("Nothing yet."),
            t("In your own words.")
            if page.by_hand
            else tn("Drawn from {count} choice.", "Drawn from {count} choices.", len(page.pairs)),
        ]
        await say(interaction, "\n".join(lines))

    # ── context menus ───────────────────────────────────────────────────────────────────────

    async def remember_this(
        self, interaction: discord.Interaction, message: discord.Message
    ) -> None:
        """Remember a message of one's own."""
        await interaction.response.defer(ephemeral=True)
        if message.author.id != interaction.user.id:
            raise InvalidChoice("I only remember what you said yourself.")
        item, undo = await self.notebook.remember(
            _person(interaction),
            place_here(interaction),
            clean_text(message.content),
            locale=str(interaction.locale),
            message=MessageId(message.id),
        )
        await self._done(interaction, t("Remembered: {text}", text=plain(item.text)), undo)

    async def forget_this(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Forget what came from a message of one's own."""
        await interaction.response.defer(ephemeral=True)
        place = place_here(interaction)
        undo = await self.notebook.forget_message(
            _person(interaction), place, MessageId(message.id)
        )
        if not undo:
            raise NotFound("I remember nothing of yours from that message.")
        await self._done(
            interaction,
            t("Forgotten: {what}.", what=what(undo)),
            undo,
        )

    async def _done(self, interaction: discord.Interaction, text: str, undo: Undo) -> None:
        view = TakeBack(interaction.user.id, self.notebook, undo)
        await interaction.followup.send(shorten(text, 2000), view=view, ephemeral=True)


async def install_memory(bot: commands.Bot, memory: Memory, days: int) -> None:
    """Add `/memory`, `/privacy` and the context menus to the bot. `days`: for how many an unused
    memory is kept."""

    async def privacy(interaction: discord.Interaction) -> None:
        await say(interaction, f"{translated(PRIVACY, days=days)}\n{translated(HIDING)}")

    cog = MemoryCommands(memory)
    await bot.add_cog(cog)
    bot.add_dynamic_items(OfferButton, UndoButton)
    for name, work in (("Remember this", cog.remember_this), ("Forget this", cog.forget_this)):
        add_message_menu(bot, app_commands.ContextMenu(name=name, callback=work))
    said: app_commands.Command[Any, ..., None] = app_commands.Command(
        name="privacy",
        description="What I store about you, and where",
        callback=privacy,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=True, private_channel=True
        ),
    )
    bot.tree.add_command(said, override=True)


def place_here(interaction: discord.Interaction) -> Place:
    """Return where a command was used. A place that Discord did not describe counts as closed."""
    place = place_of(interaction)
    if interaction.channel is not None and is_unknown(interaction.channel, interaction.guild_id):
        return replace(place, restricted=True)
    return place


def _person(interaction: discord.Interaction) -> UserId:
    return UserId(interaction.user.id)


async def _leaf(interaction: discord.Interaction, lines: list[str], heading: str) -> None:
    pager = Pager(interaction.user.id, lines, heading)
    if pager.alone:
        await interaction.followup.send(pager.text, ephemeral=True)
    else:
        await interaction.followup.send(pager.text, view=pager, ephemeral=True)
