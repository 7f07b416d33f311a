"""What scenes add to stored records: read back as written, refused when hostile."""

from __future__ import annotations

import json

import pytest

from bot.adapters.redis.records import binding_of, binding_record, entry_of, entry_record
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Cue, Message, Speaker, Trigger
from bot.errors import RecordCorrupt
from bot.personas.binding import Binding

CUED = Message(
    MessageId(5),
    Place(ChannelId(1), GuildId(2)),
    Speaker(UserId(3), "Anna"),
    "",
    1.0,
    cue=Cue(("wren", "robin"), ("owl",)),
)


def test_a_cue_survives_a_restart() -> None:
    message, trigger, _ = entry_of(entry_record(CUED, Trigger.SCENE, 2.0))
    assert message == CUED
    assert trigger is Trigger.SCENE


@pytest.mark.parametrize("cue", [5, [], {"n": 5}, {"n": [1], "d": []}, {"n": [], "d": "x"}])
def test_a_hostile_cue_is_refused(cue: object) -> None:
    record = json.loads(entry_record(CUED, Trigger.SCENE, 2.0))
    with pytest.raises(RecordCorrupt):
        entry_of(json.dumps({**record, "cu": cue}).encode())


@pytest.mark.parametrize("scene", [None, (), ("wren", "robin")])
def test_no_scene_and_an_ended_one_are_told_apart(scene: tuple[str, ...] | None) -> None:
    assert binding_of(binding_record(Binding(scene=scene))).scene == scene


@pytest.mark.parametrize("scene", ["wren", [1], {"a": 1}])
def test_a_hostile_scene_is_refused(scene: object) -> None:
    with pytest.raises(RecordCorrupt):
        binding_of(json.dumps({"cast": {}, "scene": scene}).encode())
