"""Registering application commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.routes.channels import guild_of

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest

GLOBAL = "/applications/{application}/commands"
GUILD = "/applications/{application}/guilds/{guild}/commands"


def _scope(rest: Rest, call: Call) -> int | None:
    if call.id("application") != rest.world.application_id:
        raise ApiError(403, 50001)
    return guild_of(rest, call).id if "guild" in call.params else None


@routes.route("GET", GLOBAL, bucket="commands")
@routes.route("GET", GUILD, bucket="commands")
def list_commands(rest: Rest, call: Call) -> Any:
    return rest.commands.listed(_scope(rest, call))


@routes.route("PUT", GLOBAL, bucket="commands")
@routes.route("PUT", GUILD, bucket="commands")
def write_commands(rest: Rest, call: Call) -> Any:
    return rest.commands.replace(_scope(rest, call), call.body)


@routes.route("DELETE", GLOBAL + "/{command}", bucket="commands")
@routes.route("DELETE", GUILD + "/{command}", bucket="commands")
def delete_command(rest: Rest, call: Call) -> None:
    rest.commands.remove(_scope(rest, call), call.params["command"])
