"""Slash commands, as a person uses them: well, wrongly, and without permission."""

from __future__ import annotations

import pytest

from tests.e2e.troupe import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = ("factual", "creative", "companion")


async def test_personas_are_listed_and_shown(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    everyone = await alice.slash(stage, "persona list")
    assert everyone.ephemeral
    for name in ("maud", "tamsin", "bram"):
        assert f"`{name}`" in everyone.text
    playing = await alice.slash(stage, "persona show")
    for route in ROUTES:
        assert f"{route}: " in playing.text
    assert "default" in playing.text
    card = await alice.slash(stage, "persona show", name="maud")
    (embed,) = (card.response or card.followups[0]).embeds
    assert "Maud" in embed["title"]


async def test_a_persona_is_switched_and_the_cast_is_inherited_again(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    switched = await alice.slash(stage, "persona switch", name="bram")
    assert "Bram" in switched.text
    asked, _ = await scene.exchange(stage, alice, "how tall is K2?")
    assert stage.replies_to(asked)[0].author.name == "Bram"
    back = await alice.slash(stage, "persona reset")
    assert "inherited" in back.text
    asked, _ = await scene.exchange(stage, alice, "how tall is Everest?")
    assert stage.replies_to(asked)[0].author.name == "Maud"
    again = await alice.slash(stage, "persona reset")
    assert "nothing changed" in again.text


async def test_names_are_completed_while_they_are_typed(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    offered = await alice.autocomplete(stage, "persona switch", "name", "tam")
    assert [choice["value"] for choice in offered.choices or []] == ["tamsin"]
    everyone = await alice.autocomplete(stage, "persona show", "name", "")
    assert len(everyone.choices or []) >= 3
    nobody = await alice.autocomplete(stage, "persona show", "name", "zzz`@everyone" * 6)
    assert nobody.choices == []


async def test_a_binding_is_set_inherited_and_removed(scene: Scene) -> None:
    stage = scene.channel(category="acts")
    sibling, alice = scene.channel(category="acts"), scene.person("manage_channels")
    bound = await alice.slash(
        stage, "channel bind", persona="tamsin", words="abracadabra, sesame", where="category"
    )
    assert "Tamsin" in bound.text
    info = await alice.slash(sibling, "channel info")
    assert "Tamsin" in info.text
    assert "set for this category" in info.text
    assert "sesame" in info.text
    spoken = await sibling.says(alice, "open sesame, please")
    await scene.troupe.over(spoken)
    assert sibling.replies_to(spoken)[0].author.name.startswith("Tamsin")
    removed = await alice.slash(stage, "channel unbind", where="category")
    assert removed.text.startswith("Removed.")
    again = await alice.slash(stage, "channel unbind", where="category")
    assert again.text.startswith("Nothing was set there.")


async def test_a_cast_has_a_persona_for_each_route(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    cast = await alice.slash(stage, "channel cast", factual="bram", companion="maud")
    assert "factual: **Bram" in cast.text
    assert "companion: **Maud" in cast.text
    assert "creative: **Tamsin" in cast.text
    none = await alice.slash(stage, "channel cast")
    assert none.text
    assert not none.failed


async def test_a_channel_can_be_silenced(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    off = await alice.slash(stage, "channel mode", mode="off")
    assert "answers: off" in off.text
    ignored = await stage.says(alice, "are you there?", mention_bot=True)
    on = await alice.slash(stage, "channel mode", mode="mention")
    assert "answers: mention" in on.text
    _, answer = await scene.exchange(stage, alice, "and now?")
    assert answer
    assert not stage.replies_to(ignored)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("persona switch", {"name": "bram"}),
        ("persona reset", {}),
        ("channel bind", {"persona": "bram"}),
        ("channel cast", {"factual": "bram"}),
        ("channel mode", {"mode": "off"}),
        ("channel unbind", {}),
        ("conversation reset", {}),
    ],
)
async def test_what_changes_a_place_needs_permission(
    scene: Scene, command: str, options: dict[str, str]
) -> None:
    stage, mallory = scene.channel(), scene.person()
    # As an admin may in the server's settings, open every command to everybody.
    scene.discord.rest.commands.find(1, command.split()[0], None)["default_member_permissions"] = (
        None
    )
    refused = await mallory.slash(stage, command, **options)
    assert refused.ephemeral
    assert "You need the permission Manage" in refused.text
    info = await scene.person("manage_channels").slash(stage, "channel info")
    assert "answers: mention" in info.text
    assert "set for" not in info.text


@pytest.mark.parametrize(
    ("command", "options", "says"),
    [
        ("persona show", {"name": "nobody @everyone"}, "persona"),
        ("persona switch", {"name": "../../etc/passwd"}, "persona"),
        ("channel bind", {"persona": "nobody"}, "persona"),
        ("channel cast", {"factual": "nobody"}, "persona"),
        ("channel bind", {"persona": "bram", "words": "x" * 3000}, "word"),
        ("channel bind", {"persona": "bram", "words": ",".join("abcdefghijkl" * 40)}, "word"),
        ("why", {"message": "yesterday's"}, "link of a message"),
        ("why", {"message": "123456789012345678"}, "no reply of mine"),
        ("why", {}, "not replied here yet"),
        ("conversation reset", {}, "nothing to forget"),
    ],
)
async def test_a_wrong_input_is_answered_by_one_clear_line(
    scene: Scene, command: str, options: dict[str, str], says: str
) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels", "manage_messages")
    told = await alice.slash(stage, command, **options)
    assert told.ephemeral
    assert says in told.text.lower()
    assert len(told.text.splitlines()) <= 2
    assert len(told.text) < 400
    assert "Something went wrong" not in told.text
    assert all(not message.pings for message in [told.response, *told.followups] if message)


async def test_a_binding_with_a_wrong_word_changes_nothing_else(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    told = await alice.slash(stage, "channel bind", persona="bram", mode="off", words="x" * 40)
    assert "trigger words" in told.text
    info = await alice.slash(stage, "channel info")
    assert "answers: mention (default)" in info.text
    assert "set for" not in info.text


async def test_a_category_that_is_not_there_can_not_be_bound(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    told = await alice.slash(stage, "channel bind", persona="bram", where="category")
    assert "categor" in told.text.lower()
    assert "Something went wrong" not in told.text


async def test_the_route_of_a_text_can_be_tried(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    tried = await alice.slash(stage, "route try", text="how tall is K2?")
    assert tried.text.startswith("Route: **factual**")
    for route in ROUTES:
        assert f"- {route}: " in tried.text
    assert scene.ollama.chats == []


async def test_why_tells_how_a_reply_came_about(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    asked, _ = await scene.exchange(stage, alice, "how tall is K2?")
    (reply,) = stage.replies_to(asked)
    link = f"https://discord.com/channels/{scene.guild.id}/{stage.id}/{reply.id}"
    for options in ({}, {"message": link}, {"message": str(reply.id)}):
        why = await alice.slash(stage, "why", **options)
        assert why.ephemeral
        for part in ("**Route** factual", "Maud", "llama3.2:3b", "Guardrails", "Times", "Tokens"):
            assert part in why.text
    elsewhere = await alice.slash(scene.channel(), "why", message=link)
    assert "no reply of mine in this channel" in elsewhere.text


async def test_a_conversation_is_forgotten(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_messages")
    await scene.exchange(stage, alice, "the word is rhododendron")
    told = await alice.slash(stage, "conversation reset")
    assert told.text.startswith("Forgotten: 1")
    before = len(scene.ollama.chats)
    await scene.exchange(stage, alice, "what was the word?")
    assert all(
        "rhododendron" not in message["content"]
        for chat in scene.ollama.chats[before:]
        for message in chat.messages
    )


async def test_what_this_is_and_what_it_keeps(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    about = await alice.slash(stage, "about")
    assert "llama3.2:3b" in about.text
    assert "You are talking to an AI" in about.text
    privacy = await alice.slash(stage, "privacy")
    assert "encrypted at rest" in privacy.text


async def test_commands_work_in_direct_messages_where_they_make_sense(scene: Scene) -> None:
    alice = scene.person()
    letter = scene.discord.dm(alice)
    for command in ("about", "privacy", "persona list", "persona show", "conversation reset"):
        told = await alice.slash(letter, command)
        assert told.text
        assert "Something went wrong" not in told.text
