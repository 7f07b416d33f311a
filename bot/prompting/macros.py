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
MAX_MACROS = 4_000
"""Macros that one prompt may have replaced. Large real cards have some hundreds."""
MAX_EXPANDED = 2**18
"""Characters that macros may add to one prompt: more than any context holds."""
MAX_ROLLED = 10_000
"""Dice that one prompt may throw."""

_BRACES = re.compile(r"\{\{|\}\}")
_TAG = re.compile(r"<(user|bot|char|group|charifnotgroup)>", re.I)


@dataclass(slots=True)
class Node:
    """A macro: pieces of text, and macros within it, as they stand between its braces."""

    parts: list[str | Node]


@dataclass(slots=True)
class Budget:
    """What macros may still cost. Asked before the work; what is beyond it stays as text.

    One is shared by all texts of a prompt and by the fields within them: fields that hold each
    other a few hundred times would else be millions of macros.
    """

    macros: int = MAX_MACROS
    characters: int = MAX_EXPANDED
    dice: int = MAX_ROLLED
    exceeded: bool = False
    """Whether anything stayed as text."""

    def take(self, *, macros: int = 0, characters: int = 0, dice: int = 0) -> bool:
        """Spend, unless it is more than is left."""
        if macros > self.macros or characters > self.characters or dice > self.dice:
            self.exceeded = True
            return False
        self.macros -= macros
        self.characters -= characters
        self.dice -= dice
        return True


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


def parse(text: str, most: int = MAX_MACROS) -> list[str | Node]:
    """Return a text's nodes, at most so many. Braces without a partner are text, and so is all
    that follows when there were more. Linear in the text's length."""
    stack: list[list[str | Node]] = [[]]
    position = 0
    for _ in range(2 * most):
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


def expand(text: str, evaluate: Evaluate, budget: Budget | None = None) -> str:
    """Return a text with its macros replaced by what `evaluate` says, within a budget."""
    if "{{" not in text and "<" not in text:
        return text
    return _Expansion(evaluate, budget or Budget()).run(text)


class _Expansion:
    """One text's expansion; numbers its macros."""

    def __init__(self, evaluate: Evaluate, budget: Budget) -> None:
        self._evaluate = evaluate
        self._budget = budget
        self._count = 0

    def run(self, text: str) -> str:
        if text.count("{{") > self._budget.macros:
            self._budget.exceeded = True
        return _join(self._values(parse(text, self._budget.macros)))

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
        if not self._budget.take(macros=1):
            return tag[0]
        value = self._evaluate(Call(tag[1].lower(), (), "", self._next()))
        if not isinstance(value, str) or not self._budget.take(characters=len(value)):
            return tag[0]
        return value

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _macro(self, node: Node) -> str | Trim:
        if not self._budget.take(macros=1):
            return _source(node)
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
        if isinstance(value, Trim):
            return value
        if value is None or not self._budget.take(characters=len(value)):
            return "{{" + name + separator + "".join(text for text, _ in pieces) + "}}"
        return value


def _source(part: str | Node) -> str:
    """Return a text as its author wrote it."""
    if isinstance(part, str):
        return part
    return "{{" + "".join(map(_source, part.parts)) + "}}"


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
