"""Patterns for the beginnings of a match.

For a pattern `kill yourself` the partial pattern matches, at the end of a text, `k`, `ki`, …,
`kill yourself`: whatever could still become a match when more text comes. The output gate holds
back exactly that. Built from Python's own parse tree of the pattern; RE2 runs the result.
"""

from __future__ import annotations

import re

from bot.guardrails.matching.regex_tree import Node, op, parser

WIDE = 4
"""A repeat that may count so far counts to the end of the sentence instead.

Counting is what makes an automaton large; holding back a little more is safe.
"""
SENTENCE = r"[^.!?。\n]"

CLASSES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}
PLACES = {
    op.AT_BOUNDARY: r"\b",
    op.AT_NON_BOUNDARY: r"\B",
    op.AT_BEGINNING: "^",
    op.AT_BEGINNING_STRING: r"\A",
    op.AT_END: "$",
    op.AT_END_STRING: r"\z",
}
SINGLE = frozenset({op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN})


def partial(pattern: str) -> str:
    """Return the pattern of all beginnings of `pattern`; to be anchored at the text's end.

    Raises:
        re.error: the pattern is wrong.
        ValueError: it uses something that RE2 does not have.
    """
    tree = parser.parse(pattern)
    return _beginnings(list(tree)).replace("(?:.)*", f"{SENTENCE}*")


def _beginnings(nodes: list[Node]) -> str:
    """Return a pattern for every non-empty beginning of a sequence."""
    result = ""
    for node in reversed(nodes):
        if node[0] is op.AT:
            result = f"{_whole(node)}(?:{result})" if result else ""
            continue
        if node[0] in SINGLE:  # a single character has no other beginning than itself
            result = f"{_whole(node)}(?:{result})?" if result else _whole(node)
            continue
        begun, whole = _begun(node), _whole(node)
        result = f"{begun}|{whole}(?:{result})?" if result else f"{begun}|{whole}"
    return result


def _begun(node: Node) -> str:
    """Return a pattern for the beginnings of one node."""
    kind, value = node
    if kind is op.SUBPATTERN:
        return f"(?:{_beginnings(list(value[3]))})"
    if kind is op.BRANCH:
        return "|".join(f"(?:{_beginnings(list(branch))})" for branch in value[1] if len(branch))
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        _, most, inner = value
        begun = f"(?:{_beginnings(list(inner))})"
        whole = _sequence(list(inner))
        if most is op.MAXREPEAT or int(most) >= WIDE:
            return f"(?:{whole})*{begun}"
        return f"(?:{whole}){{0,{int(most) - 1}}}{begun}" if int(most) > 1 else begun
    return _whole(node)


def _sequence(nodes: list[Node]) -> str:
    return "".join(_whole(node) for node in nodes)


def _whole(node: Node) -> str:
    """Return the pattern of a node as RE2 reads it."""
    kind, value = node
    if kind is op.LITERAL:
        return re.escape(chr(value))
    if kind is op.NOT_LITERAL:
        return f"[^{re.escape(chr(value))}]"
    if kind is op.ANY:
        return "."
    if kind is op.IN:
        return _class(value)
    if kind is op.AT:
        return PLACES[value]
    if kind is op.SUBPATTERN:
        return f"(?:{_sequence(list(value[3]))})"
    if kind is op.BRANCH:
        return f"(?:{'|'.join(_sequence(list(branch)) for branch in value[1])})"
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        least, most, inner = value
        if most is not op.MAXREPEAT and int(most) >= WIDE:
            within = list(inner) == [(op.ANY, None)]
            return f"{SENTENCE}*" if within else f"(?:{_sequence(list(inner))})*"
        upper = "" if most is op.MAXREPEAT else str(int(most))
        return f"(?:{_sequence(list(inner))}){{{least},{upper}}}"
    raise ValueError(f"a pattern may not use {kind}")


def _class(members: list[Node]) -> str:
    """Return a character class."""
    text = ""
    for kind, value in members:
        if kind is op.NEGATE:
            text += "^"
        elif kind is op.LITERAL:
            text += re.escape(chr(value))
        elif kind is op.RANGE:
            text += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            text += CLASSES[value]
    return f"[{text}]"
