"""The bot on Discord: the parts that only it needs, from the intake to the supervised client."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.adapters.discord.allowed.permissions import (
    PermissionChanges,
    permissions_at,
    permissions_in,
)
from bot.adapters.discord.calling.pacing import Throttle
from bot.adapters.discord.commands import Services, install, sync_commands
from bot.adapters.discord.commands.memory.commands import install_memory
from bot.adapters.discord.commands.memory.offer import Offering
from bot.adapters.discord.commands.memory.told import Telling
from bot.adapters.discord.missed.catchup import CatchUp
from bot.adapters.discord.missed.fates import DiscordChannels
from bot.adapters.discord.missed.vanished import Vanished
from bot.adapters.discord.moderation import Moderation
from bot.adapters.discord.reading.surroundings import DiscordSurroundings
from bot.adapters.discord.session.client import Connection, TroupeBot
from bot.adapters.discord.session.redirect import redirect
from bot.adapters.discord.session.supervisor import IdentifyBudget, Supervisor
from bot.adapters.discord.speaking.desk import Account, Desk
from bot.adapters.discord.speaking.greeter import Greeter
from bot.adapters.discord.speaking.removing import Remover
from bot.adapters.discord.speaking.sink import SinkFactory
from bot.adapters.discord.speaking.threads import Threads
from bot.adapters.discord.speaking.tidying import Tidying
from bot.adapters.redis.last_seen import RedisLastSeen
from bot.app import Troupe
from bot.background import Background
from bot.chat.accounts import Accounts
from bot.chat.arriving.parting import KeepsServers
from bot.chat.intake import Intake
from bot.chat.pipeline import TurnPipeline
from bot.chat.place import Place
from bot.chat.preparing.looking_up import ask
from bot.chat.runner import Aftercare, TurnRunner
from bot.chat.wishes.correcting import RouteFixes
from bot.chat.wishes.first_words import FirstWords
from bot.chat.wishing import Wishes
from bot.errors import SettingsRejected
from bot.languages import let_go_of_catalogues
from bot.opening.health_checks import HEALTH_EVERY
from bot.personas.binding import TriggerMode
from bot.personas.house_rules import HouseRules
from bot.ports import Face

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 20.0
"""What running turns get to finish, on Ctrl-C and SIGTERM."""
OWN_FACE = Face(persona="", name="Troupe")


@dataclass(frozen=True, slots=True)
class _Bot:
    troupe: Troupe
    last_seen: RedisLastSeen
    desk: Desk
    intake: Intake
    supervisor: Supervisor


async def serve_discord(
    troupe: Troupe, stop: asyncio.Event, stack: AsyncExitStack, hurry: asyncio.Event | None = None
) -> int:
    """Run the bot until `stop`, then drain: no new turns, running ones finish or are marked, at
    once as soon as `hurry` is set.

    Raises:
        SettingsRejected: Discord refuses the token, a shard or an intent.
    """
    bot = await _open(troupe, stack)
    background = Background()
    stack.push_async_callback(background.close)
    background.keep("upkeep", lambda: _upkeep(bot))
    background.keep("gateway health", lambda: _report_gateway(bot))
    running = asyncio.create_task(bot.supervisor.run(), name="supervisor")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        log.info("draining", running=troupe.queue.running, waiting=troupe.queue.depth)
        troupe.health.drain()
        left = await _drain(bot.intake, hurry or asyncio.Event())
        log.info("drained", left_to_successor=left)
    finally:
        stopping.cancel()
        await bot.supervisor.stop()
        await asyncio.gather(running, return_exceptions=True)
    return 0


async def _drain(intake: Intake, hurry: asyncio.Event) -> int:
    """Let running turns finish while nobody is in a hurry. Return how many did not."""
    draining = asyncio.create_task(intake.drain(DRAIN_SECONDS), name="drain")
    hurried = asyncio.create_task(hurry.wait(), name="hurry")
    await asyncio.wait({draining, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if draining.done():
        return await draining
    draining.cancel()
    return await intake.drain(0)


async def _open(troupe: Troupe, stack: AsyncExitStack) -> _Bot:
    discord = troupe.settings.discord
    if discord.token is None:
        raise SettingsRejected(["DISCORD_TOKEN: is needed to run the bot"])
    redirect(discord)
    token = discord.token.get_secret_value()
    throttle = Throttle()
    throttle.on_call = troupe.metrics.discord.rest
    throttle.on_refusal = troupe.metrics.discord.rate_limited
    desk = Desk.open(token, throttle)
    stack.push_async_callback(desk.close, 5.0)
    shards = "-".join(map(str, discord.shard_ids))
    last_seen = RedisLastSeen(troupe.stores.redis, owner=f"{shards}-{discord.shard_count}")
    stack.push_async_callback(last_seen.close)
    accounts, moderation = Accounts(), _moderation(troupe, desk)
    intake = _intake(troupe, desk, accounts, moderation)
    services = _services(troupe, desk, accounts, moderation, intake)
    connection = _connection(troupe, desk, intake, services, last_seen, throttle)
    supervisor = Supervisor(lambda shard: TroupeBot(connection, shard), token, discord.shard_ids)
    desk.permissions_at = lambda place: permissions_at(supervisor.clients, place)
    desk.permissions_in = lambda guild: permissions_in(supervisor.clients, guild)
    desk.alone = lambda: not troupe.stores.journal.shared
    return _Bot(troupe, last_seen, desk, intake, supervisor)


def _moderation(troupe: Troupe, desk: Desk) -> Moderation:
    guard = troupe.guard
    return Moderation(
        desk=desk,
        rails=guard.rails,
        policies=guard.policies,
        store=guard.stores.moderation,
        audit=guard.audit,
        trail=guard.stores.audit,
        metrics=troupe.metrics.guard,
        files=guard.files,
        model=guard.model,
        model_name=guard.model_name,
    )


def _intake(troupe: Troupe, desk: Desk, accounts: Accounts, moderation: Moderation) -> Intake:
    """Return what takes messages in and runs their turns."""
    stores, memory = troupe.stores, troupe.parts.memory
    aftercare: tuple[Aftercare, ...] = (moderation,)
    if memory is not None:
        aftercare = (moderation, Telling(desk, memory.notebook), Offering(desk, memory))
    runner = TurnRunner(
        pipeline=TurnPipeline(replace(troupe.parts, around=DiscordSurroundings(desk))),
        journal=stores.journal,
        conversations=stores.conversations,
        casting=troupe.casting,
        sinks=SinkFactory(desk, Tidying(desk, stores.replies)),
        accounts=accounts,
        metrics=troupe.metrics,
        clock=troupe.clock,
        own_face=OWN_FACE,
        disclosures=troupe.guard.disclosures,
        aftercare=aftercare,
        kept=stores.replies,
    )
    return Intake(
        runner=runner,
        journal=stores.journal,
        conversations=stores.conversations,
        casting=troupe.casting,
        metrics=troupe.metrics,
        clock=troupe.clock,
        mindful=(stores.routes,),
        memory=memory,
        threads=Threads(desk),
        claims=stores.replies,
        channels=DiscordChannels(desk),
        ask=partial(ask, troupe.parts),
        servers=_what_a_server_leaves(troupe),
        places=(stores.replies, stores.conversations),
    )


def _services(
    troupe: Troupe, desk: Desk, accounts: Accounts, moderation: Moderation, intake: Intake
) -> Services:
    """Return what the commands and buttons call."""
    stores, models = troupe.stores, troupe.models
    return Services(
        casting=troupe.casting,
        library=troupe.library,
        imported=troupe.imported,
        first_words=FirstWords(troupe.parts),
        greeter=Greeter(desk),
        conversations=stores.conversations,
        accounts=accounts,
        replies=stores.replies,
        wishes=Wishes(stores.conversations, stores.replies, intake, troupe.clock),
        remover=Remover(desk),
        counted=troupe.metrics.replies,
        orders=troupe.metrics.tools,
        memory=troupe.parts.memory,
        intake=intake,
        dispatcher=troupe.dispatcher,
        route_fixes=_route_fixes(troupe),
        routes=stores.routes,
        route_counts=stores.route_counts,
        clock=troupe.clock,
        model=models.name,
        rehearsal=models.rehearsal,
        moderation=moderation,
        rules=HouseRules(
            troupe.casting,
            (models.name, *troupe.settings.ollama.channel_models),
            auto_allowed=troupe.settings.discord.message_content_intent,
        ),
        mutes=desk.mutes,
    )


def _route_fixes(troupe: Troupe) -> RouteFixes:
    return RouteFixes(
        conversations=troupe.stores.conversations,
        corrections=troupe.stores.routes,
        router=troupe.dispatcher.router,
        observer=troupe.metrics.routing,
        tally=troupe.dispatcher.tally,
        clock=troupe.clock,
    )


def _what_a_server_leaves(troupe: Troupe) -> tuple[KeepsServers, ...]:
    """Return the stores that forget a server that the bot is no member of any more."""
    stores, guard = troupe.stores, troupe.guard.stores
    return (
        stores.journal,  # nothing is taken up of it any more
        stores.cards,
        stores.routes,
        stores.memories,
        stores.replies,  # before the conversations, which list the places
        stores.conversations,
        stores.bindings,
        stores.limiter,
        troupe.dispatcher.tally,  # what is not written yet before what is
        stores.route_counts,
        guard.trends_beside,
        guard.trends,
        guard.moderation,
    )


def _connection(
    troupe: Troupe,
    desk: Desk,
    intake: Intake,
    services: Services,
    last_seen: RedisLastSeen,
    throttle: Throttle,
) -> Connection:
    discord = troupe.settings.discord
    budget = IdentifyBudget()

    async def mode_at(place: Place) -> TriggerMode:
        return (await troupe.casting.resolved(place)).mode

    catchup = CatchUp(last_seen, desk.prepare, mode_at, intake.past)

    async def fresh(client: TroupeBot) -> None:
        await asyncio.gather(catchup.run(client), intake.look_again())

    async def before_identify(shard: int) -> None:
        await budget.wait()
        await catchup.mark(shard)

    def recognised(account: Account) -> None:
        desk.recognise(account)
        log.info("logged in", application=account.application)

    return Connection(
        listener=intake,
        last_seen=last_seen,
        throttle=throttle,
        message_content=discord.message_content_intent,
        shard_count=discord.shard_count,
        is_our_webhook=desk.webhooks.is_ours,
        on_account=recognised,
        set_up=lambda client: _set_up(client, troupe, desk, intake, services),
        before_identify=before_identify,
        on_fresh_session=fresh,
    )


async def _set_up(
    client: TroupeBot, troupe: Troupe, desk: Desk, intake: Intake, services: Services
) -> None:
    """Give a client what it listens for and its commands, and tell Discord of these."""
    stores, settings = troupe.stores, troupe.settings
    await install(client, services)
    await client.add_cog(PermissionChanges(desk))
    await client.add_cog(Vanished(client, desk, stores.kept_places, intake.parting, stores.state))
    if troupe.parts.memory is not None:
        await install_memory(client, troupe.parts.memory, settings.core.memory_days)
    application = client.application_id or 0
    await sync_commands(client.tree, application, stores.state, settings.discord.sync_commands)
    let_go_of_catalogues()  # discord.py has them read again where it registers the commands


async def _upkeep(bot: _Bot) -> None:
    """Take up what dead processes left, once what they wrote can be found."""
    await bot.desk.recognised.wait()
    await bot.intake.upkeep()


async def _report_gateway(bot: _Bot) -> None:
    health, metrics = bot.troupe.health, bot.troupe.metrics.discord
    health.expect("gateway", stale_after=HEALTH_EVERY * 6)
    while True:
        shards = bot.supervisor.health()
        away = [shard.shard for shard in shards if not shard.connected]
        names = ", ".join(map(str, away))
        health.report("gateway", not away, f"shard {names} not connected" if away else "connected")
        for shard in shards:
            if shard.latency is not None:
                metrics.heartbeat(shard.shard, shard.latency)
            if shard.heard_age is not None:
                heard = bot.troupe.clock.now() - shard.heard_age
                metrics.event(shard.shard, heard)
                if shard.connected:
                    bot.last_seen.listened(shard.shard, heard)
        await asyncio.sleep(HEALTH_EVERY if not away else 1.0)
