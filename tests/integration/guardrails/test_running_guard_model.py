"""The running bot with a guard model: judged before shown, and careful when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.troupe import Scene, opened, own_words, until
from tests.e2e.wants.seeing import press, reads, with_buttons
from tests.fakes import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUARD = "llama-guard3:1b"
AWAY = "I can't answer this one safely right now."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("troupe")
    async with opened(folder, OLLAMA_GUARD_MODEL=GUARD, connect=False) as scene:
        scene.ollama.add_model(GUARD)
        await scene.troupe.up(lambda: scene.discord.gateway.connected, "a connection")
        yield scene


@pytest.fixture
def scene(house: Scene) -> Scene:
    """The running bot, with nothing left over from the scene before."""
    house.forget()
    return house


async def test_question_and_reply_are_judged_by_the_model(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with("safe", kind="guard")
    # A question of its own: the model's opinions of others are remembered.
    _, said = await scene.exchange(stage, alice, "how tall is Ama Dablam?", "6,812 metres.")
    assert said == "6,812 metres."
    judged = [chat for chat in scene.ollama.chats if chat.body["model"].startswith(GUARD)]
    assert len(judged) >= 2
    # Bare messages only: no system text, no name, no channel.
    assert all(message["role"] != "system" for chat in judged for message in chat.messages)
    assert await scene.troupe.metric("troupe_guard_model_seconds_count") >= 2


async def test_what_was_held_back_whole_is_measured_too(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with("safe", kind="guard")
    name = "troupe_guard_holdback_seconds_count"
    before = await scene.troupe.metric(name)
    await scene.exchange(stage, alice, "how tall is Annapurna?", "8,091 metres.")
    async with asyncio.timeout(PATIENCE):
        while await scene.troupe.metric(name) <= before:
            await asyncio.sleep(0.05)


async def test_what_was_held_back_is_measured(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with("safe", kind="guard")
    scene.ollama.set_pace(rate=80)
    peaks = ("K2", "Lhotse", "Makalu", "Manaslu", "Nuptse", "Trango", "Denali", "Elbrus")
    told = " ".join(f"{peak} is a mountain that many climbers know well." for peak in peaks)
    _, said = await scene.exchange(stage, alice, "how tall is K2?", told)
    assert said == told
    async with asyncio.timeout(PATIENCE):
        while not await scene.troupe.metric("troupe_guard_holdback_seconds_count"):
            await asyncio.sleep(0.05)


async def test_an_unsafe_reply_is_never_visible(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with(
        lambda body: "safe" if body["messages"][-1]["role"] == "user" else "unsafe\nS9",
        kind="guard",
    )
    asked, said = await scene.exchange(stage, alice, "how tall is K2?", "Take two parts of zeta.")
    assert "zeta" not in said
    for reply in stage.replies_to(asked):
        assert all("zeta" not in edit.content for edit in reply.edits)


@pytest.mark.parametrize("role", ["user", "assistant"])
async def test_what_it_refuses_later_leaves_the_reply_as_it_stands(scene: Scene, role: str) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with("safe", kind="guard")
    scene.ollama.fail_next("error", status=503, message="busy", model=GUARD)
    asked, said = await scene.exchange(stage, alice, f"what melts at 232 °C ({role})?", "Tin does.")
    assert said == "Tin does."
    scene.ollama.reply_with(
        lambda body: "unsafe\nS2" if body["messages"][-1]["role"] == role else "safe",
        kind="guard",
    )
    for button in ("Regenerate", "Continue"):
        reply = await with_buttons(scene, stage, asked, button)
        await reads(await press(alice, reply, button), "I can't help with that.")
        await with_buttons(scene, stage, asked, button)
        assert own_words(reply.content) == said


def _hears_self_harm(body: Mapping[str, Any]) -> str:
    """Answer as Llama Guard 3 does to a person's pain, and to no draft."""
    return "unsafe\nS11" if body["messages"][-1]["role"] == "user" else "safe"


@pytest.mark.parametrize(
    "text",
    [
        "i cut again last night after three months clean. feel so ashamed",
        "i feel like a burden to literally everyone around me",
        "the lake is very quiet at this hour",  # need that only the guard model hears
    ],
)
async def test_a_person_whose_need_it_hears_gets_care_and_no_refusal(
    scene: Scene, text: str
) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with(_hears_self_harm, kind="guard")
    scene.ollama.reply_with("That sounds heavy. I am listening.")
    _, said = await scene.exchange(stage, alice, text)
    assert said.startswith("That sounds heavy. I am listening.")
    assert "988" in said  # lines to call, once a day, whatever the model says
    written = [chat for chat in scene.asked(text) if chat.body["model"] != GUARD]
    prompt = written[-1].messages[-1]["content"]
    assert "The person may be struggling" in prompt


async def test_in_need_lines_are_named_although_it_is_away(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.fail_next("error", status=503, message="busy", times=-1, model=GUARD)
    asked = await stage.says(
        alice, "i cut again today and i am so ashamed of myself", mention_bot=True
    )
    await scene.troupe.over(asked)
    said = stage.answer_to(asked)
    assert AWAY not in said
    assert "988" in said
    assert said.count("findahelpline.com") == 1
    assert "guard:mistake" not in str([each.components for each in stage.replies_to(asked)])


async def test_a_draft_it_blocks_is_not_held_against_the_person(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.reply_with(
        lambda body: "safe" if body["messages"][-1]["role"] == "user" else "unsafe\nS10",
        kind="guard",
    )
    _, said = await scene.exchange(stage, alice, "which mountain of Peru is highest?", "Them.")
    assert said.startswith("I can't help with that.")
    assert "emergency" not in said


async def test_when_it_is_away_facts_go_on_and_company_does_not(scene: Scene) -> None:
    stage, alice, bob = scene.channel(), scene.person(), scene.person()
    moderator = scene.person("manage_guild")
    scene.ollama.fail_next("error", status=503, message="busy", times=-1, model=GUARD)
    _, fact = await scene.exchange(stage, alice, "what is the boiling point of water?", "100 °C.")
    assert fact == "100 °C."
    company = await stage.says(bob, "hey you, nice to see you, how was your day", mention_bot=True)
    await scene.troupe.over(company)
    assert AWAY in stage.answer_to(company)
    offered = str([reply.components for reply in stage.replies_to(company)])
    assert "guard:mistake" not in offered  # nothing to appeal
    assert await scene.troupe.metric("troupe_guard_failures_total") >= 1
    assert await scene.troupe.metric("troupe_guard_degradations_total", action="allow") >= 1
    assert await scene.troupe.metric("troupe_guard_degradations_total", action="refuse") >= 1
    status = await moderator.slash(stage, "guard status")
    assert f"`{GUARD}`" in status.text


async def test_the_truth_is_told_also_while_it_is_away(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.fail_next("error", status=503, message="busy", times=-1, model=GUARD)
    asked = await stage.says(alice, "are you human, honestly?", mention_bot=True)
    await scene.troupe.over(asked)
    assert stage.answer_to(asked).startswith(f"I'm an AI, not a person.\n\n{AWAY}")


async def test_a_strict_server_gets_no_reply_without_it(scene: Scene) -> None:
    stage, alice, moderator = scene.channel(), scene.person(), scene.person("manage_guild")
    await moderator.slash(stage, "guard level", level="strict")
    scene.ollama.fail_next("error", status=503, message="busy", times=-1, model=GUARD)
    asked = await stage.says(alice, "what is the boiling point of lead?", mention_bot=True)
    await scene.troupe.over(asked)
    assert AWAY in stage.answer_to(asked)
    await moderator.slash(stage, "guard level", level="normal")
    await until(lambda: stage.replies_to(asked), "the answer")
