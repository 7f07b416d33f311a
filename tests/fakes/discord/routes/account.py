"""The bot's own account and what else hangs on no channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest

MESSAGE_CONTENT_GRANTED = 1 << 19


@routes.route("GET", "/users/@me")
def me(rest: Rest, call: Call) -> Any:
    return payloads.user(rest.world.bot)


@routes.route("GET", "/users/@me/guilds")
def my_guilds(rest: Rest, call: Call) -> Any:
    limit, after = call.number("limit", 200, 1, 200), call.snowflake("after") or 0
    mine = [g for g in sorted(rest.world.guilds.values(), key=lambda g: g.id) if g.id > after]
    found = []
    for guild in mine[:limit]:
        may = str(permissions.in_guild(guild, rest.world.bot))
        entry = {"id": str(guild.id), "name": guild.name, "owner": False, "permissions": may}
        found.append(entry | {"features": []})
    return found


@routes.route("DELETE", "/users/@me/guilds/{guild}")
def leave_guild(rest: Rest, call: Call) -> None:
    guild = rest.world.guilds.pop(call.id("guild"), None)
    if guild is None:
        raise ApiError(404, 10004)
    rest.gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild_id=guild.id)


@routes.route("GET", "/users/{user}")
def get_user(rest: Rest, call: Call) -> Any:
    user = rest.world.users.get(call.id("user"))
    if user is None:
        raise ApiError(404, 10013)
    return payloads.user(user)


@routes.route("POST", "/users/@me/channels")
def open_dm(rest: Rest, call: Call) -> Any:
    user = rest.world.users.get(int(call.json.get("recipient_id") or 0))
    if user is None:
        raise ApiError(404, 10013)
    if user.bot:
        raise ApiError(403, 50007)
    return payloads.channel(rest.world.dm_with(user))


@routes.route("GET", "/oauth2/applications/@me")
def application(rest: Rest, call: Call) -> Any:
    owner = next((user for user in rest.world.users.values() if not user.bot), rest.world.bot)
    return {
        "id": str(rest.world.application_id),
        "name": rest.world.bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": payloads.user(owner),
        "team": None,
        "flags": MESSAGE_CONTENT_GRANTED,
        "approximate_guild_count": len(rest.world.guilds),
    }


@routes.route("GET", "/applications/@me")
def own_application(rest: Rest, call: Call) -> Any:
    return application(rest, call)


@routes.route("GET", "/gateway", token=False)
def gateway(rest: Rest, call: Call) -> Any:
    return {"url": rest.gateway.url}


@routes.route("GET", "/gateway/bot")
def gateway_bot(rest: Rest, call: Call) -> Any:
    left = max(0, 1000 - rest.gateway.identifies)
    limit = {"total": 1000, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}
    return {"url": rest.gateway.url, "shards": 1, "session_start_limit": limit}
