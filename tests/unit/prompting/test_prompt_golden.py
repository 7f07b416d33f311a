"""Prompt assembly against what SillyTavern's chat completion sends (`prompt.json`).

The layout differs by design: most templates render only [system][user/assistant alternating], so
what SillyTavern sends as many system messages stands in three zones here. Compared are the parts,
their order within each zone, the examples, and what a shrinking context drops first.

Where we differ stands in the table of `test_golden_divergences`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.chat.conversation import Exchange
from bot.errors import CardRejected
from bot.personas import Persona
from bot.prompting import Prompt, assemble
from bot.prompting.opening import BEGINNING, example_blocks
from tests.unit.prompting.build import exchange, input_of, persona_of, turn_of

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "cards" / "prompt.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text("utf-8"))
BY_ID = {case["id"]: case for case in CASES}
MAIN = "Write {{char}}'s next reply in a fictional chat between {{char}} and {{user}}."
ROLES = {0: "system", 1: "user", 2: "assistant"}

BUDGET = {case["id"] for case in CASES if "context" in case}
WHOLE = [case for case in CASES if case["id"] not in BUDGET]
"""Cases in which everything fits."""


def persona_for(case: dict[str, Any]) -> Persona:
    entries = []
    for text, position in (
        (case.get("wi_before"), "before_char"),
        (case.get("wi_after"), "after_char"),
    ):
        if text:
            entries.append(constant(text, {"position": int(position == "after_char")}))
    for injected in case.get("extension_prompts", {}).values():
        if injected["position"] == 1:
            place = {"position": 4, "depth": injected["depth"], "role": injected["role"]}
            entries.append(constant(injected["value"], place))
    book = {"name": "", "extensions": {}, "entries": entries}
    fields = {**case["card"], "character_book": book if entries else None}
    return persona_of("Char", **{key: each for key, each in fields.items() if each is not None})


def constant(content: str, extensions: dict[str, Any]) -> dict[str, Any]:
    return {
        "keys": [],
        "content": content,
        "constant": True,
        "enabled": True,
        "insertion_order": 1,
        "extensions": extensions,
    }


def exchanges_of(chat: list[list[str]]) -> list[Exchange]:
    """Return the chat as exchanges: what others said, then a reply of the character."""
    found, said = [], []
    for name, text in chat:
        if name in ("Char", "Other"):  # the personas of these cases
            found.append(exchange(len(found) + 1, said, text, name.lower()))
            said = []
        else:
            said.append((name, text))
    return [*found, exchange(len(found) + 1, said, None)] if said else found


def prompt_for(case: dict[str, Any], **changes: Any) -> Prompt:
    chat = case["chat"]
    going_on = case.get("type") == "continue"
    last = [] if chat[-1][0] == "Char" else [chat[-1]]
    turn = (
        turn_of(*(text for _, text in last), name="User") if last else turn_of("next", name="User")
    )
    stored = exchanges_of(chat[:-1] if last else chat)
    fields: dict[str, Any] = {
        "base_prompt": case.get("main", MAIN),
        "post_history": case.get("jailbreak", ""),
        "user_persona": case.get("persona"),
        "cast_names": tuple(name for name in case.get("group", []) if name != "Char"),
        "continue_reply": going_on,
        **changes,
    }
    return assemble(input_of(persona_for(case), turn, *stored, **fields))


def everybody(text: str) -> str:
    """Return an expected text as it reads where it is shared by everybody."""
    return text.replace("Char, Other and", "Char and").replace("and User.", "and the user.")


def in_order(texts: list[str], whole: str) -> bool:
    position = 0
    for text in texts:
        found = whole.find(text, position)
        if found < 0:
            return False
        position = found + len(text)
    return True


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["id"])
def test_the_character_stands_in_the_system_message_in_the_known_order(
    case: dict[str, Any],
) -> None:
    system = prompt_for(case).messages[0].content
    expected = case["expected"]["messages"]
    known = {case.get("wi_before"), case.get("wi_after"), case.get("persona"), "Past events: P",
             "[Summary: S]", "AN"}  # fmt: skip
    parts: list[str] = []
    for message in expected:
        if message["content"].startswith(("[Start a new", "[Example Chat]")):
            break
        if message["content"] not in known:
            parts.append(everybody(message["content"]))
    assert parts
    assert in_order(parts, system)
    assert "\n\n\n" not in system


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["id"])
def test_history_stands_in_order_with_its_roles(case: dict[str, Any]) -> None:
    messages = prompt_for(case).messages
    roles = [message.role for message in messages]
    assert roles[0] == "system"
    assert roles[1:] == ["user", "assistant"] * ((len(roles) - 1) // 2) + ["user"]
    spoken = [f"{name}: {text}" if name == "Other" else text for name, text in case["chat"]]
    assert in_order(spoken, "\n".join(message.content for message in messages[1:]))
    for name, text in case["chat"]:
        role = next(m.role for m in messages[1:] if text in m.content)
        assert role == ("assistant" if name == "Char" else "user")


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["id"])
def test_examples_are_read_as_observed(case: dict[str, Any]) -> None:
    expected: list[list[tuple[bool, str]]] = []
    for message in case["expected"]["messages"]:
        if message["content"] == "[Example Chat]":
            expected.append([])
        elif "name" in message:
            expected[-1].append((message["name"] == "example_assistant", message["content"]))
    blocks = example_blocks(persona_for(case))
    assert [[(line.by_character, line.text) for line in block] for block in blocks] == expected


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["id"])
def test_what_stands_late_in_the_original_stands_in_the_last_message(case: dict[str, Any]) -> None:
    last = prompt_for(case).messages[-1].content
    said = [text for name, text in case["chat"] if name != "Char"][-1:]
    messages = [message["content"] for message in case["expected"]["messages"]]
    after = [text for text in (case.get("wi_before"), case.get("persona")) if text]
    assert all(text in last for text in after)
    card = case["card"]["post_history_instructions"]
    if case.get("jailbreak") or card:
        assert in_order([*said, messages[-1]], last)
    if case.get("group"):
        assert "[Write the next reply only as Char.]" in last


def test_injections_stand_deepest_first_and_those_at_depth_0_after_what_was_said() -> None:
    last = prompt_for(BY_ID["depth-0-and-4-roles"]).messages[-1].content
    order = ["CHAR NOTE", "LORE d1", "m3 z", "LORE d0 user", "AN d0 sys",
             "Begin your reply with these words: LORE d0 asst"]  # fmt: skip
    assert all(text in last for text in order)
    assert in_order(order[:3], last)
    assert in_order(["m3 z", "LORE d0 user", "AN d0 sys"], last)


def test_a_shrinking_context_drops_examples_first_and_the_oldest_history_then() -> None:
    case = BY_ID["history-vs-examples-ctx45"]
    seen = []
    for context in range(240, 40, -2):
        try:
            report = prompt_for(case, num_ctx=context, reply_tokens=20).report
        except CardRejected:
            break
        seen.append((report.examples, report.history))
        assert report.total <= report.limit
        assert report.examples_cut == 2 - report.examples
        assert report.history_cut == 3 - report.history
        assert not report.examples or report.history == 3
    assert [examples for examples, _ in seen] == sorted((e for e, _ in seen), reverse=True)
    assert {examples for examples, _ in seen} == {2, 1, 0}
    assert {history for _, history in seen} >= {3, 1}


def test_the_newest_exchange_is_the_last_to_go() -> None:
    case = BY_ID["history-vs-examples-ctx45"]
    for context in range(240, 40, -2):
        try:
            prompt = prompt_for(case, num_ctx=context, reply_tokens=20)
        except CardRejected:
            return
        text = "\n".join(message.content for message in prompt.messages)
        if "m1 a" in text:
            assert "m5 a" in text
    pytest.fail("the context never became too small")


@pytest.mark.parametrize(
    "name", ["injection-lost-when-its-depth-is-cut", "injection-itself-too-big-stops-history"]
)
def test_injections_survive_when_the_history_above_them_is_cut(name: str) -> None:
    case = BY_ID[name]
    value = case["extension_prompts"]["a"]["value"]
    context = 400
    while True:
        context -= 2
        prompt = prompt_for(case, num_ctx=context, reply_tokens=20)
        if prompt.report.history < 3:
            break
    assert value in prompt.messages[-1].content
    assert prompt.report.lore


def test_fixed_parts_that_do_not_fit_are_refused_with_what_to_do() -> None:
    with pytest.raises(CardRejected, match="shorter card"):
        prompt_for(BY_ID["budget-mandatory-too-big"], num_ctx=120, reply_tokens=40)


def test_a_reply_is_continued_by_a_request_that_comes_last() -> None:
    case = {**BY_ID["continue-prefill"], "type": "normal"}
    assert prompt_for(case).messages[-2].content == "m2 y"
    going_on = prompt_for(BY_ID["continue-prefill"])
    assert going_on.messages[-2].content == "m2 y"
    assert "Continue your last reply" in going_on.messages[-1].content


def test_the_beginning_is_marked_before_a_greeting() -> None:
    messages = prompt_for(BY_ID["empty-personality-and-scenario-omitted"]).messages
    assert messages[1].content == BEGINNING
    assert messages[2].content == "Greeting one"
