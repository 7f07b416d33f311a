"""What each macro stands for: the Version 3 set, and those of SillyTavern that cards use."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.once import Once
from bot.prompting.calendar_text import moment, read_time, spoken
from bot.prompting.macros import TRIM, Budget, Call, Trim, expand

MAX_DICE = 1_000
MAX_SIDES = 1_000_000
MAX_VARIABLES = 200
MAX_VARIABLE_CHARS = 10_000
MAX_NESTED = 3
"""Card fields within card fields, such as `{{description}}` within the scenario."""

_DICE = re.compile(r"(\d{0,12})d?(\d{1,12})?([+-]\d{1,9})?", re.I)
_UTC = re.compile(r"time_utc([+-]\d{1,2}(?:\.\d)?)")


def seeded(seed: int) -> Callable[[], float]:
    """Return what draws numbers. Most prompts draw none, and seeding takes its time."""
    source = Once(lambda: random.Random(seed))
    return lambda: source().random()


@dataclass(slots=True)
class MacroContext:
    """What macros may know. Values that people wrote are inserted as they are.

    With `stable` (the system message) nothing may change from turn to turn: times have neutral
    words, and what belongs to a person or a moment is empty.
    """

    char: str = ""
    user: str = ""
    others: tuple[str, ...] = ()
    """Other characters of the place."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Texts of the card by macro name in small letters, their own macros not yet expanded."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Plain values by macro name in small letters: lastmessage, persona, model and so on."""
    original: str | None = None
    now: float = 0.0
    idle: float | None = None
    """Seconds since the person's previous message; None when there is none."""
    chance: Callable[[], float] = random.random
    pick_seed: str = ""
    outlets: Mapping[str, str] = field(default_factory=dict)
    stable: bool = False
    scanning: bool = False
    """The text is searched for keys: `{{hidden_key:A}}` counts."""
    variables: dict[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    """For everything that is expanded with this context."""
    _nested: int = 0

    def expand(self, text: str) -> str:
        """Return a text of the card's author with its macros replaced. Each `{{original}}`
        after the first of this call is empty."""
        if "{{" not in text and "<" not in text:
            return text
        state = _Evaluation(self, text)
        return expand(text, state, self.budget)


class _Evaluation:
    """Evaluates the macros of one text."""

    def __init__(self, context: MacroContext, text: str) -> None:
        self.context = context
        self._text = text
        self._digest: str | None = None
        self._original = context.original

    def __call__(self, call: Call) -> str | Trim | None:
        context, name = self.context, call.name
        bare = not call.separator
        if bare and name in _FIELD_NAMES:
            return self._field(_FIELD_NAMES[name])
        if bare and name in _STABLE_WORDS and context.stable:
            return _STABLE_WORDS[name]
        if bare and name in _PLAIN:
            return _PLAIN[name](context)
        if bare and name in _VALUE_NAMES:
            return context.values.get(_VALUE_NAMES[name], "")
        if bare and name == "original":
            text, self._original = self._original, ""
            return text or ""
        if name in _CALLS:
            return _CALLS[name](self, call)
        if bare and (zone := _UTC.fullmatch(name)):
            if context.stable:
                return _STABLE_WORDS["time"]
            return moment(context.now, "LT", offset_hours=float(zone[1]))
        return None

    def _field(self, name: str) -> str | None:
        context = self.context
        if context._nested >= MAX_NESTED:
            return ""
        text = context.fields.get(name, "")
        if not context.budget.take(characters=len(text)):
            return None
        context._nested += 1
        try:
            return context.expand(text)
        finally:
            context._nested -= 1

    def pick(self, call: Call) -> float:
        """Return the same number for the same place in the same text of one conversation."""
        if self._digest is None:  # a text may hold thousands of picks
            self._digest = _hash(self._text).hex()
        digest = _hash(f"{self.context.pick_seed}\n{call.offset}\n{self._digest}")
        return int.from_bytes(digest[:6], "big") / 2**48


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


_FIELD_NAMES = {
    "description": "description",
    "personality": "personality",
    "scenario": "scenario",
    "mesexamples": "mesexamples",
    "mesexamplesraw": "mesexamples",
    "charprompt": "charprompt",
    "charjailbreak": "charjailbreak",
    "charinstruction": "charjailbreak",
    "charversion": "charversion",
    "char_version": "charversion",
}
_VALUE_NAMES = {
    name: name
    for name in ("persona", "model", "lastmessage", "lastusermessage", "lastcharmessage",
                 "lastmessageid", "maxprompt", "input")
}  # fmt: skip
_STABLE_WORDS = {
    "time": "the current time",
    "date": "today's date",
    "weekday": "today",
    "isotime": "the current time",
    "isodate": "today's date",
    "idle_duration": "a while",
}
"""What the system message says in place of a moment: it must not change from turn to turn."""


def _group(context: MacroContext) -> str:
    return ", ".join((context.char, *context.others))


_PLAIN: dict[str, Callable[[MacroContext], str | Trim]] = {
    "char": lambda context: context.char,
    "bot": lambda context: context.char,
    "user": lambda context: context.user,
    "group": _group,
    "charifnotgroup": _group,
    "newline": lambda _: "\n",
    "space": lambda _: " ",
    "noop": lambda _: "",
    "trim": lambda _: TRIM,
    "time": lambda context: moment(context.now, "LT"),
    "date": lambda context: moment(context.now, "LL"),
    "weekday": lambda context: moment(context.now, "dddd"),
    "isotime": lambda context: moment(context.now, "HH:mm"),
    "isodate": lambda context: moment(context.now, "YYYY-MM-DD"),
    "idle_duration": lambda context: "just now" if context.idle is None else spoken(context.idle),
}


def _random(state: _Evaluation, call: Call) -> str | None:
    return _choose(call, state.context.chance)


def _pick(state: _Evaluation, call: Call) -> str | None:
    return _choose(call, lambda: state.pick(call))


def _choose(call: Call, chance: Callable[[], float]) -> str | None:
    if call.separator not in (":", "::") or not call.argument.strip():
        return None
    items = call.choices()
    return items[min(len(items) - 1, int(chance() * len(items)))]


def _roll(state: _Evaluation, call: Call) -> str | None:
    if not call.separator or not call.argument:
        return None
    found = _DICE.fullmatch(call.argument.strip())
    if found is None or not call.argument.strip():
        return ""
    count, sides = found[1], found[2]
    if sides is None:  # "20" is one die of twenty sides
        count, sides = "1", count
    if not sides:
        return ""
    dice, faces = int(count or 1), int(sides)
    if not 1 <= dice <= MAX_DICE or not 1 <= faces <= MAX_SIDES:
        return ""
    if not state.context.budget.take(dice=dice):
        return None
    chance = state.context.chance
    return str(sum(1 + int(chance() * faces) for _ in range(dice)) + int(found[3] or 0))


def _reverse(_: _Evaluation, call: Call) -> str | None:
    return call.argument[::-1] or None if call.separator in (":", "::") else None


def _nothing(_: _Evaluation, call: Call) -> str | None:
    return "" if call.separator else None


def _hidden(state: _Evaluation, call: Call) -> str | None:
    if not call.separator:
        return None
    return call.argument if state.context.scanning else ""


def _format_time(state: _Evaluation, call: Call) -> str | None:
    if not call.separator:
        return None
    if state.context.stable:
        return _STABLE_WORDS["time"]
    return moment(state.context.now, call.argument.strip()[:100])


def _difference(_: _Evaluation, call: Call) -> str | None:
    items = call.split()
    if call.separator != "::" or len(items) != 2:
        return None
    first, second = read_time(items[0]), read_time(items[1])
    return "" if first is None or second is None else spoken(abs(first - second))


def _outlet(state: _Evaluation, call: Call) -> str | None:
    if call.separator != "::":
        return None
    return state.context.outlets.get(call.argument.strip().casefold(), "")


def _set(state: _Evaluation, call: Call) -> str | None:
    items = call.split()
    if call.separator != "::" or len(items) < 2:
        return None
    _assign(state.context.variables, call.name, items[0], "::".join(items[1:]))
    return ""


def _get(state: _Evaluation, call: Call) -> str | None:
    if call.separator != "::":
        return None
    return state.context.variables.get(_key(call.name, call.argument), "")


def _add(state: _Evaluation, call: Call) -> str | None:
    items = call.split()
    if call.separator != "::" or len(items) != 2:
        return None
    variables = state.context.variables
    old = variables.get(_key(call.name, items[0]), "")
    if not state.context.budget.take(characters=len(old) + len(items[1])):
        return None
    _assign(variables, call.name, items[0], _sum(old, items[1]))
    return ""


def _step(state: _Evaluation, call: Call) -> str | None:
    if call.separator != "::":
        return None
    variables, amount = state.context.variables, "1" if call.name.startswith("inc") else "-1"
    value = _sum(variables.get(_key(call.name, call.argument), "0"), amount)
    _assign(variables, call.name, call.argument, value)
    return value


def _key(macro: str, name: str) -> str:
    return ("global " if "global" in macro else "local ") + name.strip()[:100]


def _assign(variables: dict[str, str], macro: str, name: str, value: str) -> None:
    key = _key(macro, name)
    if key in variables or len(variables) < MAX_VARIABLES:
        variables[key] = value[:MAX_VARIABLE_CHARS]


def _sum(first: str, second: str) -> str:
    """Add numbers; join anything else."""
    try:
        total = float(first or 0) + float(second)
    except ValueError:
        return first + second
    return f"{total:.12g}"


_CALLS: dict[str, Callable[[_Evaluation, Call], str | None]] = {
    "random": _random,
    "pick": _pick,
    "roll": _roll,
    "reverse": _reverse,
    "comment": _nothing,
    "banned": _nothing,
    "hidden_key": _hidden,
    "datetimeformat": _format_time,
    "timediff": _difference,
    "outlet": _outlet,
    **dict.fromkeys(("setvar", "setglobalvar"), _set),
    **dict.fromkeys(("getvar", "getglobalvar"), _get),
    **dict.fromkeys(("addvar", "addglobalvar"), _add),
    **dict.fromkeys(("incvar", "decvar", "incglobalvar", "decglobalvar"), _step),
}
