"""Who answers where, and who is remembered by whom: wants 1 to 6."""

from __future__ import annotations

import pytest

from tests.e2e.troupe import MODEL, Scene, contents, own_words
from tests.e2e.wants.seeing import LARGER, comes_true, knows, reads, shown
from tests.fakes.discord.handles import Person, Place

pytestmark = pytest.mark.asyncio(loop_scope="package")

NUTS = "remember that I am allergic to nuts"
MENU = "what may I not eat?"


async def remembered(scene: Scene, *, where: Place | None = None) -> tuple[Place, Person]:
    """Somebody who agreed to be remembered has told the bot something."""
    stage, alice = where or scene.channel(), scene.person()
    await alice.slash(stage, "memory on")
    await scene.exchange(stage, alice, NUTS, "I will.")

    async def listed() -> bool:
        return "nuts" in (await alice.slash(stage, "memory show")).text

    await comes_true(listed, "the memory")
    return stage, alice


async def test_it_replies_without_a_mention_but_only_where_i_asked_for_it(scene: Scene) -> None:
    """1 · Reply without a mention, only where asked."""
    stage, alice = scene.channel(), scene.person("manage_channels")
    unheard = await stage.says(alice, "nobody in particular should hear this")
    opened = await alice.slash(stage, "channel mode", mode="auto")
    assert "auto" in opened.text
    asked = await stage.says(alice, "how tall is K2?")
    assert await scene.answer(stage, asked)
    hidden = await stage.says(alice, "// not for you")
    last, _ = await scene.exchange(stage, alice, "and the Matterhorn?")
    assert stage.replies_to(last)
    assert not stage.replies_to(unheard)
    assert not stage.replies_to(hidden)
    assert "nobody in particular" not in contents(scene.ollama.chats)


async def test_another_persona_and_another_model_in_each_channel(scene: Scene) -> None:
    """2 · Another persona/model per channel."""
    attic, cellar, alice = scene.channel(), scene.channel(), scene.person("manage_channels")
    await alice.slash(attic, "channel bind", persona="bram")
    await alice.slash(cellar, "channel bind", persona="tamsin")
    card = shown(await alice.slash(cellar, "channel settings"))
    await alice.click(card, "set:open:model:channel")
    chosen = await alice.select(card, "set:pick:model:channel", LARGER)
    assert LARGER in chosen.card
    above, _ = await scene.exchange(attic, alice, "good evening, who is this?")
    below, _ = await scene.exchange(cellar, alice, "good evening, who is that?")
    assert attic.replies_to(above)[0].author.name == "Bram"
    assert cellar.replies_to(below)[0].author.name == "Tamsin"
    assert [chat.model for chat in scene.asked("who is this?")] == [MODEL]
    assert [chat.model for chat in scene.asked("who is that?")] == [LARGER]


async def test_several_personas_share_a_channel_with_own_names_and_avatars(scene: Scene) -> None:
    """3 · Several personas with own name and avatar."""
    stage, alice = scene.channel(), scene.person("manage_channels")
    for name in ("maud", "bram"):
        await alice.slash(stage, "channel scene add", persona=name)
    for_maud, _ = await scene.exchange(stage, alice, "Maud, are you there?", "Yes.")
    # Bram may have taken the floor by himself; the question is then part of his turn.
    for_bram = await stage.says(alice, "and you, Bram?", mention_bot=True)
    await stage.next_reply(for_bram)
    faces = [stage.replies_to(asked)[0] for asked in (for_maud, for_bram)]
    assert [face.author.name for face in faces] == ["Maud", "Bram"]
    assert len({face.avatar_url for face in faces} - {None}) == 2
    assert "Write Bram's next reply" in contents(scene.asked("and you, Bram?"))


async def test_i_get_no_double_replies_after_a_reconnect(scene: Scene) -> None:
    """4 · No double replies after reconnects."""
    stage, alice, gateway = scene.channel(), scene.person(), scene.discord.gateway

    def sessions() -> int:
        return sum("has connected to Gateway" in line for line in scene.troupe.log)

    before = sessions()
    asked, answer = await scene.exchange(stage, alice, "tell me a tale", "Once upon a time.")
    await gateway.drop_and_replay(asked)
    await scene.troupe.logged("claimed already", message=asked.id)
    await gateway.down()
    missed = await stage.says(alice, "and another?", mention_bot=True)
    gateway.invalidate()  # the session is over: what was missed is read from the channel
    await gateway.up()
    assert await scene.answer(stage, missed)
    assert own_words(stage.answer_to(asked)) == answer
    assert len(stage.from_bot) == 2
    await scene.troupe.up(lambda: sessions() > before, "a new session, for whoever comes next")


async def test_what_i_told_it_leaks_to_no_other_user_channel_or_server(scene: Scene) -> None:
    """5 · No memory leaking between users, channels, servers."""
    stage, alice = await remembered(scene)
    await scene.exchange(stage, alice, "the password of this door is swordfish")
    ben, other = scene.person(), scene.channel()
    await ben.slash(other, "memory on")
    scene.ollama.reply_with(knows("nuts"))
    _, told = await scene.exchange(other, ben, MENU)
    assert told == "I don't know."  # another user
    abroad = scene.discord.guild("elsewhere", channels=["general"])
    _, told = await scene.exchange(abroad.channel("general"), alice, MENU)
    assert told == "I don't know."  # another server
    scene.ollama.reply_with(knows("swordfish"))
    _, told = await scene.exchange(scene.channel(), alice, "what was said at the door?")
    assert told == "I don't know."  # another channel's conversation


async def test_and_yet_it_remembers_me_in_the_next_channel(scene: Scene) -> None:
    """6 · …and yet be remembered in the next channel."""
    _, alice = await remembered(scene)
    other = scene.channel()
    scene.ollama.reply_with(knows("allergic to nuts"))
    _, told = await scene.exchange(other, alice, MENU)
    assert told == "I know."
    why = await alice.slash(other, "why")
    await reads(why, "emor")  # that a memory was used can be seen
