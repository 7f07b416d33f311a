"""`/guard status|level|modlog|test`."""

from __future__ import annotations

from dataclasses import replace

import discord
from discord import app_commands

from bot.adapters.discord.commands.permissions import guild_of
from bot.adapters.discord.commands.render import place_of, plain, say, shorten
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.moderation import Moderation
from bot.chat.place import ChannelId, UserId
from bot.errors import InvalidChoice, PermissionMissing
from bot.guardrails import GuardAway, GuardContext
from bot.guardrails.moderation import GuildPolicy, Strictness
from bot.guardrails.wording import verdict_of
from bot.routing.route import Route

DAY = 86_400.0
LEVELS = [
    app_commands.Choice(name="normal", value=Strictness.NORMAL.value),
    app_commands.Choice(name="strict: judge every sentence before it shows", value="strict"),
]
ROUTES = [app_commands.Choice(name=route.value, value=route.value) for route in Route]


class GuardCommands(Serving):
    """What moderators choose and look at."""

    guard = app_commands.Group(
        name="guard",
        description="Guardrails of this server",
        guild_only=True,
        default_permissions=discord.Permissions(manage_guild=True),
    )

    @property
    def _moderation(self) -> Moderation:
        return self.services.moderation

    @guard.command(description="What is in force here, and what it did in the last day")
    @app_commands.checks.has_permissions(manage_guild=True)
    async def status(self, interaction: discord.Interaction) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        policy = await self._moderation.policies.of(guild)
        since = self.services.clock.now() - DAY
        counts = await self._moderation.store.decisions(guild, since)
        reports = await self._moderation.store.reports(guild, 100)
        done = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        lines = [
            *self._choices(policy),
            *self._sources(),
            f"- last day: {done or 'nothing found'}",
            f"- reports: {sum(report.at >= since for report in reports)} in the last day",
        ]
        await say(interaction, "\n".join(lines))

    @guard.command(description="How careful replies are")
    @app_commands.describe(level="The operator's own level can't be undercut")
    @app_commands.choices(level=LEVELS)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def level(self, interaction: discord.Interaction, level: str) -> None:
        guild, policies = guild_of(interaction), self._moderation.policies
        chosen = Strictness(level)
        if chosen is Strictness.NORMAL and policies.least is Strictness.STRICT:
            raise InvalidChoice("This bot's operator lets servers choose strict only.")
        await interaction.response.defer(ephemeral=True)
        policy = replace(await policies.of(guild), strictness=chosen)
        await policies.choose(guild, policy)
        await say(interaction, "\n".join(self._choices(policy)))

    @guard.command(description="Where moderators are told of findings and reports")
    @app_commands.describe(
        channel="The moderators' channel; without it they are told nothing",
        crisis="Also tell, without a quote, when somebody was shown the crisis card",
    )
    @app_commands.checks.has_permissions(manage_guild=True)
    async def modlog(
        self,
        interaction: discord.Interaction,
        channel: discord.TextChannel | None = None,
        crisis: bool = False,
    ) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        policy = replace(
            await self._moderation.policies.of(guild),
            modlog=ChannelId(channel.id) if channel is not None else None,
            crisis_notices=crisis and channel is not None,
        )
        if not await self._moderation.set_modlog(guild, policy):
            raise PermissionMissing("I can't write in that channel", permission="Send Messages")
        await say(interaction, "\n".join(self._choices(policy)))

    @guard.command(description="How a message would be judged here, step by step")
    @app_commands.describe(text="The message; it is neither kept nor answered")
    @app_commands.choices(route=ROUTES)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def test(
        self,
        interaction: discord.Interaction,
        text: app_commands.Range[str, 1, 2000],
        route: str = Route.COMPANION.value,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        place = place_of(interaction)
        context = GuardContext(
            route=Route(route),
            place=place,
            person=UserId(interaction.user.id),
            user_text=text,
            strict=await self._moderation.policies.strict(place),
            now=self.services.clock.now(),
        )
        await say(interaction, "\n".join([*self._path(text, context), await self._opinion(text)]))

    def _choices(self, policy: GuildPolicy) -> list[str]:
        least = self._moderation.policies.least
        chosen = policy.strictness
        origin = "set for this server" if chosen is policy.in_force(least) else "the operator's"
        modlog = f"<#{policy.modlog}>" if policy.modlog else "none"
        crisis = " (also of crisis cards)" if policy.crisis_notices else ""
        return [
            f"- level: **{policy.in_force(least).value}** ({origin})",
            f"- moderators' channel: {modlog}{crisis}",
        ]

    def _sources(self) -> list[str]:
        moderation = self._moderation
        rules = len({rule.id for rule in moderation.rails.judge.asked.rules})
        languages = ", ".join(moderation.rails.care.languages)
        model = "none: rules alone"
        if moderation.model is not None:
            state = "answers" if moderation.model.available else "is away"
            model = f"`{plain(moderation.model_name or '')}` {state}"
        lines = [f"- {rules} rules; words of care in {languages}", f"- guard model: {model}"]
        if moderation.files.problems:
            lines.append("- changed files can't be used: the last good ones are in force")
        return lines

    def _path(self, text: str, context: GuardContext) -> list[str]:
        rails = self._moderation.rails
        judgement = rails.judge.message(text, context)
        decision = judgement.decision
        verdict = verdict_of(decision, context, rails.care)
        lines = [
            f"- rule `{hit.rule}`: {hit.category}, {hit.severity.value}"
            for hit in judgement.hits[:10]
        ]
        lines = lines or ["- no rule matches"]
        if judgement.data:
            lines.append(f"- personal data: {', '.join(sorted(set(judgement.data)))}")
        lines.append(f"- weight for the risk trend: {judgement.weight:.2f}")
        because = (
            f" because of {decision.category} (`{decision.rule}`)" if decision.category else ""
        )
        lines.append(f"- decision: **{decision.measure.value}**{because}: {verdict.action.value}")
        if verdict.reply:
            lines.append(f"- the person reads: {shorten(plain(verdict.reply), 500)}")
        if verdict.guidance:
            lines.append(f"- the model is told: {shorten(plain(verdict.guidance), 300)}")
        return lines

    async def _opinion(self, text: str) -> str:
        if self._moderation.model is None:
            return "- guard model: none"
        try:
            opinion = await self._moderation.model.opinion(text)
        except GuardAway as error:
            return f"- guard model: no opinion ({plain(str(error))[:100]})"
        found = ", ".join(opinion.categories) or "nothing"
        return f"- guard model: unsafe {opinion.unsafe:.0%} ({found})"
