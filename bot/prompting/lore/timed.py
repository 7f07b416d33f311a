"""Effects that last: sticky, cooldown, delay, and what has matched before in this conversation.

Kept with the conversation as JSON. Times are counted in messages. An effect that began at this
very length is forgotten: the reply is being written anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.chat.conversation import Conversation
from bot.chat.turn import Turn
from bot.personas.lorebook import Entry
from bot.prompting.history import before_turn, is_before

MAX_EFFECTS = 200
MAX_JSON = 40_000


@dataclass(frozen=True, slots=True)
class Effect:
    """Lasts from `start` until `end`, in messages. `protected` ones survive a rewrite."""

    start: int
    end: int
    protected: bool = False


@dataclass(frozen=True, slots=True)
class LoreState:
    """What a conversation remembers of its lore, by entry."""

    turn: str = ""
    length: int = 0
    """Messages up to and with that turn's question."""
    sticky: Mapping[str, Effect] = field(default_factory=dict)
    cooldown: Mapping[str, Effect] = field(default_factory=dict)
    matched: Mapping[str, int] = field(default_factory=dict)
    """When an entry matched that asks for it (`@@keep_activate_after_match` and its kin)."""

    def to_json(self) -> str:
        """Return the state as JSON, newest effects first kept when there are too many."""
        value = {
            "turn": self.turn,
            "length": self.length,
            "sticky": _written(self.sticky),
            "cooldown": _written(self.cooldown),
            "matched": dict(sorted(self.matched.items(), key=lambda each: -each[1])[:MAX_EFFECTS]),
        }
        return json.dumps(value, separators=(",", ":"))


def read_state(text: str | None) -> LoreState:
    """Return the state; an empty one when there is none or it can't be read."""
    if not text or len(text) > MAX_JSON:
        return LoreState()
    try:
        value = json.loads(text)
        return LoreState(
            turn=str(value["turn"]),
            length=int(value["length"]),
            sticky=_read(value["sticky"]),
            cooldown=_read(value["cooldown"]),
            matched={str(key): int(start) for key, start in value["matched"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return LoreState()


def entry_key(entry: Entry) -> str:
    """Return what an effect is kept under; ids are not unique in real books."""
    return f"{entry.index}-{entry.digest}"


def length_at(state: LoreState, conversation: Conversation, turn: Turn) -> int:
    """Return how many messages the conversation has, with this turn's.

    Goes on from the state, because the store forgets old exchanges: the length must not shrink.
    """
    if state.turn and not is_before(turn.id, type(turn.id)(state.turn)):
        if turn.id == state.turn:
            return state.length
        base, since = state.length, state.turn
    else:
        base, since = 0, ""
    for exchange in before_turn(conversation.exchanges, turn.id):
        if since and is_before(exchange.turn, type(turn.id)(since)):
            continue
        base += 0 if since and exchange.turn == since else len(exchange.said)
        base += exchange.reply is not None
    return base + len(turn.messages)


@dataclass(slots=True)
class Timed:
    """The effects in force during one evaluation."""

    length: int
    sticky: dict[str, Effect]
    cooldown: dict[str, Effect]
    matched: dict[str, int]

    @classmethod
    def of(cls, state: LoreState, length: int, known: Mapping[str, Entry]) -> Timed:
        """Return what is still in force, ending what is over. `known` are entries by their key."""
        timed = cls(length, {}, {}, {})
        timed.cooldown = {
            key: effect
            for key, effect in state.cooldown.items()
            if key in known and known[key].cooldown and _alive(effect, length)
        }
        for key, effect in state.sticky.items():
            if key not in known or not known[key].sticky:
                continue
            if length <= effect.start and not effect.protected:
                continue
            if length < effect.end:
                timed.sticky[key] = effect
            elif known[key].cooldown:
                timed._rest(key, known[key])
        timed.matched = {key: at for key, at in state.matched.items() if at < length}
        return timed

    def _rest(self, key: str, entry: Entry) -> None:
        """Begin the cooldown that follows a sticky time."""
        self.cooldown[key] = Effect(self.length, self.length + entry.cooldown, protected=True)

    def fired(self, entry: Entry) -> None:
        """Begin the effects of an entry that went in."""
        key, length = entry_key(entry), self.length
        if entry.sticky and key not in self.sticky:
            self.sticky[key] = Effect(length, length + entry.sticky)
        if entry.cooldown and key not in self.cooldown:
            self.cooldown[key] = Effect(length, length + entry.cooldown)
        if entry.decorators.keep_after_match or entry.decorators.never_after_match:
            self.matched.setdefault(key, length)

    def state(self, turn: str) -> LoreState:
        """Return what the conversation is to remember."""
        return LoreState(turn, self.length, self.sticky, self.cooldown, self.matched)


def _alive(effect: Effect, length: int) -> bool:
    return length < effect.end and (length > effect.start or effect.protected)


def _written(effects: Mapping[str, Effect]) -> dict[str, list[int]]:
    newest = sorted(effects.items(), key=lambda each: -each[1].start)[:MAX_EFFECTS]
    return {key: [each.start, each.end, int(each.protected)] for key, each in newest}


def _read(value: Mapping[str, list[int]]) -> dict[str, Effect]:
    return {
        str(key): Effect(int(start), int(end), bool(protected))
        for key, (start, end, protected) in list(value.items())[:MAX_EFFECTS]
    }
