"""Regex scripts of cards: replacements that an author wants done on texts.

They are kept with the card and are off until a guild allows them. Only two kinds are ever run:
those on the model's output, and those on what goes into a prompt. Scripts that write HTML (most
do: they draw SillyTavern skins) are passed over, and every pattern has a time limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

import regex

from bot.personas.card import RegexScript
from bot.personas.patterns import compile_javascript

AI_OUTPUT = 2
"""SillyTavern's number for the model's replies."""
MAX_GROWTH = 20_000
"""Characters that scripts may add to a text, all together."""
SCRIPT_SECONDS = 0.03
TOTAL_SECONDS = 0.1
"""What one script may take on a text, and all of them together."""

_TOO_MUCH = "writes too much"
_WRITTEN = re.compile(r"/(.+)/([gimsuy]*)", re.DOTALL)
"""Here a slash within needs no backslash, other than in a lorebook's keys."""
_REFERENCE = re.compile(r"\$(\d{1,2})|\$<(\w{1,40})>|\{\{match\}\}|\$&", re.IGNORECASE)
_HTML = re.compile(r"</?[a-z][^>\n]{0,400}>|```html|<!--", re.IGNORECASE)


class Purpose(Enum):
    """What a text is rewritten for."""

    REPLY = "reply"
    """It will be shown, and stored."""
    PROMPT = "prompt"
    """Only the model will see it."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text after the scripts, and why some of them did not run."""

    text: str
    problems: tuple[str, ...] = ()


def rewrite(
    scripts: Iterable[RegexScript],
    text: str,
    purpose: Purpose,
    *,
    depth: int = 0,
    expand: Callable[[str], str] = str,
    seconds: float = TOTAL_SECONDS,
) -> Rewritten:
    """Run the scripts meant for this purpose on a reply of the persona.

    `depth` counts messages from the end; `expand` fills in macros of the author's texts.
    """
    problems: list[str] = []
    left, limit = seconds, len(text) + MAX_GROWTH
    for script in scripts:
        if not _meant(script, purpose, depth):
            continue
        if left <= 0:
            problems.append(f"{script.name}: no time left")
            continue
        began = time.perf_counter()
        try:
            changed = _run(script, text, expand, min(SCRIPT_SECONDS, left), _Room(limit))
        except TimeoutError:
            problems.append(f"{script.name}: took too long")
        except (regex.error, OverflowError, RecursionError, ValueError) as error:
            problems.append(f"{script.name}: {error}")
        else:
            if len(changed) > limit:
                problems.append(f"{script.name}: {_TOO_MUCH}")
            elif _HTML.search(changed) and not _HTML.search(text):
                problems.append(f"{script.name}: writes HTML")
            else:
                text = changed
        left -= time.perf_counter() - began
    return Rewritten(text, tuple(problems))


def may_ever_run(script: RegexScript) -> bool:
    """Whether there is a text that a script would rewrite, once a guild allows it."""
    return not (script.disabled or script.markdown_only) and AI_OUTPUT in script.placement


def find_of(script: RegexScript) -> tuple[str, str]:
    """Return the pattern that a script looks for, and its flags; both as JavaScript has them."""
    found = _WRITTEN.fullmatch(script.find.strip())
    return (found[1], found[2]) if found else (script.find, "")


def _meant(script: RegexScript, purpose: Purpose, depth: int) -> bool:
    if not may_ever_run(script):
        return False
    if script.prompt_only is not (purpose is Purpose.PROMPT):
        return False
    if script.min_depth is not None and depth < script.min_depth:
        return False
    return script.max_depth is None or depth <= script.max_depth


@dataclass(slots=True)
class _Room:
    """Characters that one script may still write: asked before they are, for there may be many
    matches, each replaced by a megabyte."""

    left: int

    def take(self, text: str) -> str:
        """Return the text, if there is room for it.

        Raises:
            ValueError: there is none.
        """
        self.left -= len(text)
        if self.left < 0:
            raise ValueError(_TOO_MUCH)
        return text


def _run(
    script: RegexScript, text: str, expand: Callable[[str], str], seconds: float, room: _Room
) -> str:
    pattern, flags = find_of(script)
    compiled = compile_javascript(pattern, flags) if pattern else None
    if compiled is None:
        raise ValueError("no pattern, an invalid one, or one too long")
    template, trim = expand(script.replace), [each for each in map(expand, script.trim) if each]
    return compiled.sub(
        lambda match: _filled(room.take(template), match, trim, room),
        text,
        count=0 if "g" in flags else 1,
        timeout=seconds,
    )


def _filled(template: str, match: regex.Match[str], trim: Iterable[str], room: _Room) -> str:
    """Return the replacement. What was matched is inserted as it is, never looked at again."""

    def reference(found: re.Match[str]) -> str:
        number, name = found[1], found[2]
        try:
            value = match[int(number)] if number else match[name] if name else match[0]
        except (IndexError, KeyError):
            return found[0]
        value = value or ""
        for each in trim:
            value = value.replace(each, "")
        return room.take(value)

    return _REFERENCE.sub(reference, template)
