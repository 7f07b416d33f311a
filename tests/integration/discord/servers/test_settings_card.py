"""The card of a place's settings: every value with its origin, changed by buttons, menus, forms."""

from __future__ import annotations

import pytest

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import BindingLevel, QuietHours, ResolvedBinding, TriggerMode
from tests.fakes.discord.handles import Person
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_reply_controls import buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")


def shown(interaction: Interaction) -> Message:
    message = interaction.response or interaction.followups[0]
    assert message is not None
    return message


async def opened(stage: Stage, person: Person | None = None) -> Interaction:
    return await (person or stage.admin).slash(stage.channel, "channel settings")


async def binding(stage: Stage) -> ResolvedBinding:
    return await stage.troupe.casting.resolved(
        Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    )


async def test_every_setting_is_shown_with_where_it_comes_from(stage: Stage) -> None:
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    await stage.troupe.casting.set_mode(place, TriggerMode.OFF, level=BindingLevel.GUILD)
    card = await opened(stage)
    assert card.ephemeral or shown(card).ephemeral
    assert "**When I answer**\nNever\n-# set for this server" in card.card
    assert "**Who may talk to me**\neverybody\n-# default" in card.card
    for title in ("Who plays", "Trigger words", "Model", "Quiet hours", "Limits", "Who may not"):
        assert f"**{title}**" in card.card


async def test_a_choice_is_stored_where_the_card_says_and_the_card_says_so(stage: Stage) -> None:
    message = shown(await opened(stage))
    await stage.admin.click(message, "set:open:mode:channel")
    chosen = await stage.admin.select(message, "set:pick:mode:channel", "thread")
    assert "Saved: When I answer" in chosen.card
    assert "each conversation in a thread\n-# set for this channel" in chosen.card
    assert (await binding(stage)).mode is TriggerMode.THREAD
    await stage.admin.click(message, "set:open:mode:channel")
    cleared = await stage.admin.click(message, "set:clear:mode:channel")
    assert "Mentions and replies\n-# default" in cleared.card


async def test_roles_and_people_are_chosen_from_a_menu_and_none_lifts_the_list(
    stage: Stage,
) -> None:
    message = shown(await opened(stage))
    role = stage.guild.role("patrons")
    await stage.admin.click(message, "set:open:allowed:channel")
    await stage.admin.select(message, "set:pick:allowed:channel", role, stage.guest)
    assert set((await binding(stage)).allowed) == {f"r{role.id}", f"u{stage.guest.id}"}
    await stage.admin.click(message, "set:open:allowed:channel")
    lifted = await stage.admin.click(message, "set:none:allowed:channel")
    assert "everybody\n-# set for this channel" in lifted.card
    assert (await binding(stage)).allowed == ()
    assert all(not each.pings for each in stage.channel.from_bot)


async def test_who_is_barred_may_take_back_but_have_nothing_written(stage: Stage) -> None:
    stage.ollama.reply_with("Wren.")
    question = await stage.channel.says(stage.guest, "name a bird", mention_bot=True)
    await stage.channel.next_reply(to=question)
    (reply,) = stage.channel.replies_to(question)
    stage.ollama.reply_next("Owl.")
    await stage.guest.click(reply, buttons(reply)["Regenerate"])
    await stage.discord.world.until(lambda: "2/2" in buttons(reply) or None, "a variant")
    card = shown(await opened(stage))
    await stage.admin.click(card, "set:open:barred:channel")
    await stage.admin.select(card, "set:pick:barred:channel", stage.guest)
    asked = len(stage.ollama.chats)
    for label in ("Regenerate", "Continue"):
        refused = await stage.guest.click(reply, buttons(reply)[label])
        assert "leaves you out" in refused.text
        assert refused.ephemeral
        assert "Stop" not in buttons(reply)
    edit = await stage.guest.context_menu(stage.channel, "Edit this reply", reply)
    await stage.tells(await stage.guest.submit_modal(edit, text="A robin."), "leaves you out")
    by_command = await stage.guest.slash(stage.channel, "ask", question="hi")
    await stage.tells(by_command, "leaves you out")
    assert by_command.followups[-1].ephemeral  # nobody else reads it
    # What was announced for everybody goes once the answer is for them alone.
    await stage.discord.world.until(lambda: stage.channel.from_bot == [reply], "nothing else")
    await stage.guest.click(reply, buttons(reply)["◀️"])
    await stage.discord.world.until(lambda: "Wren." in reply.content or None, "the first")
    await stage.guest.click(reply, buttons(reply)["🗑️"])
    await stage.discord.world.until(lambda: reply.deleted_at, "the reply removed")
    assert len(stage.ollama.chats) == asked


async def test_the_card_says_which_of_several_limits_counts(stage: Stage) -> None:
    slow, fast = stage.guild.role("slow"), stage.guild.role("fast")
    stage.guild.record.members[stage.guest.id].role_ids |= {slow.id, fast.id}
    message = shown(await opened(stage))
    for role, count in ((slow, "1"), (fast, "4")):
        card = await stage.admin.click(message, "set:open:limits:channel")
        assert "else the highest of their roles" in card.card
        form = await stage.admin.select(message, "set:ask:limits:channel", role)
        await stage.admin.submit_modal(form, each=count)
    stage.ollama.reply_with("Hello.")
    for number in range(3):
        said = await stage.channel.says(stage.guest, f"hello {number}", mention_bot=True)
        reply = await stage.channel.next_reply(to=said, quiet=0.1)
        # Two at once with 4 a minute; with 1 a minute it would be one.
        assert ("Please wait" in reply.content) is (number == 2)


async def test_quiet_hours_words_and_limits_are_written_into_forms(stage: Stage) -> None:
    message = shown(await opened(stage))
    form = await stage.admin.click(message, "set:open:quiet:channel")
    done = await stage.admin.submit_modal(form, start="22:30", end="7", zone="Europe/Berlin")
    assert "22:30 to 07:00 (Europe/Berlin)" in done.card
    form = await stage.admin.click(message, "set:open:words:channel")
    done = await stage.admin.submit_modal(form, words="troupe, *ahoy*")
    assert "troupe, \\*ahoy\\*" in done.card
    await stage.admin.click(message, "set:open:limits:channel")
    form = await stage.admin.click(message, "set:ask:limits:channel:each")
    done = await stage.admin.submit_modal(form, each="5")
    assert "each person: 5 a minute" in done.card
    told = (await stage.admin.slash(stage.channel, "channel info")).text
    assert "- Quiet hours: set" in told
    assert "- Limits: set" in told
    assert "Who may not" not in told
    assert "`/channel settings`" in told
    role = stage.guild.role("patrons")
    await stage.admin.click(message, "set:open:limits:channel")
    form = await stage.admin.select(message, "set:ask:limits:channel", role)
    await stage.admin.submit_modal(form, each="20", all="60")
    now = await binding(stage)
    assert now.quiet == QuietHours(1350, 420, "Europe/Berlin")
    assert now.limits == {"each": 5, f"r{role.id}": 20, f"all:r{role.id}": 60}


async def test_what_does_not_fit_is_refused_in_words_and_changes_nothing(stage: Stage) -> None:
    message = shown(await opened(stage))
    before = await binding(stage)
    form = await stage.admin.click(message, "set:open:quiet:channel")
    refused = await stage.admin.submit_modal(form, start="25:00", end="7", zone="UTC")
    assert "times of day" in refused.text
    form = await stage.admin.click(message, "set:open:quiet:channel")
    refused = await stage.admin.submit_modal(form, start="1", end="7", zone="Atlantis/Sunken")
    assert "time zone" in refused.text
    await stage.admin.click(message, "set:open:limits:channel")
    for number in ("0", "-3", "99999", "many", "٣"):
        form = await stage.admin.click(message, "set:ask:limits:channel:all")
        refused = await stage.admin.submit_modal(form, each=number)
        assert "number" in refused.text
        assert not refused.failed
    form = await stage.admin.select(message, "set:ask:limits:channel", stage.guild.role("patrons"))
    refused = await stage.admin.submit_modal(form, each="20", all="many")
    assert "number" in refused.text
    assert await binding(stage) == before


@pytest.mark.parametrize(
    "custom_id",
    ["set:pick:mode:channel", "set:pick:model:guild", "set:clear:zzz:channel", "set", "set:x:y:z",
     "set:open:mode:thread", "set:form:limits:channel", "set:ask:limits:channel:zzz"],
)  # fmt: skip
async def test_a_forged_press_is_answered_and_changes_nothing(stage: Stage, custom_id: str) -> None:
    message = shown(await opened(stage))
    before = await binding(stage)
    part = next(p for p in components_of(message.components) if p.get("custom_id"))
    part["custom_id"] = custom_id
    answered = await stage.admin.click(message, custom_id)
    assert answered.text
    assert not answered.failed
    assert await binding(stage) == before


async def test_the_card_is_for_who_may_manage_channels_and_the_server_for_who_may_that(
    stage: Stage,
) -> None:
    with pytest.raises(PermissionError):
        await opened(stage, stage.guest)
    message = shown(await opened(stage))
    theirs = await stage.guest.click(message, "set:open:mode:channel")
    assert "Manage Channels" in theirs.text
    await stage.admin.select(message, "set:where:all:channel", "guild")
    refused = await stage.admin.click(message, "set:open:mode:guild")
    assert "Manage Server" in refused.text
    boss = stage.guild.member("boss", permissions=["manage_channels", "manage_guild"])
    message = shown(await opened(stage, boss))
    await boss.select(message, "set:where:all:channel", "guild")
    await boss.click(message, "set:open:mode:guild")
    done = await boss.select(message, "set:pick:mode:guild", "off")
    assert "Never\n-# set for this server" in done.card


async def test_the_model_is_one_that_the_operator_offers(stage: Stage) -> None:
    message = shown(await opened(stage))
    await stage.admin.click(message, "set:open:model:channel")
    menu = next(p for p in components_of(message.components) if p["type"] == 3)
    assert [option["value"] for option in menu["options"]] == [stage.troupe.models.name]
    menu["options"].append({"label": "x", "value": "somebody/else:70b"})
    refused = await stage.admin.select(message, "set:pick:model:channel", "somebody/else:70b")
    assert "does not offer" in refused.text
    assert (await binding(stage)).model is None


async def test_a_persona_that_is_chosen_plays_and_everything_can_be_inherited_again(
    stage: Stage,
) -> None:
    message = shown(await opened(stage))
    await stage.admin.click(message, "set:open:cast:channel")
    done = await stage.admin.select(message, "set:pick:cast:channel", "bram")
    assert "**Bram** plays there now." in done.card
    again = await stage.admin.click(message, "set:reset:all:channel")
    assert "Everything is inherited again." in again.card


async def test_a_server_that_removes_the_bot_takes_its_settings_along(stage: Stage) -> None:
    message = shown(await opened(stage))
    await stage.admin.click(message, "set:open:mode:channel")
    await stage.admin.select(message, "set:pick:mode:channel", "off")
    stage.guild.removes_bot()
    target = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))

    async def gone() -> bool:
        return (await stage.troupe.casting.resolved(target)).mode is TriggerMode.MENTION

    for _ in range(200):
        if await gone():
            return
        await stage.discord.world.next_change(0.02)
    raise AssertionError("the settings are still there")
