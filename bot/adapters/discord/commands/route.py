"""`/route why|try|fix|pin|unpin|stats|keep-text`: looking at the router, and correcting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands

from bot.adapters.discord.commands.permissions import guild_of
from bot.adapters.discord.commands.render import place_of, plain, say
from bot.adapters.discord.commands.replies.which import message_id, route_of
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.reading.mapping import clean_text
from bot.chat.account import route_summary
from bot.chat.place import UserId
from bot.chat.preparing.asking import ask_about
from bot.chat.preparing.caring import asked_with_care, heard_as
from bot.chat.turn import TurnId
from bot.chat.wishes.correcting import Fixed
from bot.guardrails import GuardContext
from bot.languages import t, tn
from bot.routing.dispatch import Ask
from bot.routing.reasons import in_words
from bot.routing.route import Route

ROUTES = [
    app_commands.Choice(name="factual: answers questions", value="factual"),
    app_commands.Choice(name="creative: writes and plays", value="creative"),
    app_commands.Choice(name="companion: talks with people", value="companion"),
]
SCOPES = [
    app_commands.Choice(name="my messages, in this whole server", value="me"),
    app_commands.Choice(name="everybody's messages here", value="here"),
]
SWITCH = [
    app_commands.Choice(name="on: keep the texts of corrected messages", value="on"),
    app_commands.Choice(name="off: keep hashed features only", value="off"),
]
HERE = "here"
CORRECT = "manage_messages"
"""What it takes to correct a route."""
BEYOND_CORRECTION = frozenset({"safety", "pin", "tool", "scene"})
"""What decides before any correction is looked at."""


def may(interaction: discord.Interaction, permission: str) -> bool:
    """Whether a person has a permission in a server; in a direct message both sides may."""
    return interaction.guild_id is None or bool(getattr(interaction.permissions, permission))


def require_in_guild(interaction: discord.Interaction, permission: str) -> None:
    """Demand a permission in a server; in a direct message both sides may.

    Raises:
        MissingPermissions: the person lacks it.
    """
    if not may(interaction, permission):
        raise app_commands.MissingPermissions([permission])


class RouteCommands(Serving):
    """Which route a message takes, why, and how to put it right."""

    route = app_commands.Group(name="route", description="Which route a message takes")

    @route.command(name="why", description="Why did a message take its route?")
    @app_commands.describe(message="Link or id of a reply; without it, the last one here")
    async def why(self, interaction: discord.Interaction, message: str | None = None) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        route = await route_of(self.services, place, message)
        lines = [route_text(route)]
        if may(interaction, CORRECT) and route.get("source") not in BEYOND_CORRECTION:
            lines.append(t("Wrong? `/route fix` puts it right at once."))
        await say(interaction, "\n".join(lines))

    @route.command(
        name="try", description="Which route would this message take, said here and now?"
    )
    @app_commands.describe(text="The message")
    async def try_route(
        self, interaction: discord.Interaction, text: app_commands.Range[str, 1, 2000]
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        text = clean_text(text)
        ask = await self._tried(interaction, text)
        place, person, now, moderation = ask.place, ask.person, ask.now, self.services.moderation
        decision = await self.services.dispatcher.route(ask)
        context = GuardContext(
            route=heard_as(ask, decision),
            place=place,
            person=person,
            user_text=text,
            strict=await moderation.policies.strict(place),
            now=now,
        )
        verdict = await moderation.rails.foretell(text, context)
        if (again := asked_with_care(ask, decision, verdict)) is not None:
            decision = await self.services.dispatcher.route(again)
        await say(interaction, route_text(route_summary(decision)))

    @route.command(name="fix", description="A message took the wrong route: say which is right")
    @app_commands.describe(
        label="The right route",
        message="Link or id of the message, or of the reply to it; without it, the last one here",
    )
    @app_commands.choices(label=ROUTES)
    async def fix(
        self, interaction: discord.Interaction, label: str, message: str | None = None
    ) -> None:
        require_in_guild(interaction, CORRECT)
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        fixed = await self.services.route_fixes.fix(
            place, UserId(interaction.user.id), Route(label), message_id(message)
        )
        kept = (
            t("Kept with its text, for 90 days.")
            if fixed.kept_text
            else t("Kept as hashed features, without its text, for 90 days.")
        )
        await say(interaction, f"{_corrected(fixed)} {kept}")

    @route.command(name="pin", description="Fix the route: no message is sorted any more")
    @app_commands.describe(route="Which route", scope="Whose messages; yours if left out")
    @app_commands.choices(route=ROUTES, scope=SCOPES)
    async def pin(
        self, interaction: discord.Interaction, route: str, scope: str | None = None
    ) -> None:
        person = self._pinned(interaction, scope)
        await interaction.response.defer(ephemeral=True)
        await self.services.routes.pin(place_of(interaction), Route(route), person)
        if person is None or interaction.guild_id is None:
            said = t("Everything said here is **{route}** from now on.", route=route)
        else:
            said = t("Your messages are **{route}** from now on.", route=route)
        if person is None:
            back = t("`/route unpin` for everybody's messages here lets me choose again.")
        else:
            back = t("`/route unpin` lets me choose again.")
        await say(interaction, f"{said} {back}")

    @route.command(name="unpin", description="Let the router choose again")
    @app_commands.describe(scope="Whose messages; yours if left out")
    @app_commands.choices(scope=SCOPES)
    async def unpin(self, interaction: discord.Interaction, scope: str | None = None) -> None:
        person = self._pinned(interaction, scope)
        await interaction.response.defer(ephemeral=True)
        place, routes = place_of(interaction), self.services.routes
        removed = await routes.unpin(place, person)
        left = (await routes.in_force(place, UserId(interaction.user.id))).pin
        if left is not None:
            said = t("Your messages here are still **{route}**, by another pin.", route=left)
            gone = t("That pin is gone.") if removed else t("There was no such pin.")
            await say(interaction, f"{gone} {said}")
            return
        await say(
            interaction,
            t("The router chooses again.")
            if removed
            else t("Nothing was pinned: nothing changed."),
        )

    @route.command(name="stats", description="How messages were routed in this server")
    @app_commands.guild_only()
    async def stats(self, interaction: discord.Interaction) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        tally = self.services.dispatcher.tally
        lines = [t("**Since the start of this process**"), *_counted(tally.since_start(guild))]
        lines += [t("**In the last day**, written every ten seconds")]
        lines += _counted(await self.services.route_counts.last_day(guild))
        await say(interaction, "\n".join(lines))

    @route.command(name="keep-text", description="Whether texts of corrected messages are kept")
    @app_commands.describe(texts="Off unless switched on; switching off drops what was kept")
    @app_commands.choices(texts=SWITCH)
    @app_commands.guild_only()
    async def keep_text(self, interaction: discord.Interaction, texts: str) -> None:
        require_in_guild(interaction, "manage_guild")
        guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        dropped = await self.services.routes.keep_text(place_of(interaction), texts == "on")
        await say(
            interaction,
            t(
                "From now on `/route fix` keeps the text of the corrected message for 90 "
                "days, encrypted, so that the operator can train with it. Please tell your "
                "members."
            )
            if texts == "on"
            else t("Texts are not kept any more; {dropped} were dropped.", dropped=dropped),
        )

    async def _tried(self, interaction: discord.Interaction, text: str) -> Ask:
        """Return what would be asked about a message if the person said it here and now."""
        services, place = self.services, place_of(interaction)
        binding = await services.casting.resolved(place)
        ask = ask_about(
            text,
            place,
            UserId(interaction.user.id),
            await services.conversations.load(place),
            before=TurnId(str(interaction.id)),
            shared=bool(services.casting.scene(binding, place)),
            now=services.clock.now(),
        )
        needed_at = await services.moderation.rails.faring.needed_at(ask.person, place)
        return replace(ask, distress_at=needed_at)

    def _pinned(self, interaction: discord.Interaction, scope: str | None) -> UserId | None:
        """Return whose messages a pin is about; None for everybody's here."""
        if scope != HERE:
            return UserId(interaction.user.id)
        require_in_guild(interaction, "manage_channels")
        return None


def route_text(decision: Mapping[str, Any]) -> str:
    """Return a decision, as `route_summary` has it, with its numbers and reasons in words."""
    route, source = decision["route"], decision.get("source")
    if source is None:
        return t("Route: **{route}**. Why is no longer known.", route=route)
    lines = [
        t("Route: **{route}**, by {source} (unsure)", route=route, source=source)
        if decision["uncertain"]
        else t("Route: **{route}**, by {source} (sure)", route=route, source=source)
    ]
    shares = sorted(decision["probabilities"].items(), key=lambda each: -each[1])
    lines += [f"- {name}: {share:.0%}" for name, share in shares]
    if decision["continuation"] > 0:
        share = f"{decision['continuation']:.0%}"
        lines.append(t("- only continues the turn before: {share}", share=share))
    lines += [
        t("Because: {reason}", reason=plain(in_words(reason))) for reason in decision["reasons"][:6]
    ]
    return "\n".join(lines)


def _corrected(fixed: Fixed) -> str:
    """Return what a correction does from now on, in words."""
    before, label = fixed.instead_of, fixed.label
    if not fixed.continues:
        return t(
            "It went to {before}; from now on messages nearly like it are **{label}**.",
            before=before,
            label=label,
        )
    if fixed.follows is None:
        return t(
            "It went to {before}. It only goes on with something: messages nearly like it are "
            "**{label}** from now on when they are the first thing that a person says.",
            before=before,
            label=label,
        )
    return t(
        "It went to {before}. It only goes on with something: messages nearly like it are "
        "**{label}** from now on after a {follows} turn of the same person.",
        before=before,
        label=label,
        follows=fixed.follows,
    )


def _counted(counts: Mapping[str, int]) -> list[str]:
    """Return counts in words; of nothing, that there was nothing."""
    total = counts.get("decisions", 0)
    if not total and not counts.get("corrections", 0):
        return [t("- nothing was routed")]
    routes, sources = _named(counts, "route:"), _named(counts, "source:")
    return [
        tn("- {count} decision: {routes}", "- {count} decisions: {routes}", total, routes=routes),
        t("- decided by {sources}", sources=sources or t("nobody")),
        t(
            "- not sure {unsure}, switched {switched}, corrected {corrected}",
            unsure=counts.get("abstained", 0),
            switched=counts.get("flips", 0),
            corrected=counts.get("corrections", 0),
        ),
    ]


def _named(counts: Mapping[str, int], prefix: str) -> str:
    found = {k.removeprefix(prefix): n for k, n in counts.items() if k.startswith(prefix)}
    return ", ".join(f"{plain(name)} {n}" for name, n in sorted(found.items()))
