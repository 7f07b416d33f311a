"""The room's one face: judges what comes in and what goes out."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import structlog

from bot.chat.place import Place, UserId
from bot.chat.turn import Turn
from bot.delivery.seams import joined
from bot.errors import SettingsRejected
from bot.files.data_files import personas_dir
from bot.guardrails.audit import Audit, AuditSink
from bot.guardrails.caring.care import Care, read_care, region_of
from bot.guardrails.caring.faring import Faring
from bot.guardrails.caring.risk import ProcessTrends, TrendStore
from bot.guardrails.constitution import Constitution, read_constitution
from bot.guardrails.context import DraftBlocked, GuardContext, Release
from bot.guardrails.guard_model.opinion import GuardAway, GuardModel
from bot.guardrails.guard_model.reviewing import AWAY, of_draft, of_message
from bot.guardrails.in_pieces import with_pieces
from bot.guardrails.judge import Judge
from bot.guardrails.material import guidance, with_material
from bot.guardrails.outgoing.gate import GateTerms, OutputGate
from bot.guardrails.outgoing.revise import revision_request, rewritten
from bot.guardrails.pii import redact
from bot.guardrails.policy import ALLOWED, WEIGHTS, Decision
from bot.guardrails.rule_sets import compiled
from bot.guardrails.taxonomy import Measure, Severity
from bot.guardrails.triage.corpus import everyday
from bot.guardrails.triage.heads import read_heads
from bot.guardrails.verdict import ALLOWED as PASS
from bot.guardrails.verdict import Action, Verdict
from bot.guardrails.weighing import Weighed, weigh
from bot.guardrails.wording import grounded, verdict_of, words_for
from bot.ports import ChatModel
from bot.routing.route import Route

log = structlog.get_logger(__name__)

STOPPING = frozenset({Measure.REWRITE, Measure.GATE, Measure.REFUSE, Measure.BLOCK, Measure.CRISIS})
"""What keeps a draft from being shown."""

UNREPAIRABLE = frozenset({"csae", "mass_harm", "ncii"})
"""What is not sent to a model a second time; nor is what no guard model could judge."""

STANDING = 2000
"""Characters of a reply that is gone on with, from its end, which a guard model reads again."""

HEARD_BEFORE = 100
"""Everyday messages that are judged before the first person's: see `Judge.listen`."""


_shipped_heads: Final = cache(read_heads)
"""The heads in the package: nobody changes them under a running program."""


class Guardrails:
    """Judges messages and drafts. One object for the process; made by `load`."""

    def __init__(
        self,
        *,
        judge: Judge,
        care: Care,
        constitution: Constitution,
        guard: GuardModel | None = None,
        trend: TrendStore | None = None,
        audit: Audit | None = None,
    ) -> None:
        self._judge = judge
        self._care = care
        self._constitution = constitution
        self._guard = guard
        self.faring = Faring(trend or ProcessTrends())
        self._audit = audit or Audit()

    @classmethod
    def load(
        cls,
        directory: Path | None = None,
        *,
        guard: GuardModel | None = None,
        trend: TrendStore | None = None,
        audit: Audit | AuditSink | None = None,
    ) -> Guardrails:
        """Read rules, care and constitution; blocking, so call it in a thread.

        `directory` is the operator's personas folder; what it lacks comes from the shipped one.
        `rules/*.toml` in it adds rule files, or replaces shipped ones of the same name.

        Raises:
            SettingsRejected: with one line for each problem.
        """
        shipped = personas_dir()
        folders = [shipped] if directory is None else [shipped, directory]
        problems: list[str] = []
        judge = care = constitution = None
        try:
            heads = _shipped_heads()  # first: what it lets go is room for the rules
            judge = Judge(*compiled(directory), heads)
        except SettingsRejected as error:
            problems += error.problems
        try:
            care = read_care(folder / "care" for folder in folders)
        except SettingsRejected as error:
            problems += error.problems
        own = folders[-1] / "constitution.md"
        try:
            constitution = read_constitution(own if own.is_file() else folders[0] / own.name)
        except SettingsRejected as error:
            problems += error.problems
        if judge is None or care is None or constitution is None:
            raise SettingsRejected(problems)
        judge.listen(everyday(HEARD_BEFORE))
        trail = audit if isinstance(audit, Audit) else Audit(audit)
        return cls(
            judge=judge, care=care, constitution=constitution,
            guard=guard, trend=trend, audit=trail,
        )  # fmt: skip

    @property
    def safety_text(self) -> str:
        """Return the text for the end of every system message; stable bytes."""
        return self._constitution.safety_text

    @property
    def care(self) -> Care:
        """Return the words of care in force."""
        return self._care

    def adopt(self, fresh: Guardrails) -> None:
        """Take over the rules, care and constitution of another room, between two judgements."""
        self._judge, self._care = fresh._judge, fresh._care
        self._constitution = fresh._constitution

    @property
    def judge(self) -> Judge:
        """Return the rules and heads, for `/guard test` and evaluation."""
        return self._judge

    def look_through(self, turn: Turn) -> None:
        """Find in a message what can be found before its route is known."""
        self._judge.look_through(turn.text)

    async def judge_input(self, turn: Turn, context: GuardContext) -> Verdict:
        """Judge a message by rules, heads and how the person fares."""
        began = time.perf_counter()
        weighed = await self._weighed(turn.text, context, turn)
        decision, state = weighed.decision, weighed.state
        verdict = self._about_material(turn, context, self._input_verdict(weighed, context))
        verdict = grounded(verdict, state, context)
        await self.faring.keep(context.person, context.place, state)
        if decision is not ALLOWED:
            self._audit.note(
                "input", decision, route=context.route.value, text=turn.text,
                seconds=time.perf_counter() - began, guild=context.place.guild,
            )  # fmt: skip
        return verdict

    async def take_back(self, person: UserId, place: Place, locale: str | None) -> str:
        """Let personas play again for a person who says that their crisis card was a mistake.

        Returns the line with which they are let go.

        Raises:
            StoreError: nothing changed.
        """
        await self.faring.take_back(person, place)
        return self._care.words(locale).short("again", region_of(locale))

    async def foretell(self, text: str, context: GuardContext) -> Verdict:
        """Return how a message would be judged now; nothing of it is kept."""
        weighed = await self._weighed(text, context)
        return grounded(self._input_verdict(weighed, context), weighed.state, context)

    async def _weighed(self, text: str, context: GuardContext, turn: Turn | None = None) -> Weighed:
        """Weigh a text; with a turn, also what its messages bring along or finish."""
        state = await self.faring.of(context.person, context.place)
        judgement = self._judge.message(text, context, minor=state.minor(context.now))
        if turn is not None:
            judgement = with_material(judgement, self._judge, turn, context)
            judgement = with_pieces(judgement, self._judge, turn, state, context)
        return weigh(judgement, state, context)

    def _input_verdict(self, weighed: Weighed, context: GuardContext) -> Verdict:
        return verdict_of(
            weighed.decision,
            context,
            self._care,
            card_due=weighed.card_due,
            resource_due=weighed.resource_due,
            level=weighed.state.level,
        )

    @property
    def reviews(self) -> bool:
        """Whether a guard model is there to review questions."""
        return self._guard is not None

    async def review_input(self, context: GuardContext) -> Verdict:
        """Return the guard model's judgement of what a person said; runs beside generation.

        ALLOW without a guard model. SUPPORT where it alone heard need. When it is away: rules go
        on alone on the factual and creative routes; companion, DMs and strict places answer with
        the safe template, and so does who is in need, with lines to call.
        """
        if self._guard is None or not any(char.isalpha() for char in context.said):
            return PASS
        began = time.perf_counter()
        decision = await self._opinion(context, None)
        if decision is ALLOWED:
            return PASS
        seconds = time.perf_counter() - began
        self._audit.note(
            "review", decision, route=context.route.value, text=context.said, seconds=seconds,
            guild=context.place.guild,
        )  # fmt: skip
        if decision.measure is not Measure.SUPPORT:
            return self._verdict(decision, context)
        due = await self.faring.heard(context, WEIGHTS[Severity.PASSIVE])
        return verdict_of(decision, context, self._care, resource_due=due)

    def open_gate(self, context: GuardContext) -> OutputGate:
        """Return the gate for one reply."""
        careful = context.strict or context.route is Route.COMPANION or context.place.is_dm
        guarded = self._guard is not None

        async def opinion(draft: str) -> Decision:
            stands = context.before[-STANDING:]
            return await self._opinion(context, joined(stands, draft) if stands else draft)

        terms = GateTerms(
            rules=self._judge.drafted,
            decide=lambda text: self._judge.draft(text, context),
            blocks=lambda decision: decision.measure in STOPPING,
            verdict=lambda decision: self._verdict(decision, context, drafted=True),
            clean=lambda text: redact(text, keep=context.user_text, private_only=True),
            judge=opinion if guarded else None,
            by_sentence=guarded or careful,
            whole=careful and guarded,
            opening=self._opening(context),
        )
        return OutputGate(context, terms)

    def _opening(self, context: GuardContext) -> str:
        """Return the truth for who sincerely asked what speaks, whatever else is said, and asked
        for, beside it, and whatever is answered."""
        sincere = self._judge.message(context.user_text, context).has("human_claim")
        return f"{words_for(context, self._care).disclosure}\n\n" if sincere else ""

    async def repair(
        self, draft: str, verdict: Verdict, context: GuardContext, model: ChatModel, model_name: str
    ) -> Release:
        """Have a blocked draft rewritten once against the constitution; else say the template."""
        if verdict.category in UNREPAIRABLE or verdict.rule == AWAY:
            return self._template(verdict, context)
        request = revision_request(
            draft,
            self._constitution.about(verdict.category),
            model=model_name,
            persona=context.persona_name,
            user_text=context.user_text,
        )
        text = await rewritten(request, model)
        if text is None:
            return self._template(verdict, context)
        gate = self.open_gate(context)
        try:
            await gate.feed(text)
            release = await gate.close()
        except DraftBlocked:
            return self._template(verdict, context)
        return release if release.text.strip() else self._template(verdict, context)

    def _template(self, verdict: Verdict, context: GuardContext) -> Release:
        """Return what is said in place of a draft: nothing that reproaches the person with it."""
        words = words_for(context, self._care)
        region = region_of(context.locale)
        text = verdict.reply or words.refusal
        if verdict.category == "human_claim":
            text = words.disclosure
        elif context.in_need:
            text = words.short("again", region)
        elif verdict.category in ("sh_crisis", "sh_support", "sh_promo"):
            text = f"{words.refusal} {words.short('resource', region)}"
        opening = self._opening(context)
        return Release(text if text.startswith(opening.rstrip()) else opening + text, verdict)

    def unanswered(self, context: GuardContext) -> Verdict:
        """Return what is said to a person in need for whom no reply can be written now."""
        words = words_for(context, self._care)
        reply = words.short("again", region_of(context.locale))
        return Verdict(Action.SUPPORT, "sh_support", reply=reply)

    def _verdict(
        self, decision: Decision, context: GuardContext, *, drafted: bool = False
    ) -> Verdict:
        words = words_for(context, self._care)
        if decision.rule == AWAY:
            if context.in_need:
                return replace(self.unanswered(context), rule=AWAY)
            reply = self._opening(context) + words.unavailable
            return Verdict(Action.REFUSE, None, 0.0, decision.rule, reply)
        verdict = verdict_of(decision, context, self._care)
        blames = drafted and decision.measure is Measure.BLOCK
        return replace(verdict, reply=words.refusal) if blames else verdict

    async def _opinion(self, context: GuardContext, draft: str | None) -> Decision:
        """Ask the guard model; ALLOWED when it has no objection.

        Whatever is judged, it is asked about the same words of the person, and about a reply that
        is gone on with as it will stand.
        """
        if self._guard is None:
            return ALLOWED
        try:
            opinion = await self._guard.opinion(context.said, draft)
        except GuardAway as error:
            away = Decision(Measure.REFUSE, None, rule=AWAY)
            stays = self._needs_guard(context)
            self._audit.note(
                "degraded", away if stays else ALLOWED, route=context.route.value,
                text=context.said, guild=context.place.guild,
            )  # fmt: skip
            log.warning("guard model away", reason=str(error), answered=not stays)
            return away if stays else ALLOWED
        if draft is not None:
            return of_draft(opinion, context)
        return of_message(opinion, self._judge.message(context.said, context), context)

    def _needs_guard(self, context: GuardContext) -> bool:
        """Whether this turn may not go on with rules alone."""
        if context.route is Route.COMPANION or context.strict or context.in_need:
            return True
        if context.place.is_dm or context.place.age_restricted:
            return True
        found = self._judge.message(context.said, context).decision
        return found.measure.rank >= Measure.SUPPORT.rank

    def _about_material(self, turn: Turn, context: GuardContext, verdict: Verdict) -> Verdict:
        """Tell the model that orders in quoted or attached text are none."""
        if verdict.action is not Action.ALLOW and verdict.action is not Action.STEER:
            return verdict
        told = guidance(self._judge, turn, context)
        if told is None:
            return verdict
        both = " ".join(filter(None, (verdict.guidance, told)))
        return replace(verdict, action=Action.STEER, guidance=both)
