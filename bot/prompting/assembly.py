"""One prompt: [system][user/assistant alternating, user first, user last].

Only this order renders on every model's template. The system message is stable, history grows at
its end, and all that changes stands in the last user message: so the host's cache holds. What
does not fit is cut by fixed priorities: fixed parts never, then lore and memories within their
shares, then the newest history, then examples, last block first. The report tells all of it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace

from bot.chat.turn import TurnId
from bot.personas.card import MAX_NAME
from bot.ports import ChatMessage
from bot.prompting.alternation import alternating
from bot.prompting.given import Prompt, PromptInput
from bot.prompting.greeting import card_number
from bot.prompting.history import (
    NEARLY_FULL,
    Line,
    Names,
    Past,
    is_before,
    lines_of,
    past_of,
    plan_trim,
    scripted,
)
from bot.prompting.late import (
    CONTINUE,
    MAX_MEMORY,
    NOTHING_SAID,
    before_note,
    file_text,
    framed,
    is_picture,
    is_textual,
    last_message,
    memory_note,
    replies_note,
    said_text,
    unseen_note,
)
from bot.prompting.ledger import Ledger
from bot.prompting.lore_notes import LORE_SHARE, LoreNotes, lore_notes
from bot.prompting.macro_values import MacroContext, seeded
from bot.prompting.opening import Opening, opening_of, summary_of
from bot.prompting.reminder import reminder
from bot.prompting.report import PromptReport
from bot.prompting.system import card_fields, system_text
from bot.prompting.tokens import PER_MESSAGE, PER_PICTURE
from bot.prompting.untrusted import clean, indented, names_speakers, one_line

MEMORY_SHARE = 0.1
MACROS_LEFT = "the card has more macros than one prompt may: the rest stays as text"
FILE_SHARE = 0.4
"""Shares of the limit that memories and attached files may take."""
MAX_STOPS = 12
_KEY = re.compile(r"[!-~]+")
"""One word of ASCII: what code may have at the beginning of a line, before a colon."""


def assemble(given: PromptInput) -> Prompt:
    """Return the prompt for a turn.

    Raises:
        CardRejected: not even the fixed parts fit the context.
    """
    return _Assembly(given).run()


class _Assembly:
    """The steps of one prompt, in order of priority."""

    def __init__(self, given: PromptInput) -> None:
        self.given = given = _named(given)
        self.names = Names(given.persona, given.cast_names, given.persona_names)
        until = None if given.continue_reply else given.turn.id
        self.past = past_of(given.conversation, until, given.persona, self.names)
        self.current = lines_of(given.turn, self.names)
        if given.run_scripts:
            self.past = scripted(self.past, given.persona)
        self.user = self.names.meet(given.turn.speaker)
        self.wish = indented(self.names.quoted(given.user_persona or "").strip())
        self.plain = given.turn.place.is_dm
        self.ledger = Ledger.open(given.estimator, given.model, given.num_ctx, given.reply_tokens)
        self.context = self._late_context()
        reminded = given.reminder and not given.host_alone
        self.reminder = reminder(given.persona, self.context) if reminded else ""
        self.notes: list[str] = []
        self.quotes: list[str] = []
        self.instructions: list[str] = []
        self.images: list[str] = []
        self.memories = 0
        self.lore = LoreNotes()
        self.trim_next: TurnId | None = None

    def run(self) -> Prompt:
        given, ledger = self.given, self.ledger
        system = system_text(
            given.persona, given.base_prompt, given.safety_text, self.context.budget
        )
        ledger.must("system message", system, extra=PER_MESSAGE)
        said = self._said()
        ledger.must("message", said, extra=PER_MESSAGE)
        self._search_lore()
        self._instruct()
        self._pay_for_lore()
        said += self._files()
        self._quote()
        self._note()
        kept, trim_to = self._history()
        opening = opening_of(
            given.persona,
            given.conversation,
            trim_to,
            ledger,
            self.context.budget,
            examples=not given.host_alone,
        )
        last = last_message(self.notes, self.quotes, said, self.instructions)
        messages = alternating(
            system,
            opening.text,
            [line for each in kept for line in each.lines],
            ChatMessage("user", last, tuple(self.images)),
            plain=self.plain,
        )
        keep = int(ledger.cost(system) * ledger.estimator.margin(given.model)) + 2 * PER_MESSAGE
        return Prompt(
            messages=messages,
            stop=self._stops(),
            num_keep=min(keep, given.num_ctx // 2),
            report=self._report(len(kept), opening),
            state=self.lore.state,
            trim_to=trim_to,
            trim_next=self.trim_next,
        )

    def _report(self, history: int, opening: Opening) -> PromptReport:
        ledger, lore = self.ledger, self.lore
        left = (MACROS_LEFT,) if self.context.budget.exceeded else ()
        return PromptReport(
            parts=tuple(ledger.parts),
            total=ledger.spent,
            limit=ledger.limit,
            lore=lore.fired,
            lore_cut=lore.cut,
            warnings=(*lore.warnings, *left),
            memories=self.memories,
            history=history,
            history_cut=len(self.past) - history,
            examples=opening.examples,
            examples_cut=opening.cut,
        )

    def _late_context(self) -> MacroContext:
        """Return what macros mean in this turn."""
        given = self.given
        lines = self._lines()
        stamps = [said.at for each in given.conversation.exchanges for said in each.said]
        earlier = [at for at in stamps if at < given.turn.messages[0].at]
        return MacroContext(
            char=given.persona.name,
            user=self.user,
            others=given.cast_names,
            fields=card_fields(given.persona),
            values={
                "persona": self.wish,
                "model": given.model,
                "maxprompt": str(given.num_ctx),
                "lastmessage": indented(lines[-1].text) if lines else "",
                "lastusermessage": _last(lines, person=True),
                "lastcharmessage": _last(lines, person=False),
                "lastmessageid": str(max(0, len(lines) - 1)),
            },
            now=given.now,
            idle=max(0.0, given.now - earlier[-1]) if earlier else None,
            chance=seeded(given.seed),
            pick_seed=f"{given.turn.place.channel}",
        )

    def _said(self) -> str:
        if self.given.continue_reply:
            return CONTINUE
        if self.current:
            return said_text(self.current, plain=self.plain)
        return NOTHING_SAID if self.plain else f"{self.user}: {NOTHING_SAID}"

    def _search_lore(self) -> None:
        """Find the lore, within its share and what the fixed instructions leave."""
        given, ledger = self.given, self.ledger
        if given.host_alone:
            return
        card, own = given.persona.card, given.persona.card.depth_prompt
        fixed = (
            own.text if own is not None and own.depth <= 0 else "",
            given.profile.instruction,
            given.language,
            card.post_history_instructions or given.post_history,
            self._nudge(),
            self.reminder,
            *given.guidance,
        )
        left = ledger.left - sum(ledger.cost(text) + PER_MESSAGE for text in fixed)
        trigger = "continue" if given.continue_reply else "normal"
        index = given.greeting
        self.lore = lore_notes(
            given.persona,
            given.conversation,
            given.turn,
            self._lines(),
            self.context,
            budget=min(int(ledger.limit * LORE_SHARE), left),
            count=ledger.cost,
            trigger="regenerate" if given.regenerate else trigger,
            greeting=None if index is None else card_number(given.persona, index),
        )
        self.context.outlets = self.lore.outlets

    def _lines(self) -> list[Line]:
        """Return all that was said; a reply that goes on is part of the past, with its question."""
        past = [line for each in self.past for line in each.lines]
        return past if self.given.continue_reply else [*past, *self.current]

    def _nudge(self) -> str:
        given = self.given
        return f"[Write the next reply only as {given.persona.name}.]" if given.cast_names else ""

    def _instruct(self) -> None:
        """What is said after the message: route, card, guardrails, in this order."""
        given, persona = self.given, self.given.persona
        late = self.context.expand(given.post_history)
        own = self._own_note(at_end=True)
        if persona.card.post_history_instructions.strip() and not given.host_alone:
            self.context.original = late
            late = self.context.expand(persona.card.post_history_instructions)
            self.context.original = None
        parts = [
            ("card's note", own),
            ("route", given.profile.instruction),
            ("language", given.language),
            ("post-history instructions", late),
            ("nudge", self._nudge()),
            ("reminder", self.reminder),
            *(("guidance", each) for each in given.guidance),
        ]
        # Ours too are cleaned: names of personas and ideas that a model had may stand in them.
        told = [(name, clean(text).strip()) for name, text in parts]
        for name, text in told:
            self.ledger.must(name, text)
        self.instructions = [*self.lore.after, *(text for _, text in told)]

    def _own_note(self, *, at_end: bool) -> str:
        """Return the note that the card's author wants some messages before the end."""
        own = self.given.persona.card.depth_prompt
        if own is None or self.given.host_alone or at_end is (own.depth > 0):
            return ""
        return clean(self.context.expand(own.text)).strip()

    def _pay_for_lore(self) -> None:
        """Spend on the lore before anything that may be left out."""
        if self.lore.fired:
            self.ledger.note("lore", self.lore.tokens)
            self.notes += self.lore.before
        if self.lore.cut:
            self.ledger.cut("lore", 0, f"{len(self.lore.cut)} entries did not fit their budget")

    def _files(self) -> str:
        """Spend on attached texts and pictures; return the texts."""
        shown, share = [], int(self.ledger.limit * FILE_SHARE)
        for attachment in (a for m in self.given.turn.messages for a in m.attachments):
            name = f"file {one_line(attachment.name, 40)}"
            if is_textual(attachment):
                text = f"\n{file_text(attachment)}"
                text = indented(text) if not self.plain or names_speakers(text) else text
                if self.ledger.try_to(name, text, within=share):
                    share -= self.ledger.parts[-1].tokens
                    shown.append(text)
                    continue
            elif self.given.pictures and is_picture(attachment):
                if self.ledger.left >= PER_PICTURE:
                    self.ledger.note(name, PER_PICTURE)
                    self.images.append(base64.b64encode(attachment.content).decode("ascii"))
                    continue
                self.ledger.cut(name, PER_PICTURE, "no room left")
            else:
                continue
            note = f"({one_line(attachment.name, 80)} is too long to be read here.)"
            shown.append(f"\n{note}" if self.plain else f"\n  {note}")
        return "".join(shown)

    def _note(self) -> None:
        """What is said before the message, after the lore: context and memories."""
        given = self.given
        turn = given.turn
        for name, text in (
            ("card's note", self._own_note(at_end=False)),
            ("attachments", unseen_note(turn, self.names, pictures=given.pictures)),
        ):
            if text and self.ledger.try_to(name, text):
                self.notes.append(text)
        self._remember()
        if self.wish:
            text = f"How {self.user} likes to be answered: {self.wish}"
            if self.ledger.try_to("user persona", text):
                self.notes.append(text)

    def _quote(self) -> None:
        """What people said elsewhere, that the message points at."""
        turn = self.given.turn
        for name, text in (
            ("earlier", before_note(turn, self.names)),
            ("reply", replies_note(turn, self.names)),
        ):
            if text and self.ledger.try_to(name, text if self.quotes else framed([text])):
                self.quotes.append(text)

    def _remember(self) -> None:
        """Memories within their share, constraints first."""
        given, share = self.given, int(self.ledger.limit * MEMORY_SHARE)
        wanted = dict.fromkeys((*given.constraints, *given.memories))
        chosen: list[str] = []
        spent = 0
        for memory in (one_line(each, MAX_MEMORY) for each in wanted):
            tokens = self.ledger.cost(memory) + 2
            if memory and spent + tokens <= min(share, self.ledger.left):
                chosen.append(memory)
                spent += tokens
        if chosen:
            text = memory_note(self.user, chosen)
            self.ledger.note("memories", self.ledger.cost(text))
            self.notes.append(text)
        if len(chosen) < len(wanted):
            self.ledger.cut("memories", 0, f"{len(wanted) - len(chosen)} beyond their share")
        self.memories = len(chosen)

    def _history(self) -> tuple[list[Past], TurnId | None]:
        """Return the exchanges that go in, and where history begins from now on."""
        given, ledger = self.given, self.ledger
        start_turn = given.conversation.trimmed_to
        sent = [
            each
            for each in self.past
            if each.lines and (start_turn is None or not is_before(each.turn, start_turn))
        ]
        costs = [sum(self._line_cost(line) for line in each.lines) for each in sent]
        room = ledger.left
        if start_turn is not None:  # what was cut is not to be forgotten as history grows again
            summary = ledger.cost(summary_of(given.persona, given.conversation))
            room -= summary if summary <= room // 2 else 0
        start = plan_trim(costs, room)
        soon = 0 if start else plan_trim(costs, int(room * NEARLY_FULL))
        if 0 < soon < len(sent):
            self.trim_next = sent[soon].turn
        ledger.note("history", sum(costs[start:]))
        cut = len(self.past) - len(sent) + start
        if start:
            ledger.cut("history", sum(costs[:start]), f"{start} oldest exchanges did not fit")
            start_turn = sent[start].turn if start < len(sent) else given.turn.id
        elif cut:
            ledger.cut("history", 0, f"{cut} exchanges were cut earlier")
        return sent[start:], start_turn

    def _line_cost(self, line: Line) -> int:
        return self.ledger.message_cost(line.text if line.ours else line.labelled())

    def _stops(self) -> tuple[str, ...]:
        """Where the model begins to speak for somebody else.

        A host stops in code too, where a line may begin with `services:` and mean nobody. Such
        names are left to whoever reads the reply.
        """
        others = dict.fromkeys((self.user, *reversed(self.names.people), *self.given.cast_names))
        sure = (name for name in others if not _KEY.fullmatch(name))
        return tuple(f"\n{name}:" for name in sure)[:MAX_STOPS]


def _named(given: PromptInput) -> PromptInput:
    """Return the input with the names of personas as clean lines: strangers chose them."""
    persona = given.persona
    name = one_line(persona.name, MAX_NAME) or persona.id
    cast = tuple(one_line(each, MAX_NAME) for each in given.cast_names)
    names = {id: one_line(each, MAX_NAME) for id, each in given.persona_names.items()}
    if (name, cast, names) == (persona.name, given.cast_names, given.persona_names):
        return given  # as nearly always
    return replace(given, persona=replace(persona, name=name), cast_names=cast, persona_names=names)


def _last(lines: Sequence[Line], *, person: bool) -> str:
    return next((indented(line.text) for line in reversed(lines) if line.person is person), "")
