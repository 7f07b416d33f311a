"""`/guard status|level|modlog|test`."""

from __future__ import annotations

from dataclasses import replace

import discord
from discord import app_commands

from bot.adapters.discord.commands.permissions import guild_of
from bot.adapters.discord.commands.render import place_of, plain, say, shorten
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.moderation import Moderation
from bot.adapters.discord.reading.mapping import clean_text
from bot.chat.place import ChannelId, UserId
from bot.errors import InvalidChoice, NotAllowed
from bot.guardrails import GuardAway, GuardContext
from bot.guardrails.moderation import GuildPolicy, Strictness
from bot.guardrails.wording import verdict_of
from bot.languages import t
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
            t("- last day: {found}", found=done or t("nothing found")),
            t(
                "- reports: {count} in the last day",
                count=sum(report.at >= since for report in reports),
            ),
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
        public = channel is not None and _everybody_reads(channel)
        if crisis and public:
            raise InvalidChoice(
                "Everybody can read that channel. Who is in distress is nobody's business but the "
                "moderators': choose a channel that only they see."
            )
        await interaction.response.defer(ephemeral=True)
        policy = replace(
            await self._moderation.policies.of(guild),
            modlog=ChannelId(channel.id) if channel is not None else None,
            crisis_notices=crisis and channel is not None,
            language=str(interaction.guild_locale or ""),
        )
        if not await self._moderation.set_modlog(guild, policy):
            raise NotAllowed("I can't write in that channel. I need Send Messages there.")
        lines = self._choices(policy)
        if public:
            lines.append(t("Everybody can read that channel: they see who was reported, and why."))
        await say(interaction, "\n".join(lines))

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
        text = clean_text(text)
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
        level = policy.in_force(least).value
        modlog = f"<#{policy.modlog}>" if policy.modlog else t("none")
        return [
            t("- level: **{level}** (set for this server)", level=level)
            if chosen is policy.in_force(least)
            else t("- level: **{level}** (the operator's)", level=level),
            t("- moderators' channel: {channel} (also of crisis cards)", channel=modlog)
            if policy.crisis_notices
            else t("- moderators' channel: {channel}", channel=modlog),
        ]

    def _sources(self) -> list[str]:
        moderation = self._moderation
        rules = len({rule.id for rule in moderation.rails.judge.asked.rules})
        languages = ", ".join(moderation.rails.care.languages)
        lines = [
            t("- {rules} rules; words of care in {languages}", rules=rules, languages=languages)
        ]
        name = plain(moderation.model_name or "")
        if moderation.model is None:
            lines.append(t("- guard model: none: rules alone"))
        elif moderation.model.available:
            lines.append(t("- guard model: `{name}` answers", name=name))
        else:
            lines.append(t("- guard model: `{name}` is away", name=name))
        if moderation.files.problems:
            lines.append(t("- changed files can't be used: the last good ones are in force"))
        return lines

    def _path(self, text: str, context: GuardContext) -> list[str]:
        rails = self._moderation.rails
        judgement = rails.judge.message(text, context)
        decision = judgement.decision
        verdict = verdict_of(decision, context, rails.care)
        lines = [
            t(
                "- rule `{rule}`: {category}, {severity}",
                rule=hit.rule,
                category=hit.category,
                severity=hit.severity.value,
            )
            for hit in judgement.hits[:10]
        ]
        lines = lines or [t("- no rule matches")]
        if judgement.data:
            lines.append(
                t("- personal data: {kinds}", kinds=", ".join(sorted(set(judgement.data))))
            )
        lines.append(t("- weight for the risk trend: {weight}", weight=f"{judgement.weight:.2f}"))
        measure, action = decision.measure.value, verdict.action.value
        lines.append(
            t(
                "- decision: **{measure}** because of {category} (`{rule}`): {action}",
                measure=measure,
                category=decision.category,
                rule=decision.rule,
                action=action,
            )
            if decision.category
            else t("- decision: **{measure}**: {action}", measure=measure, action=action)
        )
        if verdict.reply:
            lines.append(t("- the person reads: {text}", text=shorten(plain(verdict.reply), 500)))
        if verdict.guidance:
            lines.append(
                t("- the model is told: {text}", text=shorten(plain(verdict.guidance), 300))
            )
        return lines

    async def _opinion(self, text: str) -> str:
        if self._moderation.model is None:
            return t("- guard model: none")
        try:
            opinion = await self._moderation.model.opinion(text)
        except GuardAway as error:
            return t("- guard model: no opinion ({reason})", reason=plain(str(error))[:100])
        found = ", ".join(opinion.categories) or t("nothing found")
        return t(
            "- guard model: unsafe {share} ({found})", share=f"{opinion.unsafe:.0%}", found=found
        )


def _everybody_reads(channel: discord.TextChannel) -> bool:
    """Whether whoever is in the server can read a channel."""
    return channel.permissions_for(channel.guild.default_role).view_channel
