"""The control API: what the Python handles do, over HTTP, for scenes of several processes.

`POST /_control/<action>` with a JSON object; the answer is JSON. A wrong action or argument
answers 400 with `{"error": …}`, a wait that ran out 504.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

Json = dict[str, Any]


def described(message: Message) -> Json:
    """Return everything about a message, its history and times included."""
    return {
        "id": message.id,
        "channel": message.channel.id,
        "author": message.author.name,
        "by_person": message.by_person,
        "content": message.content,
        "embeds": message.embeds,
        "attachments": message.attachments,
        "components": message.components,
        "flags": message.flags,
        "nonce": message.nonce,
        "webhook": message.webhook_id,
        "reference": message.reference.id if message.reference else None,
        "answers": message.answers.id if message.answers else None,
        "replies": [reply.id for reply in message.replies if reply.deleted_at is None],
        "pings": list(message.pings),
        "allowed_mentions": message.allowed_mentions,
        "reactions": message.reactions,
        "created_at": message.created_at,
        "first_visible_at": message.first_visible_at,
        "final_at": message.final_at,
        "deleted_at": message.deleted_at,
        "edits": [[revision.at, revision.content] for revision in message.edits],
    }


def described_interaction(interaction: Interaction) -> Json:
    """Return what became of an interaction."""
    return {
        "token": interaction.token,
        "callback": interaction.callback,
        "failed": interaction.failed,
        "late": interaction.late,
        "waited": interaction.waited,
        "ephemeral": interaction.ephemeral,
        "text": interaction.text,
        "response": described(interaction.response) if interaction.response else None,
        "followups": [described(message) for message in interaction.followups],
        "choices": interaction.choices,
        "modal": interaction.modal,
    }


class Control:
    """Answers `/_control/…`."""

    def __init__(self, discord: FakeDiscord) -> None:
        self._discord = discord
        self._actions: dict[str, Callable[[Json], Awaitable[Any]]] = {
            name.removeprefix("on_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("on_")
        }

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one control request."""
        name = request.path.removeprefix("/_control/").strip("/")
        action = self._actions.get(name)
        if action is None:
            return _json({"error": f"no action {name!r}", "actions": sorted(self._actions)}, 404)
        try:
            content = await request.read()
            arguments = json.loads(content) if content else dict(request.query)
            return _json(await action(arguments), 200)
        except TimeoutError as error:
            return _json({"error": str(error)}, 504)
        except Exception as error:  # whatever a caller got wrong, it must read about it
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    # Looking

    async def on_state(self, given: Json) -> Json:
        """Connections, counts and who is there."""
        discord, gateway = self._discord, self._discord.gateway
        guilds = {
            guild.name: {
                "id": guild.id,
                "channels": {c.name: c.id for c in guild.channels.values()},
            }
            for guild in discord.world.guilds.values()
        }
        return {
            "bot": discord.bot_user.id,
            "connected": gateway.connected,
            "identifies": gateway.identifies,
            "resumes": gateway.resumes,
            "heartbeats": gateway.heartbeats,
            "calls": dict(discord.calls),
            "rate_limited": dict(discord.rest.rate_limited),
            "invalid_requests": discord.rest.invalid_requests,
            "command_syncs": discord.command_syncs,
            "guilds": guilds,
        }

    async def on_log(self, given: Json) -> list[list[Any]]:
        """Every call since monotonic time `since`: at, method, template, path, status."""
        since = float(given.get("since", 0.0))
        return [
            [call.at, call.method, call.template, call.path, call.status]
            for call in self._discord.rest.log
            if call.at >= since
        ]

    async def on_messages(self, given: Json) -> list[Json]:
        """The messages of a place, oldest first."""
        return [described(message) for message in self._place(given).messages]

    async def on_message(self, given: Json) -> Json:
        """One message by `id`."""
        return described(self._message(given["id"]))

    async def on_wait(self, given: Json) -> Json:
        """Wait until a client is connected."""
        await self._discord.connected(float(given.get("timeout", 10.0)))
        return await self.on_state(given)

    async def on_reply(self, given: Json) -> list[Json]:
        """Wait for the final reply `to` a message; return all its replies."""
        message = self._message(given["to"])
        place = self._discord.place(message.channel)
        timeout, quiet = float(given.get("timeout", 5.0)), float(given.get("quiet", 0.5))
        await place.next_reply(message, timeout=timeout, quiet=quiet)
        return [described(reply) for reply in place.replies_to(message)]

    # Doing

    async def on_guild(self, given: Json) -> Json:
        """Make a guild with channels and members."""
        name, channels = given.get("name", "home"), given.get("channels", [])
        guild = self._discord.guild(name, channels=channels, members=given.get("members", []))
        ids = {channel: guild.channel(channel).id for channel in channels}
        return {"id": guild.id, "channels": ids}

    async def on_say(self, given: Json) -> Json:
        """Post as `author`; `files` are [name, base64, content type]."""
        place, author = self._place(given), self._person(given)
        reply_to = given.get("reply_to")
        files = [
            (name, base64.b64decode(data), kind) for name, data, kind in given.get("files", [])
        ]
        message = await place.says(
            author,
            given.get("content", ""),
            mention_bot=bool(given.get("mention_bot")),
            reply_to=self._message(reply_to) if reply_to else None,
            attachments=files,
        )
        return described(message)

    async def on_edit(self, given: Json) -> Json:
        """Change a person's message."""
        message = self._message(given["id"])
        await self._discord.place(message.channel).edit(message, given["content"])
        return described(message)

    async def on_delete(self, given: Json) -> Json:
        """Delete the messages `ids`; several of one channel make a bulk deletion."""
        messages = [self._message(ident) for ident in given["ids"]]
        await self._discord.place(messages[0].channel).delete(*messages)
        return {"deleted": len(messages)}

    async def on_slash(self, given: Json) -> Json:
        """Use a slash command with `options`."""
        return described_interaction(
            await self._person(given).slash(
                self._place(given),
                given["command"],
                timeout=float(given.get("timeout", 5.0)),
                **given.get("options", {}),
            )
        )

    async def on_autocomplete(self, given: Json) -> Json:
        """Type `typed` into `option` of a command."""
        return described_interaction(
            await self._person(given).autocomplete(
                self._place(given), given["command"], given["option"], given.get("typed", "")
            )
        )

    async def on_press(self, given: Json) -> Json:
        """Press `custom_id` on message `id`, or choose `values` from it."""
        person, message = self._person(given), self._message(given["id"])
        values = given.get("values")
        if values is None:
            return described_interaction(await person.click(message, given["custom_id"]))
        return described_interaction(await person.select(message, given["custom_id"], *values))

    async def on_submit(self, given: Json) -> Json:
        """Submit the modal that the interaction `token` opened."""
        opened = self._discord.rest.interactions.find(given["token"])
        if opened is None:
            raise LookupError("no such interaction")
        submitted = await self._person(given).submit_modal(opened, **given.get("values", {}))
        return described_interaction(submitted)

    async def on_menu(self, given: Json) -> Json:
        """Use the context menu `name` on message `id`."""
        target = self._message(given["id"])
        place = self._discord.place(target.channel)
        return described_interaction(
            await self._person(given).context_menu(place, given["name"], target)
        )

    # Breaking

    async def on_fail(self, given: Json) -> Json:
        """Plan a failure: `route` and the fields of `Fault`."""
        fault = self._discord.fail(given.pop("route"), **given)
        return {"route": fault.route, "times": fault.times}

    async def on_gateway(self, given: Json) -> Json:
        """`action`: drop, drop_and_replay, replay, outage, down, up, reconnect, and so on."""
        gateway, action = self._discord.gateway, given["action"]
        messages = [self._message(ident) for ident in given.get("ids", [])]
        if action in ("drop", "down", "up"):
            await getattr(gateway, action)()
        elif action == "drop_and_replay":
            await gateway.drop_and_replay(*messages)
        elif action == "replay":
            gateway.replay(messages[0])
        elif action == "outage":
            await gateway.outage(float(given["seconds"]))
        elif action == "reconnect":
            gateway.reconnect()
        elif action == "invalidate":
            gateway.invalidate(resumable=bool(given.get("resumable")))
        elif action == "close":
            await gateway.close(int(given["code"]))
        elif action == "silence":
            gateway.silence(bool(given.get("silent", True)))
        else:
            raise LookupError(f"no gateway action {action!r}")
        return await self.on_state({})

    async def on_settings(self, given: Json) -> Json:
        """Set `latency` (seconds) and `rate_limits`; `forget` starts counting anew."""
        if "latency" in given:
            self._discord.latency = float(given["latency"])
        if "rate_limits" in given:
            self._discord.rest.limits.enabled = bool(given["rate_limits"])
        if given.get("forget"):
            self._discord.forget_calls()
        return {"latency": self._discord.latency, "rate_limits": self._discord.rest.limits.enabled}

    def _person(self, given: Json) -> Person:
        guild = given.get("guild")
        name = given.get("author", "alice")
        return self._discord.guild(guild).member(name) if guild else self._discord.user(name)

    def _place(self, given: Json) -> Place:
        if dm := given.get("dm"):
            return self._discord.dm(self._discord.user(dm))
        if isinstance(given.get("channel"), int):
            return self._discord.place(self._discord.world.channels[given["channel"]])
        guild = self._discord.guild(given.get("guild", "home"))
        return guild.channel(given.get("channel", "general"))

    def _message(self, ident: int | str) -> Message:
        found = self._discord.world.messages.get(int(ident))
        if found is None:
            raise LookupError(f"no message {ident}")
        return found


def _json(body: Any, status: int) -> web.Response:
    content = json.dumps(body).encode()
    return web.Response(body=content, status=status, content_type="application/json")
