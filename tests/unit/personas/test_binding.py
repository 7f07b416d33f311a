"""The nearest binding wins, value by value, and its origin is known."""

from __future__ import annotations

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import (
    Binding,
    BindingLevel,
    TriggerMode,
    resolve,
    targets_of,
)
from bot.routing.route import Route

DEFAULT = Binding(cast=dict.fromkeys(Route, "default"))
THREAD = Place(ChannelId(1), GuildId(9), parent=ChannelId(2), category=ChannelId(3))
CHANNEL = Place(ChannelId(2), GuildId(9), category=ChannelId(3))
DM = Place(ChannelId(5))


def levels(place: Place) -> list[BindingLevel]:
    return [target.level for target in targets_of(place)]


def test_a_thread_inherits_through_channel_category_and_guild() -> None:
    assert levels(THREAD) == [
        BindingLevel.THREAD,
        BindingLevel.CHANNEL,
        BindingLevel.CATEGORY,
        BindingLevel.GUILD,
    ]
    assert targets_of(THREAD)[1] == targets_of(CHANNEL)[0]


def test_a_direct_message_has_one_level() -> None:
    assert levels(DM) == [BindingLevel.CHANNEL]


def test_without_bindings_the_default_is_in_force() -> None:
    binding = resolve(THREAD, {}, DEFAULT)
    assert set(binding.cast.values()) == {"default"}
    assert binding.mode is TriggerMode.MENTION
    assert binding.origins["cast.factual"] is BindingLevel.DEFAULT


def test_each_value_comes_from_the_nearest_level_that_sets_it() -> None:
    thread, channel, category, guild = targets_of(THREAD)
    binding = resolve(
        THREAD,
        {
            thread: Binding(cast={Route.CREATIVE: "near"}),
            channel: Binding(cast={Route.CREATIVE: "far", Route.FACTUAL: "channel"}),
            category: Binding(mode=TriggerMode.AUTO, words=("hey",)),
            guild: Binding(mode=TriggerMode.OFF, model="big"),
        },
        DEFAULT,
    )
    assert binding.cast == {
        Route.FACTUAL: "channel",
        Route.CREATIVE: "near",
        Route.COMPANION: "default",
    }
    assert (binding.mode, binding.model, binding.words) == (TriggerMode.AUTO, "big", ("hey",))
    assert binding.origins["mode"] is BindingLevel.CATEGORY
    assert binding.origins["model"] is BindingLevel.GUILD
    assert binding.origins["cast.creative"] is BindingLevel.THREAD
