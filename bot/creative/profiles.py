"""How each creative tool is spoken. Data of the operator, in `personas/tools.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bot.creative.order import Length, Order, Tool
from bot.files.data_files import personas_dir
from bot.files.operator_files import read_each
from bot.routing.profiles import RouteProfile, option_problems

TOOLS_FILE: Final = "tools.toml"
_LONGEST_TEXT: Final = 2_000
_KEYS: Final = frozenset({"instruction", "several", "options", "words"})
_MOST_WORDS: Final = 2_000
_TOKENS_A_WORD: Final = 2.2
"""Room for one word, in any language."""
_SLACK: Final = 60


@dataclass(frozen=True, slots=True)
class ToolProfile:
    """One tool: its late instruction, its sampling, its lengths in words."""

    tool: Tool
    instruction: str
    several: str
    """Said as well when more than one is ordered; `{count}` stands for how many."""
    options: Mapping[str, float | int]
    words: Mapping[Length, int]

    def applied(self, order: Order, creative: RouteProfile, most: int) -> RouteProfile:
        """Return the creative route's profile with this tool's instruction and sampling.

        The reply may have `most` tokens: where several long pieces would take more, each is to be
        shorter. It would else be cut, or leave no room for the prompt.
        """
        room = int((most - _SLACK) / (order.count * _TOKENS_A_WORD))
        words = max(1, min(self.words[order.length or Length.MEDIUM], room))
        said = [self.instruction]
        if order.count > 1:
            said.append(self.several.replace("{count}", str(order.count)))
            said.append(f"Length of each: at most {words} words.")
        else:
            said.append(f"Length: at most {words} words.")
        if order.tone is not None:
            said.append(f"Tone: {order.tone.value}.")
        if order.known:
            taken = "\n".join(f"- {' '.join(idea.split())[:200]}" for idea in order.known)
            said.append(f"These are taken; yours must differ from each in kind:\n{taken}")
        tokens = int(words * order.count * _TOKENS_A_WORD) + _SLACK
        options = {**creative.options, **self.options, "num_predict": tokens}
        return replace(creative, instruction="\n".join(said), options=options)


def open_tools(directory: Path) -> Mapping[Tool, ToolProfile]:
    """Return the tools of an operator's folder; the shipped ones where it has no file of them.

    Raises:
        SettingsRejected: the file is wrong.
    """
    own = directory / TOOLS_FILE
    return load_tools(own if own.exists() else personas_dir() / TOOLS_FILE)


def load_tools(path: Path) -> Mapping[Tool, ToolProfile]:
    """Return the profile of every tool from a TOML file with one table for each.

    Raises:
        SettingsRejected: the file can't be read, or is wrong; one line for each problem.
    """
    return read_each(path, Tool, "tool", problems_of=_problems, made=_profile)


def _profile(tool: Tool, table: Mapping[str, Any]) -> ToolProfile:
    return ToolProfile(
        tool=tool,
        instruction=table["instruction"].strip(),
        several=table["several"].strip(),
        options=dict(table.get("options", {})),
        words={length: table["words"][length.value] for length in Length},
    )


def _problems(table: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one tool's table, a line each."""
    problems = [f"`{key}` is not a setting of a tool" for key in table if key not in _KEYS]
    for key in ("instruction", "several"):
        text = table.get(key)
        if not isinstance(text, str) or not text.strip():
            problems.append(f"`{key}` must be a text")
        elif len(text) > _LONGEST_TEXT:
            problems.append(f"`{key}` is longer than {_LONGEST_TEXT} characters")
    if isinstance(table.get("several"), str) and "{count}" not in table["several"]:
        problems.append("`several` must hold {count}")
    words = table.get("words")
    if not isinstance(words, dict) or set(words) != set(Length):
        problems.append(f"`words` must give a number for each of {', '.join(Length)}")
    elif not all(_is_number(each) for each in words.values()):
        problems.append(f"`words` must be whole numbers from 1 to {_MOST_WORDS}")
    options = table.get("options", {})
    if not isinstance(options, dict):
        return [*problems, "`options` must be a table"]
    if "num_predict" in options:
        problems.append("option `num_predict` follows from `words`")
    for name, value in options.items():
        problems += option_problems(name, value)
    return problems


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_WORDS
