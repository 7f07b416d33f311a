"""The lore of a turn: scanning the persona's books, and where what they say stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.chat.conversation import Conversation
from bot.chat.turn import Turn
from bot.personas import Lorebook, Persona, Position
from bot.prompting.history import Line
from bot.prompting.lore import (
    LoreResult,
    LoreSettings,
    ScanMessage,
    Scene,
    length_at,
    prepare,
    read_state,
    scan,
)
from bot.prompting.macro_values import MacroContext
from bot.prompting.untrusted import clean

STATE = "lore"
"""The key under which a conversation keeps its lore's effects."""
LORE_SHARE = 0.25
"""Share of the limit that lore may take, constants included; SillyTavern's default."""

_BESIDE_CARD = (
    Position.BEFORE_CHAR,
    Position.BEFORE_DESC,
    Position.AFTER_DESC,
    Position.PERSONALITY,
    Position.SCENARIO,
    Position.AFTER_CHAR,
    Position.EXAMPLES_TOP,
    Position.EXAMPLES_BOTTOM,
    Position.NOTE_TOP,
    Position.NOTE_BOTTOM,
)
_ROLE_ORDER = {"assistant": 0, "user": 1, "system": 2}
"""At one depth, from top to bottom."""


@dataclass(frozen=True, slots=True)
class LoreNotes:
    """What lore and the card's own note add to the last message."""

    before: tuple[str, ...] = ()
    """Before what people said: facts, and injections, the deepest first."""
    after: tuple[str, ...] = ()
    """After it: injections at depth 0, and how the reply should begin."""
    fired: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    tokens: int = 0
    state: dict[str, str] = field(default_factory=dict)
    outlets: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def prepare_lore(persona: Persona) -> None:
    """Compile the keys of a persona's books, so that its first turn does not wait for it.

    A thousand entries take some 20 ms: for a thread, where the card is read.
    """
    prepare(_tiers(persona), LoreSettings().matching)


def _tiers(persona: Persona) -> list[list[Lorebook]]:
    return [[book] for book in (persona.lorebook, persona.world) if book is not None]


def lore_notes(
    persona: Persona,
    conversation: Conversation,
    turn: Turn,
    lines: Sequence[Line],
    context: MacroContext,
    *,
    budget: int,
    count: Callable[[str], int],
    trigger: str,
    greeting: int | None,
    settings: LoreSettings | None = None,
) -> LoreNotes:
    """Scan the persona's books for a turn. `lines` are the messages before the reply."""
    tiers = _tiers(persona)
    if not tiers:
        return LoreNotes()
    state = read_state(conversation.state.get(STATE))
    scene = Scene(
        chat=[ScanMessage(line.name, line.text, line.ours) for line in lines],
        context=context,
        budget=max(0, budget),
        count=count,
        chance=context.chance,
        length=length_at(state, conversation, turn),
        state=state,
        turn=turn.id,
        names=frozenset({persona.id, persona.name.casefold(), persona.card.name.casefold()}),
        tags=frozenset(tag.strip().casefold() for tag in persona.card.tags),
        trigger=trigger,
        greeting=greeting,
    )
    result = scan(tiers, scene, settings)
    before, after = _standing(result)
    return LoreNotes(
        before=before,
        after=after,
        fired=tuple(each.label for each in result.placed()),
        cut=result.cut,
        tokens=result.tokens,
        state={STATE: result.state.to_json()} if _lasting(tiers) else {},
        outlets=_outlets(result),
        warnings=result.warnings,
    )


def _standing(result: LoreResult) -> tuple[tuple[str, ...], tuple[str, ...]]:
    placed = result.by_position()
    before = [each.content for place in _BESIDE_CARD for each in placed[place]]
    after: list[str] = []
    injected = placed[Position.AT_DEPTH]
    injected.sort(key=lambda each: (-each.depth, _ROLE_ORDER[each.entry.role]))
    for each in injected:
        if each.prefill:
            after.append(f"Begin your reply with these words: {each.content.strip()}")
        elif each.depth <= 0:
            after.append(each.content)
        else:
            before.append(each.content)
    return _cleaned(before), _cleaned(after)


def _cleaned(texts: Sequence[str]) -> tuple[str, ...]:
    cleaned = (clean(text).strip() for text in texts)
    return tuple(text for text in cleaned if text)


def _outlets(result: LoreResult) -> dict[str, str]:
    outlets: dict[str, list[str]] = {}
    for each in result.by_position()[Position.OUTLET]:
        outlets.setdefault(each.entry.outlet.strip().casefold(), []).append(each.content)
    return {name: "\n".join(texts) for name, texts in outlets.items()}


def _lasting(tiers: Sequence[Sequence[Lorebook]]) -> bool:
    """Whether any entry has an effect that outlasts the turn."""
    return any(
        entry.sticky
        or entry.cooldown
        or entry.decorators.keep_after_match
        or entry.decorators.never_after_match
        for tier in tiers
        for book in tier
        for entry in book.entries
    )
