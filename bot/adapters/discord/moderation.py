"""What follows from verdicts on Discord: the moderators' channel, reports, and appeals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.calls import Webhook
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.account import TurnAccount
from bot.chat.place import GuildId, Place
from bot.chat.turn import Turn
from bot.errors import StoreError
from bot.guardrails import Guardrails, sanitise
from bot.guardrails.audit import Audit, AuditEntry, AuditSink
from bot.guardrails.guard_model.guard import OllamaGuard
from bot.guardrails.moderation import (
    NOTIFIED,
    PRIVATE,
    GuildPolicy,
    ModerationStore,
    Policies,
    Report,
)
from bot.guardrails.reload import GuardFiles
from bot.guardrails.verdict import Action, Verdict
from bot.languages import reading, t
from bot.observability.decisions import GuardMetrics
from bot.recent import Recent

log = structlog.get_logger(__name__)

MISTAKE: Final = "guard:mistake"
AGAIN_AFTER: Final = 600.0
"""Seconds in which moderators are not told again of the same person and category."""
REMEMBERED: Final = 5000
NO_EMBEDS: Final = 4
"""SUPPRESS_EMBEDS (Discord API reference, "Message Flags")."""


def mistake_id(person: int, category: str, digest: str) -> str:
    """Return the custom id of the button "This was a mistake": at most 100 characters."""
    return f"{MISTAKE}:{person}:{category}:{digest}"


def link(place: Place, message: int) -> str:
    """Return the jump link of a message."""
    return f"https://discord.com/channels/{place.guild or '@me'}/{place.channel}/{message}"


class Moderation:
    """One object for the process; what it posts holds links and categories, never a quote."""

    def __init__(
        self,
        *,
        desk: Desk,
        rails: Guardrails,
        policies: Policies,
        store: ModerationStore,
        audit: Audit,
        trail: AuditSink,
        metrics: GuardMetrics,
        files: GuardFiles,
        model: OllamaGuard | None = None,
        model_name: str | None = None,
    ) -> None:
        """`trail` is the audit sink, for verdicts on replies."""
        self.policies = policies
        self.store = store
        self.metrics = metrics
        self.rails = rails
        self.files = files
        self.model, self.model_name = model, model_name
        self._desk = desk
        self._audit = audit
        self._trail = trail
        self._told = Recent[tuple[int, int, str], float](REMEMBERED)

    # ── turns ───────────────────────────────────────────────────────────────────────────────

    def over(self, turn: Turn, account: TurnAccount) -> None:
        """Look at what a turn's verdicts ask for. Never waits, never raises."""
        if "held_back" in account.timings:
            self.metrics.held_back(account.timings["held_back"])
        found = [(stage, verdict) for stage, verdict in account.verdicts if verdict.category]
        if not found or turn.cue is not None:
            return
        self._note(turn, account)
        for stage, verdict in found:
            if verdict.category == PRIVATE and verdict.reply and stage in ("input", "review"):
                self.metrics.referred(self._tier(verdict))
        self._desk.own(self._follow_up(turn, account), "moderation")

    def _note(self, turn: Turn, account: TurnAccount) -> None:
        """Write down verdicts on the reply; those on the question are noted where they are made."""
        route = account.decision.route.value if account.decision else "none"
        digest, guild = self._audit.digest(account.reply), turn.place.guild
        for stage, verdict in account.verdicts:
            if stage in ("output", "revision") and verdict.action is not Action.ALLOW:
                measure, rule, score = verdict.action.value, verdict.rule, verdict.score
                category = verdict.category
                self._trail(
                    AuditEntry(
                        stage, measure, category, rule, score, route, digest, 0.0, guild=guild
                    )
                )

    def _tier(self, verdict: Verdict) -> str | None:
        rules = self.rails.judge.asked.rules
        return next((rule.severity.value for rule in rules if rule.id == verdict.rule), None)

    async def _follow_up(self, turn: Turn, account: TurnAccount) -> None:
        stage, final = account.verdicts[-1]
        of_question = stage in ("input", "review")  # a draft's fault is no verdict on a person
        carded = final.category == PRIVATE and final.reply is not None
        refused = of_question and final.action is Action.REFUSE
        if (refused or carded) and final.category and account.message_ids:
            await self._offer_appeal(turn, account, final.category)
        for stage, verdict in account.verdicts:
            if stage in ("input", "review") and verdict.category in NOTIFIED:
                await self._notify(turn, verdict)
                return

    async def _offer_appeal(self, turn: Turn, account: TurnAccount, category: str) -> None:
        """Put the button under a refusal or a crisis card."""
        digest = self._audit.digest(turn.text)
        with reading(turn.speaker.locale):
            label = t("This was a mistake")
        button = {
            "type": 2,
            "style": 2,
            "label": label,
            "custom_id": mistake_id(turn.speaker.id, category, digest),
        }
        body = {"components": [{"type": 1, "components": [button]}]}
        await _quietly(self._edit(turn, account.message_ids[-1], body), "appeal not offered")

    async def _edit(self, turn: Turn, message: int, body: dict[str, Any]) -> None:
        """Edit one of our messages, whoever of us wrote it."""
        place, answering, hook = turn.place, turn.answering, None
        if answering is not None and turn.by_token:
            own = Webhook(answering.application, answering.token)
            await self._desk.calls.edit_by_webhook(own, None, message, body, None)
            return
        if place.guild is not None:
            hook = await self._desk.webhooks.of(place.parent or place.channel)
        if hook is not None:
            thread = place.channel if place.parent is not None else None
            try:
                await self._desk.calls.edit_by_webhook(hook, thread, message, body, None)
                return
            except discord.NotFound:
                pass  # the bot itself had spoken
        await self._desk.calls.edit(place.channel, message, body, None)

    # ── moderators ──────────────────────────────────────────────────────────────────────────

    async def _notify(self, turn: Turn, verdict: Verdict) -> None:
        place, category = turn.place, verdict.category or ""
        if place.guild is None or self._again(place.guild, turn.speaker.id, category):
            return
        policy = await self._policy(place.guild)
        if policy is None or (category == PRIVATE and not policy.crisis_notices):
            return
        # What only its person can read has no address: its channel has to do.
        where = f"<#{place.parent}>" if turn.by_token else link(place, turn.message_ids[-1])
        who = f"<@{turn.speaker.id}>"
        with reading(policy.language):
            line = (
                t(
                    "**Care** {who} may be in distress and was shown where to find help: {where}",
                    who=who,
                    where=where,
                )
                if category == PRIVATE
                else t(
                    "**Guardrails** `{category}` ({action}) from {who}: {where}",
                    category=category,
                    action=verdict.action.value,
                    who=who,
                    where=where,
                )
            )
        await self._post(policy, line)

    def _again(self, guild: GuildId, person: int, category: str) -> bool:
        """Whether moderators heard of this a short while ago."""
        key, now = (int(guild), person, category), time.monotonic()
        last = self._told.get(key)
        if last is not None and now - last < AGAIN_AFTER:
            return True
        self._told[key] = now
        return False

    async def reported(self, place: Place, report: Report) -> bool:
        """Keep a report and tell the moderators. Return whether they could be told.

        Raises:
            StoreError: it could not be kept.
        """
        await self.store.report(place.guild, report)
        self.metrics.reported()
        log.info("reply reported", channel=place.channel, message=report.message)
        policy = await self._policy(place.guild) if place.guild is not None else None
        if policy is None:
            return False
        said = sanitise(discord.utils.escape_markdown(report.reason))
        reason = discord.utils.escape_mentions(said)
        with reading(policy.language):
            line = t(
                "**Report** of {where} by {who}: {reason}",
                where=link(place, report.message),
                who=f"<@{report.reporter}>",
                reason=reason or t("no reason given"),
            )
        return await self._post(policy, line)

    async def mistaken(self, place: Place, message: int, category: str, digest: str) -> bool:
        """Count a refusal that was called a mistake. False when it was counted before.

        Raises:
            StoreError: it could not be kept.
        """
        if not await self.store.mistaken(place.guild, digest):
            return False
        self.metrics.mistaken(category)
        log.info("refusal called a mistake", category=category, digest=digest)
        policy = await self._policy(place.guild) if place.guild is not None else None
        told = category != PRIVATE or (policy is not None and policy.crisis_notices)
        if policy is not None and told:
            with reading(policy.language):
                line = t(
                    "**Called a mistake** a `{category}` refusal: {where} (`{digest}`)",
                    category=category,
                    where=link(place, message),
                    digest=digest[:12],
                )
            await self._post(policy, line)
        return True

    async def set_modlog(self, guild: GuildId, policy: GuildPolicy) -> bool:
        """Choose the moderators' channel, and say so there. False when we may not speak there.

        Raises:
            StoreError: it could not be kept.
        """
        with reading(policy.language):
            line = t("Moderators are told here of reports and of what the guardrails found.")
        if policy.modlog is not None and not await self._post(policy, line):
            return False
        await self.policies.choose(guild, policy)
        return True

    async def _policy(self, guild: GuildId) -> GuildPolicy | None:
        """Return the choices of a server that has a moderators' channel."""
        try:
            policy = await self.policies.of(guild)
        except StoreError as error:
            log.warning("moderators not told", reason=str(error))
            return None
        return policy if policy.modlog is not None else None

    async def _post(self, policy: GuildPolicy, line: str) -> bool:
        if policy.modlog is None:
            return False
        body = {"content": line[:2000], "allowed_mentions": {"parse": []}, "flags": NO_EMBEDS}
        return await _quietly(
            self._desk.calls.send(policy.modlog, body, None), "moderators not told"
        )


async def _quietly(effect: Awaitable[object], what: str) -> bool:
    """Await a call; when Discord refuses, the log says so."""
    try:
        async with asyncio.timeout(20):
            await effect
    except FAILED as error:
        log.warning(what, reason=type(error).__name__)
        return False
    return True
