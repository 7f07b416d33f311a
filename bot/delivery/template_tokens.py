"""Tokens of chat templates in what a model writes: the end of its turn, or talk about them?

A token that ends the turn, or begins another one, stands where no writer would put a word: right
behind one, after a sentence, alone on a line, or glued to the name of a role. One that is talked
about is a word of its sentence. Where both could be, it is the end, unless the question itself has
such tokens in it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

_ENDS: Final = (
    "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "<end_of_turn>", "<|end|>",
    "<|return|>", "<|call|>", "<|eom_id|>", "<|end_of_role|>", "<|end_of_turn_token|>",
    "<|end_response|>", "<｜end▁of▁sentence｜>", "</s>",
    # These begin a turn, with the text itself behind them.
    "<|user|>", "<|assistant|>", "<|system|>", "<|user_token|>", "<|chatbot_token|>",
    "<|system_token|>", "<｜begin▁of▁sentence｜>", "<｜user｜>", "<｜assistant｜>", "<<sys>>",
    "<</sys>>", "[inst]", "[/inst]",
)  # fmt: skip
_BEFORE_A_ROLE: Final = (
    "<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|start|>", "<|channel|>",
    "<|message|>", "<|start_of_role|>", "<|start_of_turn_token|>",
)  # fmt: skip
_HEADINGS: Final = ("### instruction", "### response", "### human", "### user")
TOKENS: Final = (*_ENDS, *_BEFORE_A_ROLE, *_HEADINGS)
"""In small letters."""

_WORD: Final = re.compile(r"[^\S\n]*(?:[^\w\s]|\w+\W)")
"""Enough of what follows to tell."""
_ROLE: Final = re.compile(
    r"\s*(?:user|human|assistant|system|model|developer|tool|ipython)\s*(?P<then>$|[:<])"
)
_FORGED_HEADING: Final = re.compile(r"\s*:")
_ITEM: Final = re.compile(r"\s*(?:>\s*)?(?:[-*•+|]|\d{1,3}[.)])\s+$")
"""What begins an item of a list, or a table's row."""
_OPENED: Final = re.compile(
    r"(?:^|[\s(])[\"'*_~|]+$"  # behind a word these close
    r"|[“‘«„(\[{/=→：、]\s?$|[,;:]\s$|[>\]\"'*_][,;]$"
)
"""What a writer puts before a word that is quoted, listed or marked."""
_CLOSED: Final = re.compile(r"[\"'”’»)\]},.;:!?…。、，|*_~/=]")
"""What a writer puts behind it."""
_SENTENCE_END: Final = re.compile(r"[.!?…。！？>][\"'”’»)*_]*\s+$")
_OLD_TEXT: Final = re.compile(r"<s>(?:(?!</s>).)*$")


class Reading(Enum):
    """What a token is."""

    END = "end"
    TALK = "talk"
    OPEN = "open"
    """More of the line is needed to tell."""


def read(before: str, token: str, after: str, *, over: bool, asked: bool) -> Reading:
    """Return what a token is, by what stands `before` and `after` it in its line; all in small
    letters.

    `over`: the line ends with `after`. `asked`: the question itself has such tokens in it.
    """
    role = _ROLE.match(after)
    if not over and (_WORD.match(after) is None or (role and not role["then"])):
        return Reading.OPEN
    if token in _HEADINGS:
        forged = not before.strip() and _FORGED_HEADING.match(after) is not None
        return Reading.END if forged else Reading.TALK
    if token == "</s>" and _OLD_TEXT.search(before):  # noqa: S105  # it ends what is struck out
        return Reading.TALK
    named = token in _BEFORE_A_ROLE and _is_ascii_word(after[:1])
    if named or role:
        return Reading.END
    if _ITEM.match(before) or _OPENED.search(before):
        return Reading.TALK
    if before and not before[-1].isspace() and not _unspaced(before[-1]):
        return Reading.END
    alone = not before.strip() or _SENTENCE_END.search(before) is not None
    goes_on = after.strip() != "" and (after[0].isspace() or _unspaced(after[0]))
    if _CLOSED.match(after) or (goes_on and (not alone or token in _BEFORE_A_ROLE)):
        return Reading.TALK
    return Reading.TALK if asked and (goes_on or not alone) else Reading.END


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _unspaced(character: str) -> bool:
    """Whether it may be a letter of a script that has no spaces between words."""
    return character.isalpha() and not character.isascii()
