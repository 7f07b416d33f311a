"""What stands before the history: a summary of what was cut, else the card's examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.conversation import Conversation
from bot.chat.turn import TurnId
from bot.personas import Persona
from bot.prompting.examples import ExampleLine, parse_examples
from bot.prompting.kept import MOST_CHARACTERS, Kept
from bot.prompting.ledger import Ledger
from bot.prompting.macros import Budget
from bot.prompting.system import stable_context
from bot.prompting.untrusted import clean, forbidden_names, indented, quoted

BEGINNING = "[The conversation begins.]"
_EXAMPLES = "[How this conversation begins: examples of how {char} speaks. They did not happen.]"
_SUMMARY = "[How this conversation begins: a summary of what came before. {summary}]"
_EXAMPLE = "[Example Chat]"
_USER = "User"
_Blocks = tuple[tuple[ExampleLine, ...], ...]
_parsed: Kept[tuple[str, str], tuple[_Blocks, bool]] = Kept(
    MOST_CHARACTERS, lambda parsed: sum(len(line.text) for block in parsed[0] for line in block)
)
"""Examples, and whether macros in them stayed as text for want of a budget."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The text, and how many example blocks are in it and were left out."""

    text: str
    examples: int
    cut: int


def opening_of(
    persona: Persona,
    conversation: Conversation,
    trim_to: TurnId | None,
    ledger: Ledger,
    budget: Budget | None = None,
    *,
    examples: bool = True,
) -> Opening:
    """Return what fits, last blocks dropped first; spend it in the ledger.

    Like the system message it only tells the macros' `budget` when some stayed as text.
    """
    parts: list[str] = []
    summary = summary_of(persona, conversation) if trim_to is not None else ""
    if summary and ledger.try_to("summary", summary):
        parts.append(summary)
    wanted = example_blocks(persona, budget) if examples else ()
    blocks = [_written(block, persona) for block in wanted]
    shown: Sequence[str] = ()
    if trim_to is not None:
        # Once history has overflowed it shows how the persona speaks; examples that came and
        # went with its length would change the cached prefix again and again.
        why = "history has taken their place"
    else:
        shown, why = _fitting(blocks, persona, ledger), "the last ones did not fit"
    if shown:
        parts.append("\n".join([_EXAMPLES.format(char=persona.name), *shown]))
        ledger.note("examples", ledger.message_cost(parts[-1] + BEGINNING))
    cut = len(blocks) - len(shown)
    if cut:
        ledger.cut("examples", sum(map(ledger.cost, blocks[len(shown) :])), f"{cut} blocks: {why}")
    return Opening("\n\n".join(parts), len(shown), cut)


def summary_of(persona: Persona, conversation: Conversation) -> str:
    """Return what stands for the history that was cut; empty when nothing does."""
    if not conversation.summary:
        return ""
    # A model wrote it, of what people said.
    said = quoted(conversation.summary, forbidden_names((persona.name,))).strip()
    return _SUMMARY.format(summary=indented(said))


def example_blocks(persona: Persona, budget: Budget | None = None) -> _Blocks:
    """Return the card's examples. The person in them is called "User", whoever speaks now."""
    blocks, exceeded = _parsed.get((persona.id, persona.version), lambda: _parse(persona))
    if budget is not None and exceeded:
        budget.exceeded = True
    return blocks


def _parse(persona: Persona) -> tuple[_Blocks, bool]:
    context = stable_context(persona)
    context.user = _USER
    written = context.expand(persona.card.mes_example)
    return parse_examples(clean(written), _USER, persona.name), context.budget.exceeded


def _written(block: Sequence[ExampleLine], persona: Persona) -> str:
    lines = (f"{persona.name if line.by_character else _USER}: {line.text}" for line in block)
    return "\n".join([_EXAMPLE, *lines])


def _fitting(blocks: Sequence[str], persona: Persona, ledger: Ledger) -> Sequence[str]:
    room = ledger.left - ledger.message_cost(_EXAMPLES.format(char=persona.name) + BEGINNING)
    for count, block in enumerate(blocks):
        room -= ledger.cost(block) + 1
        if room < 0:
            return blocks[:count]
    return blocks
