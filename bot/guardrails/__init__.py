"""Guardrails: what comes in is judged, and nothing goes out before its verdict."""

from bot.guardrails.audit import Audit, AuditEntry
from bot.guardrails.caring.risk import TrendStore
from bot.guardrails.context import DraftBlocked, GuardContext, Release
from bot.guardrails.guard_model.guard import OllamaGuard
from bot.guardrails.guard_model.opinion import GuardAway, GuardModel, GuardOpinion
from bot.guardrails.outgoing.gate import OutputGate
from bot.guardrails.outgoing.outbound import sanitise
from bot.guardrails.reading.normalise import normalise
from bot.guardrails.room import Guardrails
from bot.guardrails.verdict import Action, Verdict

__all__ = [
    "Action",
    "Audit",
    "AuditEntry",
    "DraftBlocked",
    "GuardAway",
    "GuardContext",
    "GuardModel",
    "GuardOpinion",
    "Guardrails",
    "OllamaGuard",
    "OutputGate",
    "Release",
    "TrendStore",
    "Verdict",
    "normalise",
    "sanitise",
]
