"""The stand-in finds the person's words in the prompts that `bot.prompting` really makes."""

from __future__ import annotations

from bot.adapters.ollama.rehearsal.voice import scene_of

LAST = """[How this conversation begins: examples of how Maud speaks. They did not happen.]
[Example Chat]
User: explain dns
Maud: It is the telephone book of the internet.

[The conversation begins.]

How tall is Everest?
Maud: 8,849 metres.

{said}

[Instructions for this reply]
Keep what you know apart from what you guess: state the first plainly.
[Write the next reply only as Maud.]"""


def said(words: str) -> str:
    last = LAST.format(said=words)
    system = {"role": "system", "content": "Write Maud's next reply."}
    return scene_of([system, {"role": "user", "content": last}]).said


def test_the_words_stand_before_the_instructions() -> None:
    assert said("How tall is K2?") == "How tall is K2?"


def test_a_speakers_name_is_left_out() -> None:
    assert said("Alice: How tall is K2?") == "How tall is K2?"
