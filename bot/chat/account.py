"""The account of a turn: what was decided and why, for `/why`, the playground and the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.chat.character.drift import Drift, Hindsight
from bot.chat.place import MessageId
from bot.chat.turn import Cue, Trigger, TurnId
from bot.guardrails.verdict import Verdict
from bot.memory import Fulfilled
from bot.personas import Persona
from bot.ports import ChatMessage, Finished, Outcome
from bot.prompting import PromptReport
from bot.routing.route import RouteDecision


@dataclass(slots=True)
class TurnAccount:
    """Filled while the turn runs; read when it is over. Times are in seconds."""

    turn: TurnId
    trigger: Trigger
    decision: RouteDecision | None = None
    persona: Persona | None = None
    model: str = ""
    messages: tuple[ChatMessage, ...] = ()
    report: PromptReport | None = None
    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    finished: Finished | None = None
    memories: tuple[str, ...] = ()
    outcome: Outcome | None = None
    reply: str = ""
    notice: str | None = None
    message_ids: tuple[MessageId, ...] = ()
    pictures: bool = False
    """Whether the model takes pictures."""
    drift: Drift = field(default_factory=Drift)
    """How far the reply that stands there is from its persona."""
    hindsight: Hindsight = field(default_factory=Hindsight)
    """What a judge model thinks of it, once it does."""
    drafts: int = 1
    """How many drafts were written: a second one when the first was empty, or out of character."""
    reminded: bool = False
    """Whether the persona was reminded of itself late in the prompt."""
    wishes: tuple[Fulfilled, ...] = ()
    """What became of what the person asked of their memory."""
    cue: Cue | None = None
    """In a scene: who speaks after this reply."""

    def judged(self, stage: str, verdict: Verdict) -> None:
        """Note a verdict of the `input`, `review` or `output` stage."""
        self.verdicts.append((stage, verdict))

    def summary(self) -> dict[str, Any]:
        """Return what `/why` shows: no prompt and no text of anybody."""
        done = self.finished
        return {
            "turn": self.turn,
            "trigger": self.trigger.value,
            "route": route_summary(self.decision) if self.decision else None,
            "persona": {"id": self.persona.id, "name": self.persona.name} if self.persona else None,
            "model": self.model,
            "backend": done.backend if done else None,
            "report": self.report.to_json() if self.report else None,
            "memories": len(self.memories),
            "verdicts": [
                {
                    "stage": stage,
                    "action": verdict.action.value,
                    "category": verdict.category,
                    "rule": verdict.rule,
                }
                for stage, verdict in self.verdicts
            ],
            "drift": {
                **self.drift.to_json(),
                "judge": self.hindsight.score,
                "drafts": self.drafts,
                "reminded": self.reminded,
            },
            "timings": {stage: round(seconds, 4) for stage, seconds in self.timings.items()},
            "tokens": {"prompt": done.prompt_tokens, "reply": done.reply_tokens} if done else None,
            "outcome": self.outcome.value if self.outcome else None,
        }

    def logged(self) -> dict[str, object]:
        """Return what may stand in the log."""
        decision = self.decision
        return {
            "trigger": self.trigger.value,
            "route": decision.route.value if decision else None,
            "confidence": round(decision.confidence, 3) if decision else None,
            "persona": self.persona.id if self.persona else None,
            "model": self.model or None,
            "seconds": round(self.timings.get("total", 0.0), 3),
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything, for the playground: the person there sees their own texts only."""
        messages = [{"role": m.role, "content": m.content} for m in self.messages]
        return {
            **self.summary(),
            "messages": messages,
            "memories": list(self.memories),
            "lore": list(self.report.lore) if self.report else [],
            "reply": self.reply,
            "notice": self.notice,
        }


def route_summary(decision: RouteDecision) -> Mapping[str, Any]:
    """Return what is shown and kept of a decision."""
    return {
        "route": decision.route.value,
        "probabilities": {route.value: round(p, 4) for route, p in decision.probabilities.items()},
        "confidence": round(decision.confidence, 4),
        "continuation": round(decision.continuation, 4),
        "uncertain": decision.uncertain,
        "source": decision.source,
        "reasons": list(decision.reasons),
    }
