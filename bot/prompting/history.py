"""The conversation as the model sees it, and where it begins."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import UserId
from bot.chat.turn import Speaker, Turn, TurnId
from bot.personas import Persona, slug
from bot.personas.scripts import TOTAL_SECONDS, Purpose, rewrite
from bot.prompting.small_print import without_small_print
from bot.prompting.untrusted import (
    clean,
    forbidden_names,
    indented,
    likeness,
    names_speakers,
    quoted,
    speaker_name,
)

NEARLY_FULL = 0.85
"""Share of the history's budget from which on the next cut is prepared."""
LOW_WATER = 0.5
"""Share of the history's budget that is kept when it overflows."""
HISTORY_SCRIPT_SECONDS = 0.3
"""What a card's scripts may take on all its past replies; those beyond stay as they are."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the conversation, ready to stand in a prompt."""

    name: str
    text: str
    ours: bool
    """Said by the persona that answers now."""
    person: bool
    """Said by a person, not by any persona."""

    def labelled(self) -> str:
        """Return `Name: text`, its further lines indented."""
        return f"{self.name}: {indented(self.text)}"

    def shown(self, *, plain: bool) -> str:
        """Return what stands in the prompt.

        `plain` (a private place) leaves out the names of people, but for those in whose text
        somebody else seems to speak.
        """
        if self.ours or (plain and self.person and not names_speakers(self.text)):
            return self.text
        return self.labelled()


@dataclass(frozen=True, slots=True)
class Past:
    """One stored exchange as lines."""

    turn: TurnId
    lines: tuple[Line, ...]


class Names:
    """Names of everybody in the conversation: clean, and different for different people."""

    def __init__(
        self, persona: Persona, cast: Sequence[str], names: Mapping[str, str] | None = None
    ) -> None:
        self._personas = {persona.id: persona.name, **(names or {})}
        self._cast = tuple(dict.fromkeys((persona.name, *cast)))
        self._people: dict[UserId, str] = {}
        self._forbidden: frozenset[str] | None = None
        for name in cast:
            self._personas.setdefault(slug(name), name)

    def meet(self, speaker: Speaker) -> str:
        """Return a person's name; the second of two alike gets a number."""
        known = self._people.get(speaker.id)
        if known is not None:
            return known
        base = name = speaker_name(speaker.name, self._cast)
        taken = {likeness(each) for each in self._people.values()}
        number = 2
        while likeness(name) in taken:
            name, number = f"{base} {number}", number + 1
        self._people[speaker.id] = name
        self._forbidden = None
        return name

    def called(self, name: str) -> str:
        """Return the name of somebody who is only quoted, marked where it is a persona's."""
        return speaker_name(name, self._cast)

    def of_persona(self, id: str) -> str:
        """Return a persona's name by its id."""
        known = self._personas.get(id)
        return known if known is not None else " ".join(id.split("-")).title()

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody met so far, first met first."""
        return tuple(self._people.values())

    def quoted(self, text: str) -> str:
        """Return a person's text in which nobody seems to speak who was met so far, and no persona
        of the place."""
        if self._forbidden is None:
            self._forbidden = forbidden_names((*self._cast, *self._people.values()))
        return quoted(text, self._forbidden)


def past_of(
    conversation: Conversation, until: TurnId | None, persona: Persona, names: Names
) -> list[Past]:
    """Return the stored exchanges before a turn, oldest first, as lines."""
    stored = conversation.exchanges
    before = stored if until is None else before_turn(stored, until)
    for exchange in before:  # everybody is met first: nobody may imitate who comes later
        for said in exchange.said:
            names.meet(said.speaker)
    return [Past(each.turn, tuple(_lines(each, persona, names))) for each in before]


def before_turn(exchanges: Sequence[Exchange], until: TurnId) -> Sequence[Exchange]:
    """Return the exchanges before a turn; they are in order, and mostly all are."""
    end = len(exchanges)
    while end and _at_or_after(exchanges[end - 1].turn, until):
        end -= 1
    return exchanges[:end]


def _at_or_after(turn: TurnId, other: TurnId) -> bool:
    """Turn ids are decimal and grow; anything else is compared as it stands."""
    if turn.isdecimal() and other.isdecimal():
        return int(turn) >= int(other)
    return turn == other


def is_before(turn: TurnId, other: TurnId) -> bool:
    """Whether one turn came before another."""
    return not _at_or_after(turn, other)


def _lines(exchange: Exchange, persona: Persona, names: Names) -> Iterator[Line]:
    for said in exchange.said:
        text = names.quoted(said.text).strip()
        if text:
            yield Line(names.meet(said.speaker), text, ours=False, person=True)
    reply = exchange.reply
    text = clean(without_small_print(reply.text)).strip() if reply is not None else ""
    if reply is not None and text:
        ours = reply.persona == persona.id
        yield Line(names.of_persona(reply.persona), text, ours, person=False)


def lines_of(turn: Turn, names: Names) -> tuple[Line, ...]:
    """Return the incoming messages as lines."""
    for message in turn.messages:
        names.meet(message.speaker)
    return tuple(
        Line(names.meet(message.speaker), text, ours=False, person=True)
        for message in turn.messages
        if (text := names.quoted(message.text).strip())
    )


def plan_trim(costs: Sequence[int], budget: int) -> int:
    """Return the index that history should begin with; 0 when all of it fits.

    `costs` are the tokens of the exchanges sent so far, oldest first. Half is cut at once, not
    one message a turn: the prefix then stays in the host's cache (227 against 1,784 tokens
    evaluated a turn). The newest exchange is kept as long as it fits; else the index is behind
    the last.
    """
    if sum(costs) <= budget:
        return 0
    start = len(costs)
    if costs[-1] <= budget:
        start -= 1
    kept = sum(costs[start:])
    while start > 0 and kept + costs[start - 1] <= budget * LOW_WATER:
        start -= 1
        kept += costs[start]
    return start


def scripted(past: Sequence[Past], persona: Persona) -> list[Past]:
    """Run the scripts meant for prompts, on the newest reply first: it has depth 0."""
    depth, changed = 0, []
    ends = time.perf_counter() + HISTORY_SCRIPT_SECONDS
    for each in reversed(past):
        lines = []
        for line in reversed(each.lines):
            if line.ours:
                made = rewrite(
                    persona.card.regex_scripts,
                    line.text,
                    Purpose.PROMPT,
                    depth=depth,
                    seconds=min(TOTAL_SECONDS, ends - time.perf_counter()),
                )
                line = replace(line, text=clean(made.text).strip() or line.text)
            depth += 1
            lines.append(line)
        changed.append(replace(each, lines=tuple(reversed(lines))))
    return changed[::-1]
