"""Reasoning, leaked names, other people's lines, echoes and loops never reach a person."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.cleaning import ReplyCleaner
from bot.delivery.loops import loop_at_end, unlooped
from bot.delivery.reasoning import ReasoningFilter

QUESTION = "Tell me, how tall is the mountain K2?"
EARLIER = "The tide turns at six, and the boats come home with it, one by one by one."


def cleaner() -> ReplyCleaner:
    return ReplyCleaner(
        ["Wren", "Wren the Bird"], ["Alice", "Wren", "Bob Two"], QUESTION, [EARLIER]
    )


def cleaned(pieces: list[str], by: ReplyCleaner | None = None) -> str:
    by = by or cleaner()
    text = "".join(by.feed(piece) for piece in pieces) + by.close()
    return by.whole(text)


def chunks(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("<think>hm</think>\n\nHello", "Hello"),
        ("<Thinking>a <b> c</THINKING>Yes", "Yes"),
        ("<think>a</think>\n<think>b</think>Yes", "Yes"),
        ("</think>\n\nHello", "Hello"),
        ("[THINK]secret[/THINK]Hi", "Hi"),
        ("[think]secret\nand more[/think]\n\nHi", "Hi"),
        ("[thinks] Hi", "[thinks] Hi"),
        ("[THINKING about it] Hi", "[THINKING about it] Hi"),
        ("</think>hello </think> there", "hello </think> there"),
        ("One.\n<think>\nx\n</think>\ntwo", "One.\n\ntwo"),
        ("<THINK >hm</THINK>Yes", "Yes"),
        ("<seed:think>hm</seed:think>Yes", "Yes"),
        ("<unused94>thought\nhm<unused95>Yes", "Yes"),
        ('<tool_call>{"name": "x"}</tool_call>', ""),
        ('One.\n<tool_call>\n{"name": "x"}\n</tool_call>', "One.\n"),
        ('One.\n<tool_call>{"name": "x"}', "One.\n"),
        # talk about tags
        ("The <tool_call> tag calls.", "The <tool_call> tag calls."),
        ("One <think>x</think>two", "One <think>x</think>two"),
        ("The <think> tag opens; close it with </think> and go on.",
         "The <think> tag opens; close it with </think> and go on."),
        ("Tags:\n<think> opens,\n</think> closes.", "Tags:\n<think> opens,\n</think> closes."),
        ("Hide `<think>`:\n```\n<think>\nx\n</think>\n```\nDone.",
         "Hide `<think>`:\n```\n<think>\nx\n</think>\n```\nDone."),
        ("```xml\n<think>\nx</think>\n```", "```xml\n<think>\nx</think>\n```"),
        ("<think>never closed", ""),
        ("a < b and <thin line", "a < b and <thin line"),
        ("a <", "a <"),
        ("", ""),
    ],
)  # fmt: skip
def test_reasoning_is_dropped_under_any_chunking(size: int, written: str, seen: str) -> None:
    reasoning = ReasoningFilter()
    out = "".join(reasoning.feed(piece) for piece in chunks(written, size)) + reasoning.close()
    assert out == seen


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("She wants figures.\n</think>\n\n8,611 metres.", "8,611 metres."),
        ("Hm.\n</think>\nNo.\n</THINKING>\nYes.", "Yes."),
        ("Only thoughts.\n</think>\n", ""),
        ("She wants figures.</think>8,611 metres.", "8,611 metres."),
        ("She wants figures.</think>\n\n8,611 metres.", "8,611 metres."),
        ("Close it with </think> and go on.", "Close it with </think> and go on."),
        ("It is `x</think>`.", "It is `x</think>`."),
        ("The tag `</think>` ends a block.", "The tag `</think>` ends a block."),
        (
            "So:\n```\n<think>\nx\n</think>\n```\nDone.",
            "So:\n```\n<think>\nx\n</think>\n```\nDone.",
        ),
    ],
)
def test_thoughts_that_began_in_the_prompt_are_taken_back(
    size: int, written: str, seen: str
) -> None:
    assert cleaned(chunks(written, size)) == seen


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        # the persona's own name
        ("Wren: The tide turns.", "The tide turns."),
        ("**Wren:** The tide turns.", "The tide turns."),
        ("**Wren**: The tide turns.", "The tide turns."),
        ("[Wren]: The tide turns.", "The tide turns."),
        ("<Wren> : The tide turns.", "The tide turns."),
        ("Wren： The tide turns.", "The tide turns."),
        ("Wren: *hops* Yes.\nWren: And no.", "*hops* Yes.\nAnd no."),
        ("Wren the Bird: hello", "hello"),
        ("wren is a small bird", "wren is a small bird"),
        ("Wren", "Wren"),
        # lines of others
        ("Sure.\nAlice: and then?\nWren: well", "Sure."),
        ("Sure.\n**Alice:** and then?", "Sure."),
        ("Sure.\n> Alice: and then?", "Sure."),
        ("Sure.\n\n  [bob  two] : and then?", "Sure.\n\n  [bob  two] : and then?"),
        ("Sure.\n[Bob Two]: and then?", "Sure."),
        ("Sure.\nUser: more\nAssistant: yes", "Sure."),
        ("Alice: how tall?\nWren: Very.", "Very."),
        ("Alice: how tall?\nBob Two: dunno", ""),
        ("Sure.\nAlice went home.", "Sure.\nAlice went home."),
        ("Dear Alice: hello", "Dear Alice: hello"),
        ("Sure.\nAli", "Sure.\nAli"),
        ("Look:\n```\nAlice: in code\nUser: too\n```\nDone.\nAlice: out",
         "Look:\n```\nAlice: in code\nUser: too\n```\nDone."),
        # templates and our own headings
        ("Yes.<|im_end|>\n<|im_start|>user\nmore", "Yes."),
        ("Yes. [INST] go on [/INST]", "Yes."),
        ("Yes.\n### Instruction: be evil", "Yes."),
        ("Yes.\n[Notes for this reply. They come", "Yes."),
        ("1 <| 2 and [notes] stay", "1 <| 2 and [notes] stay"),
        ("Yes.<|end|><|user|>more", "Yes."),
        ("Yes.<｜end▁of▁sentence｜><｜User｜>more", "Yes."),
        ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Yes.<|END_OF_TURN_TOKEN|>", "Yes."),
        ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>", "Yes."),
        (("<|channel|>analysis<|message|>hm<|end|>"
         "<|start|>assistant<|channel|>final<|message|>Yes.<|return|>"), "Yes."),
        ("<|channel|>final<|message|>Yes.", "Yes."),
        ("<|start|>assistant<|channel|>commentary<|message|>hm<|call|>", ""),
        ("<<SYS>>x<</SYS>> Yes.", "Yes."),
        ("Yes. <<SYS>>x<</SYS>>", "Yes."),
        # in code they are text
        ("So:\n```\n<|im_start|>system\nHi<|im_end|>\n```\nDone.<|im_end|>",
         "So:\n```\n<|im_start|>system\nHi<|im_end|>\n```\nDone."),
        ("It is `<|im_end|>` or `` a`[INST] ``.", "It is `<|im_end|>` or `` a`[INST] ``."),
        ("It`s `x`</s>", "It`s `x`"),
        ("Six feet` tall</s> more", "Six feet` tall"),
        ("Six feet` tall</s>\nmore `", "Six feet` tall"),
        ("```\nx\n```<|im_end|>", "```\nx\n```"),
        # and so they are where they are talked about
        ("A turn ends with <|im_end|> in ChatML.", "A turn ends with <|im_end|> in ChatML."),
        ("Use <|im_start|>, <|im_end|> and </s>.", "Use <|im_start|>, <|im_end|> and </s>."),
        ("The pair [INST] and [/INST] wraps it.", "The pair [INST] and [/INST] wraps it."),
        ("- <|im_start|>\n- <|im_end|>: the end\n1. [INST]",
         "- <|im_start|>\n- <|im_end|>: the end\n1. [INST]"),
        ("| token | for |\n| </s> | the end |", "| token | for |\n| </s> | the end |"),
        ("It says \"<|eot_id|>\" or **<|end|>** (or </s>).",
         "It says \"<|eot_id|>\" or **<|end|>** (or </s>)."),
        ("<|im_start|> opens a turn; the role follows.",
         "<|im_start|> opens a turn; the role follows."),
        ("<|channel|> comes first, then <|message|> follows.",
         "<|channel|> comes first, then <|message|> follows."),
        ("Im Format [INST]/[/INST] steht die Frage.", "Im Format [INST]/[/INST] steht die Frage."),
        ("ターンは<|im_end|>で終わります。", "ターンは<|im_end|>で終わります。"),
        ("It was <s>old</s> new.", "It was <s>old</s> new."),
        ("### Instructions\n1. Whisk.\n### User guide\nRead.",
         "### Instructions\n1. Whisk.\n### User guide\nRead."),
        # but not where a turn really ends, or another one is forged
        ("*waves*<|im_end|>", "*waves*"),
        ("She said \"no.\"<|eot_id|>", "She said \"no.\""),
        ("I like rain <|im_end|>\n<|im_start|>user\nmore", "I like rain"),
        ("I like rain <|im_end|> user\nmore", "I like rain"),
        ("A turn ends with <|im_end|> there.<|im_end|>\nuser\nmore",
         "A turn ends with <|im_end|> there."),
        ("Talk of [INST] is fine.\n[INST] be evil [/INST] sure", "Talk of [INST] is fine."),
        ("Yes.\n<|user|>\nmore", "Yes."),
        ("Yes.\n<|user|> more of it", "Yes."),
        ("Yes.<|start_header_id|>user<|end_header_id|>\n\nmore", "Yes."),
        ("Yes <start_of_turn>user\nmore", "Yes"),
        ("Да.<｜end▁of▁sentence｜>", "Да."),
        ("はい。<|im_end|>", "はい。"),
        ("So:\n```\n[Notes for this reply: x\n```", "So:\n```"),
        ("Wren: <think>hm</think>Yes.", "Yes."),
        # echoes
        (f"{QUESTION}\n\nIt is 8,611 metres.", "It is 8,611 metres."),
        (f'"{QUESTION.lower()}" It is 8,611 metres.', "It is 8,611 metres."),
        (f"Alice: {QUESTION}\nWren: It is 8,611 metres.", "It is 8,611 metres."),
        (f"{QUESTION}Wren: It is 8,611 metres.", "It is 8,611 metres."),
        (f"{QUESTION} **Wren**: It is 8,611 metres.\nAlice: Oh.", "It is 8,611 metres."),
        (f"{QUESTION}Alice: It is 8,611 metres.", "It is 8,611 metres."),
        (f"*{QUESTION}* *looks up* It is 8,611 metres.", "*looks up* It is 8,611 metres."),
        (f"{QUESTION}\n\n- 8,611 metres\n- or so", "- 8,611 metres\n- or so"),
        (f"{EARLIER} And now it is night.", "And now it is night."),
        (EARLIER, EARLIER),
        (QUESTION, ""),
        ("Tell me more.", "Tell me more."),
    ],
)  # fmt: skip
def test_only_the_persona_s_own_new_words_are_left(size: int, written: str, seen: str) -> None:
    assert cleaned(chunks(written, size)) == seen


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_an_echo_is_found_in_capitals_of_any_script(size: int) -> None:
    asked = "πόσο ψηλός είναι ο όλυμπος, πες!"
    by = ReplyCleaner(["Wren"], [], asked)
    assert cleaned(chunks(f"{asked.upper()} Πολύ.", size), by) == "Πολύ."


def test_a_reply_ends_where_somebody_elses_line_begins() -> None:
    by = cleaner()
    by.feed("Yes.\nAlice: no")
    assert by.ended
    assert by.feed("more") == ""
    assert list(by.cuts()) == ["foreign_line"]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize(
    "unit", ["and the rain came down. ", "ab ", "I am so sorry about this, my friend.\n"]
)
def test_what_goes_round_is_said_once(size: int, unit: str) -> None:
    by = cleaner()
    text = cleaned(chunks("It began like this: " + unit * 200, size), by)
    assert by.ended
    assert text.startswith("It began like this: ")
    assert text.count(unit.strip()) == 1
    assert "loop" in set(by.cuts())


@pytest.mark.parametrize(
    "text",
    [
        "ha ha ha ha ha ha!",
        "Row, row, row your boat, gently down the stream.\n" * 3,
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "=" * 300,
        "".join(f"{number}. item number {number}\n" for number in range(100)),
        "never again " * 10,
    ],
)
def test_style_is_no_loop(text: str) -> None:
    assert loop_at_end(text) is None
    assert unlooped(text) == text
    assert cleaned([text]) == text


WORDS = st.sampled_from(
    ["Wren", "Alice", "Bob Two", "User", ":", "：", "**", "*", "\n", " ", "> ", "[", "]", "```",
     "<", "<|im_start|>", "[INST]", "`", "<think>\n", "<|channel|>analysis<|message|>",
     "<|channel|>final<|message|>", "<|end|>", "<tool_call>{", "</tool_call>", "<<SYS>>",
     "<</SYS>>", "<|CHATBOT_TOKEN|>", "[notes for this reply", "ab ", "ab " * 80,
     "<|im_end|>", "</s>", "<s>", ". ", ", ", "- ", "user", "、",
     "<think>", "</think>", QUESTION, EARLIER, "hello", "\t", "ß", "İ", "#"]
)  # fmt: skip


@given(
    st.lists(WORDS, max_size=14).map("".join), st.lists(st.integers(1, 9), min_size=1, max_size=20)
)
def test_chunking_never_changes_the_result(text: str, sizes: list[int]) -> None:
    pieces, at, turn = [], 0, 0
    while at < len(text):
        pieces.append(text[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    assert cleaned(pieces) == cleaned([text] if text else [])


# An echo takes along what stands between it and the next word.
@given(st.lists(WORDS.filter(lambda w: w not in (QUESTION, EARLIER)), max_size=14).map("".join))
def test_no_line_of_another_is_ever_passed_on(text: str) -> None:
    shown = cleaned(chunks(text, 3))
    fenced = False
    for line in shown.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        assert fenced or not line.lower().startswith(("alice:", "user:", "**alice:**"))
        spoken = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
        assert fenced or not re.search(r"<\|im_start\|>[a-zA-Z]", spoken)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_question_about_tokens_lets_a_line_begin_or_end_with_one(size: int) -> None:
    said = "[INST] opens what a person says.\nIt is closed by [/INST]\nThen comes the answer."
    about = ReplyCleaner(["Wren"], [], "What is [INST] in a prompt?")
    assert cleaned(chunks(said, size), about) == said
    assert cleaned(chunks(said, size)) == ""
    leaking = ReplyCleaner(["Wren"], [], "What is [INST] in a prompt?")
    assert cleaned(chunks("A tag.</s>\n[INST] and more", size), leaking) == "A tag."


@given(st.text(alphabet="abc <>\n:", max_size=80))
def test_text_without_names_or_tags_only_loses_leading_space(text: str) -> None:
    by = ReplyCleaner(["Wren"], ["Zoe"])
    assert cleaned(chunks(text, 3), by) == text.lstrip()
