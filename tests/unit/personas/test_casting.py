"""What is in force at a place is worked out once, and anew when anything of it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas import PersonaLibrary
from bot.personas.binding import Binding, BindingLevel, BindingTarget, TriggerMode
from bot.personas.casting import Casting
from bot.routing.route import Route

GUILD = GuildId(9)
OLD, NEW = ChannelId(3), ChannelId(4)
CHANNEL = Place(ChannelId(2), GUILD, category=OLD)
DEFAULT = Binding(cast=dict.fromkeys(Route, "wren"), mode=TriggerMode.MENTION)


class Held:
    """A binding store in memory."""

    def __init__(self) -> None:
        self.bindings: dict[BindingTarget, Binding] = {}

    async def get(self, targets: Sequence[BindingTarget]) -> Mapping[BindingTarget, Binding]:
        return {each: self.bindings[each] for each in targets if each in self.bindings}

    async def put(self, target: BindingTarget, binding: Binding | None) -> None:
        if binding is None:
            self.bindings.pop(target, None)
        else:
            self.bindings[target] = binding


async def test_a_channel_that_is_moved_is_bound_as_its_new_category_is(tmp_path: Path) -> None:
    store = Held()
    casting = Casting(store, PersonaLibrary(tmp_path), DEFAULT)
    for category, mode in ((OLD, TriggerMode.AUTO), (NEW, TriggerMode.OFF)):
        target = BindingTarget(BindingLevel.CATEGORY, GUILD, category)
        await store.put(target, Binding(mode=mode))
    moved = replace(CHANNEL, category=NEW)
    found = [(await casting.resolved(each)).mode for each in (CHANNEL, moved, CHANNEL)]
    assert found == [TriggerMode.AUTO, TriggerMode.OFF, TriggerMode.AUTO]


async def test_what_is_set_or_unset_counts_at_once(tmp_path: Path) -> None:
    store = Held()
    casting = Casting(store, PersonaLibrary(tmp_path), DEFAULT)
    target = BindingTarget(BindingLevel.CHANNEL, GUILD, CHANNEL.channel)
    modes = []
    for binding in (None, Binding(mode=TriggerMode.OFF), Binding(mode=TriggerMode.AUTO), None):
        await store.put(target, binding)
        modes.append((await casting.resolved(CHANNEL)).mode)
    assert modes == [TriggerMode.MENTION, TriggerMode.OFF, TriggerMode.AUTO, TriggerMode.MENTION]
