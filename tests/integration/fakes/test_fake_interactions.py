"""Interactions of the fake Discord: commands, components, modals and their deadlines."""

from __future__ import annotations

import asyncio
import time

import discord
import pytest
from discord import app_commands, ui

from tests.fakes.discord import FakeDiscord, Person, Place
from tests.integration.fakes.conftest import ListeningBot, StartBot, until


@pytest.fixture
def place(fake: FakeDiscord) -> Place:
    return fake.guild("home").channel("general")


@pytest.fixture
def alice(fake: FakeDiscord) -> Person:
    return fake.guild("home").member("alice")


class Panel(ui.View):
    """A button, a select and a way to a modal."""

    @ui.button(label="Again", custom_id="again")
    async def again(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.edit_message(content="again!")

    @ui.select(
        custom_id="pick",
        options=[discord.SelectOption(label=name, value=name) for name in ("sage", "bard")],
    )
    async def pick(self, interaction: discord.Interaction, select: ui.Select[Panel]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"picked {select.values[0]}")

    @ui.button(label="Report", custom_id="report")
    async def report(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.send_modal(Report())


class Report(ui.Modal, title="Report"):
    """One text field."""

    why: ui.TextInput[Report] = ui.TextInput(label="Why?", custom_id="why", max_length=20)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"noted: {self.why.value}", ephemeral=True)


class Card(ui.LayoutView):
    """Components v2: a container with a section and a button in it."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        button: ui.Button[Card] = ui.Button(label="Greet", custom_id="greet")
        button.callback = self.greet  # type: ignore[method-assign]
        section: ui.Section[Card] = ui.Section(ui.TextDisplay("**Sage**"), accessory=button)
        self.add_item(ui.Container(section))

    async def greet(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("greetings")


async def register(bot: ListeningBot) -> None:
    """Give the bot its commands and sync them."""
    persona = app_commands.Group(name="persona", description="personas")

    @persona.command(name="switch", description="switch")
    async def switch(
        interaction: discord.Interaction, name: str, where: discord.TextChannel | None = None
    ) -> None:
        suffix = f" in {where.name}" if where else ""
        await interaction.response.send_message(f"now {name}{suffix}", ephemeral=True)

    @switch.autocomplete("name")
    async def names(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        known = [name for name in ("sage", "bard") if name.startswith(typed)]
        return [app_commands.Choice(name=name.title(), value=name) for name in known]

    @bot.tree.command(description="takes its time")
    async def think(interaction: discord.Interaction, seconds: float) -> None:
        await interaction.response.defer(thinking=True)
        await asyncio.sleep(seconds)
        await interaction.followup.send("thought")
        await interaction.followup.send("and more", ephemeral=True)

    @bot.tree.command(description="shows the panel")
    async def panel(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("panel", view=Panel())

    @bot.tree.command(description="shows a card")
    async def card(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=Card())

    @bot.tree.command(description="says nothing")
    async def mute(_: discord.Interaction) -> None:
        return

    @bot.tree.command(description="for moderators")
    @app_commands.default_permissions(manage_channels=True)
    async def bind(interaction: discord.Interaction) -> None:
        may = interaction.app_permissions.manage_webhooks
        await interaction.response.send_message(f"bound, webhooks {may}")

    @bot.tree.context_menu(name="Quote")
    async def quote(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"> {message.content}")

    bot.tree.add_command(persona)
    await bot.tree.sync()


@pytest.fixture
async def bot(start_bot: StartBot) -> ListeningBot:
    return await start_bot(setup=register, content=False)


async def test_a_slash_command_answers_privately(
    bot: ListeningBot, place: Place, alice: Person
) -> None:
    done = await alice.slash(place, "persona switch", name="sage", where=place)
    assert done.text == "now sage in general"
    assert done.ephemeral
    assert not done.failed
    assert place.messages == []


async def test_autocomplete_offers_choices(bot: ListeningBot, place: Place, alice: Person) -> None:
    done = await alice.autocomplete(place, "persona switch", "name", "s")
    assert done.choices == [{"name": "Sage", "value": "sage"}]


async def test_a_deferred_answer_arrives_with_its_follow_ups(
    bot: ListeningBot, fake: FakeDiscord, place: Place, alice: Person
) -> None:
    done = await alice.slash(place, "think", seconds=0.1)
    assert done.response is not None
    assert done.response.content == "thought"
    await fake.world.until(lambda: done.followups or None, "a follow-up")
    assert done.followups[0].ephemeral
    assert [message.content for message in place.messages] == ["thought"]


async def test_buttons_selects_and_modals(bot: ListeningBot, place: Place, alice: Person) -> None:
    shown = (await alice.slash(place, "panel")).response
    assert shown is not None
    assert (await alice.click(shown, "again")).text == "again!"
    await alice.select(shown, "pick", "bard")
    await place.settled(shown, quiet=0.1)
    assert shown.content == "picked bard"
    opened = await alice.click(shown, "report")
    assert opened.modal is not None
    submitted = await alice.submit_modal(opened, why="it was rude")
    assert submitted.text == "noted: it was rude"
    with pytest.raises(ValueError, match="characters"):
        await alice.submit_modal(opened, why="x" * 21)


async def test_components_v2_can_be_clicked(bot: ListeningBot, place: Place, alice: Person) -> None:
    shown = (await alice.slash(place, "card")).response
    assert shown is not None
    assert shown.content == ""
    assert (await alice.click(shown, "greet")).text == "greetings"


async def test_a_context_menu_sees_the_message_without_the_intent(
    bot: ListeningBot, place: Place, alice: Person
) -> None:
    said = await place.says(alice, "remember this")
    assert (await alice.context_menu(place, "Quote", said)).text == "> remember this"


async def test_commands_work_in_direct_messages(
    bot: ListeningBot, fake: FakeDiscord, alice: Person
) -> None:
    assert (await alice.slash(fake.dm(alice), "persona switch", name="bard")).text == "now bard"


async def test_what_a_person_is_not_offered_cannot_be_used(
    bot: ListeningBot, fake: FakeDiscord, place: Place, alice: Person
) -> None:
    with pytest.raises(PermissionError):
        await alice.slash(place, "bind")
    moderator = fake.guild("home").member("mod", permissions=["manage_channels"])
    assert (await moderator.slash(place, "bind")).text == "bound, webhooks True"
    with pytest.raises(LookupError, match="no command"):
        await alice.slash(place, "missing")
    with pytest.raises(ValueError, match="required"):
        await alice.slash(place, "persona switch")


async def test_silence_is_seen_as_failure(
    bot: ListeningBot, fake: FakeDiscord, place: Place, alice: Person
) -> None:
    fake.rest.interactions.deadline = 0.1
    done = await alice.slash(place, "mute")
    assert done.failed
    assert done.callback is None


async def test_an_answer_after_the_deadline_is_refused(
    bot: ListeningBot, fake: FakeDiscord, place: Place, alice: Person
) -> None:
    refused: list[int] = []

    @bot.listen("on_interaction")
    async def slow(interaction: discord.Interaction) -> None:
        await asyncio.sleep(0.1)
        try:
            await interaction.response.send_message("too late")
        except discord.NotFound as error:
            refused.append(error.code)

    fake.rest.interactions.deadline = 0.05
    done = await alice.slash(place, "mute")
    await fake.world.until(lambda: done.late or None, "a late answer")
    await asyncio.sleep(0.05)
    assert refused == [10062]


async def test_only_one_answer_is_taken(
    bot: ListeningBot, fake: FakeDiscord, place: Place, alice: Person
) -> None:
    codes: list[int] = []

    @bot.listen("on_interaction")
    async def twice(interaction: discord.Interaction) -> None:
        url = f"{fake.api_base}/interactions/{interaction.id}/{interaction.token}/callback"
        body = {"type": 4, "data": {"content": "hi"}}
        session = bot.http._HTTPClient__session  # type: ignore[attr-defined]
        for _ in range(2):
            async with session.post(url, json=body) as response:
                codes.append((await response.json())["code"] if response.status == 400 else 0)

    assert (await alice.slash(place, "mute")).text == "hi"
    await until(lambda: len(codes) == 2)
    assert codes == [0, 40060]


async def test_a_follow_up_needs_a_first_answer_and_a_fresh_token(
    bot: ListeningBot, fake: FakeDiscord, place: Place, alice: Person
) -> None:
    fake.rest.interactions.deadline = 0.02
    ignored = await alice.slash(place, "mute")
    hook = discord.Webhook.partial(fake.world.application_id, ignored.token, client=bot)
    with pytest.raises(discord.NotFound) as early:
        await hook.send("psst")
    assert early.value.code == 10015
    fake.rest.interactions.deadline, fake.rest.interactions.lifetime = 3.0, 0.05
    answered = await alice.slash(place, "persona switch", name="sage")
    await asyncio.sleep(max(0.0, answered.created_at + 0.06 - time.monotonic()))
    hook = discord.Webhook.partial(fake.world.application_id, answered.token, client=bot)
    with pytest.raises(discord.HTTPException) as old:
        await hook.send("psst")
    assert old.value.code == 50027


async def test_syncs_are_counted_and_ids_stay(bot: ListeningBot, fake: FakeDiscord) -> None:
    assert fake.command_syncs == 1
    before = {command.name: command.id for command in await bot.tree.fetch_commands()}
    await bot.tree.sync()
    after = {command.name: command.id for command in await bot.tree.fetch_commands()}
    assert fake.command_syncs == 2
    assert before == after


async def test_a_command_out_of_bounds_is_refused(bot: ListeningBot) -> None:
    payload = [{"name": "Upper Case", "description": "x", "type": 1}]
    with pytest.raises(discord.HTTPException) as caught:
        await bot.http.bulk_upsert_global_commands(bot.application_id, payload)  # type: ignore[arg-type]
    assert caught.value.code == 50035
