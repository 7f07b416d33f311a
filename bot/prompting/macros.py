"""Macros of cards: `{{char}}`, `{{random:a,b}}`, `<USER>` and their kin.

A text is parsed once into nodes, and nodes are evaluated from the inside out. What a macro
returns is never looked at again: a person who calls themselves `{{random:1,2}}` is called just
that. (SillyTavern substitutes again and again, and runs such names.) Unknown macros stay as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_DEPTH = 32
"""Macros within macros; deeper braces are text."""
MAX_EXPANDED = 2 * 2**20
"""Characters that one text may grow to."""

_BRACES = re.compile(r"\{\{|\}\}")
_TAG = re.compile(r"<(user|bot|char|group|charifnotgroup)>", re.I)


@dataclass(slots=True)
class Node:
    """A macro: pieces of text, and macros within it, as they stand between its braces."""

    parts: list[str | Node]


class Trim:
    """What `{{trim}}` evaluates to: the line ends around it go."""


TRIM = Trim()
Evaluate = Callable[["Call"], "str | Trim | None"]
"""Returns a macro's value; None when it is none that is known."""


@dataclass(frozen=True, slots=True)
class Call:
    """A macro about to be evaluated. Its inner macros are replaced already, but marked as such."""

    name: str
    """In small letters, up to the first colon or space."""
    pieces: tuple[tuple[str, bool], ...]
    """The argument: texts, and whether each was written by the card's author."""
    separator: str
    """What followed the name: `:`, `::`, a space, or nothing."""
    offset: int
    """Number of this macro within its text; with the text, what `{{pick}}` depends on."""

    @property
    def argument(self) -> str:
        """Return the argument as one text."""
        return "".join(text for text, _ in self.pieces)

    def split(self) -> list[str]:
        """Return the items of an argument, `::` between them."""
        return self._items(lambda text: text.split("::"))

    def choices(self) -> list[str]:
        """Return the items of a list: `::` between them, else `,` with `\\,` for a comma, and then
        without the space around them."""
        if any("::" in text for text, written in self.pieces if written):
            return self.split()
        return [item.strip() for item in self._items(_split_commas)]

    def _items(self, cut: Callable[[str], list[str]]) -> list[str]:
        """Only separators that the author wrote count, never those within values."""
        items = [""]
        for text, written in self.pieces:
            first, *more = cut(text) if written else [text]
            items[-1] += first
            items += more
        return items


def _split_commas(text: str) -> list[str]:
    return [part.replace("\x00", ",") for part in text.replace("\\,", "\x00").split(",")]


def parse(text: str) -> list[str | Node]:
    """Return a text's nodes. Braces without a partner are text. Linear in the text's length."""
    stack: list[list[str | Node]] = [[]]
    position = 0
    while True:
        found = _BRACES.search(text, position)
        if found is None:
            break
        start, end = found.span()
        opening = found.group() == "{{"
        if opening and text[end : end + 1] == "{" and text[end + 1 : end + 2] != "{":
            start, end = start + 1, end + 1  # "{{{char}}}": the outer brace is text
        stack[-1].append(text[position:start])
        position = end
        if opening and len(stack) <= MAX_DEPTH:
            stack.append([])
        elif opening:
            stack[-1].append("{{")
        elif len(stack) > 1:
            node = Node(stack.pop())
            stack[-1].append(node)
        else:
            stack[-1].append("}}")
    stack[-1].append(text[position:])
    while len(stack) > 1:
        unclosed = stack.pop()
        stack[-1] += ["{{", *unclosed]
    return stack[0]


def expand(text: str, evaluate: Evaluate) -> str:
    """Return a text with its macros replaced by what `evaluate` says."""
    if "{{" not in text and "<" not in text:
        return text
    return _Expansion(evaluate).run(text)


class _Expansion:
    """One text's expansion; counts macros and characters."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._count = 0
        self._grown = 0

    def run(self, text: str) -> str:
        return _join(self._values(parse(text)))

    def _values(self, parts: Sequence[str | Node]) -> list[str | Trim]:
        values: list[str | Trim] = []
        for part in parts:
            values.append(self._literal(part) if isinstance(part, str) else self._macro(part))
        return values

    def _literal(self, text: str) -> str:
        if "<" not in text:
            return text
        return _TAG.sub(self._tag, text)

    def _tag(self, tag: re.Match[str]) -> str:
        value = self._evaluate(Call(tag[1].lower(), (), "", self._next()))
        return value if isinstance(value, str) else tag[0]

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _macro(self, node: Node) -> str | Trim:
        offset = self._next()
        head = node.parts[0] if node.parts and isinstance(node.parts[0], str) else ""
        if head.startswith("//"):
            return ""
        name, separator, rest = _split_name(head)
        pieces = [(self._literal(rest), True)] if rest else []
        for part in node.parts[1:]:
            if isinstance(part, str):
                pieces.append((self._literal(part), True))
            else:
                inner = self._macro(part)
                pieces.append((inner if isinstance(inner, str) else "", False))
        value = self._evaluate(Call(name.lower(), tuple(pieces), separator, offset))
        if value is None:
            return "{{" + name + separator + "".join(text for text, _ in pieces) + "}}"
        if isinstance(value, Trim):
            return value
        self._grown += len(value)
        return value if self._grown <= MAX_EXPANDED else ""


_NAME = re.compile(r"([^\s:]*)(::|:|\s)?", re.S)


def _split_name(head: str) -> tuple[str, str, str]:
    found = _NAME.match(head)
    if found is None:  # it matches the empty text too
        return head, "", ""
    return found[1], found[2] or "", head[found.end() :]


def _join(values: Sequence[str | Trim]) -> str:
    """Join values; a `{{trim}}` takes the line ends on both its sides with it."""
    pieces: list[str] = []
    trimming = False
    for value in values:
        if isinstance(value, Trim):
            while pieces and not (stripped := pieces[-1].rstrip("\r\n")):
                pieces.pop()
            if pieces:
                pieces[-1] = stripped
            trimming = True
            continue
        if trimming:
            value = value.lstrip("\r\n")
            trimming = not value
        if value:
            pieces.append(value)
    return "".join(pieces)


def without_comments(text: str) -> str:
    """Return a text without `{{// …}}` and `{{comment: …}}`; everything else stays."""
    if "{{" not in text:
        return text
    return "".join(_uncommented(part) for part in parse(text))


def _uncommented(part: str | Node) -> str:
    if isinstance(part, str):
        return part
    head = part.parts[0] if part.parts and isinstance(part.parts[0], str) else ""
    if head.startswith("//") or head.lower().startswith("comment:"):
        return ""
    return "{{" + "".join(_uncommented(inner) for inner in part.parts) + "}}"
