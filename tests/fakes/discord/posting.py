"""Messages come into being, change and go: the one way for bots, webhooks and people alike."""

from __future__ import annotations

import re
import time
from itertools import islice
from typing import Any
from urllib.parse import quote

from tests.fakes.discord import payloads
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.mentions import effective
from tests.fakes.discord.state import (
    COMPONENTS_V2,
    DM,
    LOADING,
    Channel,
    Message,
    Revision,
    User,
    World,
)
from tests.fakes.discord.validation import MAX_FILE_BYTES, components_of

NONCE_SECONDS = 300.0
FREE_FLAGS = COMPONENTS_V2 | 1 << 2 | 1 << 12
"""Components v2, suppressed embeds, suppressed notifications."""
_SNOWFLAKE = re.compile(r"\d{17,20}")
_JUMP = re.compile(r"/channels/(?:\d+|@me)/\d+/(\d{17,20})")
File = tuple[str, bytes, str]


class Posting:
    """Creates, edits and deletes messages and tells the gateway."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway
        self.origin = ""
        """Where files can be downloaded from, such as http://127.0.0.1:3000."""
        self._nonces: dict[tuple[int, str], tuple[float, Message]] = {}

    def earlier(self, author: User, body: dict[str, Any]) -> Message | None:
        """Return the message that this author already sent with this enforced nonce."""
        if not body.get("enforce_nonce") or body.get("nonce") is None:
            return None
        sent = self._nonces.get((author.id, str(body["nonce"])))
        return sent[1] if sent and time.monotonic() - sent[0] < NONCE_SECONDS else None

    def forget_nonces(self) -> None:
        """Take the same nonce for a new message, as Discord does after minutes."""
        self._nonces.clear()

    def create(
        self,
        channel: Channel,
        author: User,
        body: dict[str, Any],
        *,
        files: list[File] | None = None,
        special_flags: int = 0,
        ident: int | None = None,
        **extra: Any,
    ) -> Message:
        """Post a message whose body was checked before.

        Args:
            channel: where.
            author: who.
            body: the JSON of the request.
            files: uploads, in order.
            special_flags: flags that only an interaction may set.
            ident: the message's id, where it is not a new one.
            extra: further fields of `Message`.
        """
        content = body.get("content") or ""
        reference, reference_data = self._reference(channel, body.get("message_reference"))
        allowed = body.get("allowed_mentions")
        found = effective(self._world, channel, author, content, allowed, reference)
        at = time.monotonic()
        nonce = body.get("nonce")
        message = Message(
            id=ident or self._world.new_id(),
            channel=channel,
            author=author,
            content=content,
            created_at=at,
            embeds=list(body.get("embeds") or []),
            components=list(body.get("components") or []),
            flags=int(body.get("flags") or 0) & FREE_FLAGS | special_flags,
            nonce=None if nonce is None else str(nonce),
            reference=reference,
            reference_data=reference_data,
            allowed_mentions=allowed,
            mentions=found.users,
            mention_roles=found.roles,
            mention_everyone=bool(found.everyone),
            pings=found.pings,
            edits=[Revision(at, content)],
            **({"kind": 19} if reference_data else {}) | extra,
        )
        message.components = _numbered(message.components)
        message.attachments = self.store(channel, body.get("attachments") or [], files or [])
        self._world.messages[message.id] = message
        if body.get("enforce_nonce") and message.nonce:
            self._nonces[author.id, message.nonce] = (at, message)
        if not message.ephemeral:
            self._attribute(message)
            channel.messages[message.id] = message
            self._announce("MESSAGE_CREATE", message)
        self._world.changed()
        return message

    def edit(self, message: Message, body: dict[str, Any], files: list[File] | None = None) -> None:
        """Change a message as its author asks; the body was checked before."""
        if "content" in body:
            message.content = body["content"] or ""
        if "embeds" in body:
            message.embeds = list(body["embeds"] or [])
        if "components" in body:
            message.components = _numbered(list(body["components"] or []))
        if body.get("flags"):
            message.flags |= int(body["flags"]) & COMPONENTS_V2
        if "attachments" in body or files:
            kept = {str(item.get("id")) for item in body.get("attachments") or []}
            stay = [item for item in message.attachments if item["id"] in kept]
            added = self.store(message.channel, body.get("attachments") or [], files or [])
            message.attachments = stay + added
        allowed = body.get("allowed_mentions", message.allowed_mentions)
        reference = message.reference
        found = effective(
            self._world, message.channel, message.author, message.content, allowed, reference
        )
        message.mentions, message.mention_roles = found.users, found.roles
        message.mention_everyone = bool(found.everyone)
        if message.loading:
            message.flags &= ~LOADING
            message.pings = found.pings
        message.edited = True
        message.edited_timestamp = payloads.now()
        self.revised(message)

    def revised(self, message: Message) -> None:
        """Record the text as it stands now, and announce the change."""
        message.edits.append(Revision(time.monotonic(), message.content))
        if not message.ephemeral and message.deleted_at is None:
            self._announce("MESSAGE_UPDATE", message)
        self._world.changed()

    def unfurl(self, message: Message, embed: dict[str, Any]) -> None:
        """Add a link's preview: an update that is no edit."""
        message.embeds = [*message.embeds, embed]
        self._announce("MESSAGE_UPDATE", message)

    def delete(self, *messages: Message) -> None:
        """Delete messages of one channel; more than one make a bulk deletion."""
        channel = messages[0].channel
        for message in messages:
            message.deleted_at = time.monotonic()
            if channel.messages.pop(message.id, None):
                channel.deleted.append(message)
        if not messages[0].ephemeral:
            where: dict[str, Any] = {"channel_id": str(channel.id)}
            if channel.guild:
                where["guild_id"] = str(channel.guild.id)
            if len(messages) == 1:
                body = {"id": str(messages[0].id)} | where
                self._gateway.dispatch("MESSAGE_DELETE", body, channel=channel)
            else:
                body = {"ids": [str(message.id) for message in messages]} | where
                self._gateway.dispatch("MESSAGE_DELETE_BULK", body, channel=channel)
        self._world.changed()

    def react(self, message: Message, user: User, emoji: str) -> None:
        """Add a user's reaction, once."""
        users = message.reactions.setdefault(emoji, [])
        if user.id not in users:
            users.append(user.id)
            self._reaction("MESSAGE_REACTION_ADD", message, user, emoji)

    def unreact(self, message: Message, user: User, emoji: str) -> None:
        """Take a user's reaction away, if it is there."""
        users = message.reactions.get(emoji, [])
        if user.id in users:
            users.remove(user.id)
            if not users:
                del message.reactions[emoji]
            self._reaction("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def _reaction(self, event: str, message: Message, user: User, emoji: str) -> None:
        name, _, ident = emoji.partition(":")
        body: dict[str, Any] = {
            "user_id": str(user.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "message_author_id": str(message.author.id),
            "emoji": {"id": ident or None, "name": name},
            "burst": False,
            "type": 0,
        }
        if guild := message.channel.guild:
            body["guild_id"] = str(guild.id)
            if event.endswith("ADD") and user.id in guild.members:
                body["member"] = payloads.member(guild.members[user.id], guild)
        self._gateway.dispatch(event, body, channel=message.channel)
        self._world.changed()

    def typing(self, channel: Channel, user: User) -> None:
        """Announce that a user types."""
        body: dict[str, Any] = {
            "channel_id": str(channel.id),
            "user_id": str(user.id),
            "timestamp": int(time.time()),
        }
        if channel.guild:
            body["guild_id"] = str(channel.guild.id)
        self._gateway.dispatch("TYPING_START", body, channel=channel)

    def _announce(self, event: str, message: Message) -> None:
        body = payloads.message_event(message)
        self._gateway.dispatch(event, body, channel=message.channel, message=True)

    def _reference(
        self, channel: Channel, given: dict[str, Any] | None
    ) -> tuple[Message | None, dict[str, Any] | None]:
        if not given or not given.get("message_id"):
            return None, None
        found = self._world.messages.get(int(given["message_id"]))
        if found is None or found.deleted_at is not None or found.channel is not channel:
            if given.get("fail_if_not_exists", True):
                raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            return None, None
        data = {"type": 0, "message_id": str(found.id), "channel_id": str(channel.id)}
        if channel.guild:
            data["guild_id"] = str(channel.guild.id)
        return found, data

    def store(
        self, channel: Channel, described: list[dict[str, Any]], files: list[File]
    ) -> list[dict[str, Any]]:
        notes = {str(item.get("id")): item for item in described}
        stored = []
        for index, (name, content, kind) in enumerate(files):
            if len(content) > MAX_FILE_BYTES:
                raise ApiError(413, 40005)
            ident = self._world.new_id()
            name = notes.get(str(index), {}).get("filename") or name
            path = f"/cdn/attachments/{channel.id}/{ident}/{quote(name)}"
            self._world.files[path] = (content, kind)
            url = f"{self.origin}{path}?ex=6600&is=6600&hm={ident:x}"
            item: dict[str, Any] = {
                "id": str(ident),
                "filename": name,
                "size": len(content),
                "url": url,
                "proxy_url": url,
                "content_type": kind,
            }
            if description := notes.get(str(index), {}).get("description"):
                item["description"] = description
            stored.append(item)
        return stored

    def _attribute(self, message: Message) -> None:
        """Find the message that a bot's message answers.

        A reference says so; else an id inside the nonce; else a jump link; else the oldest
        unanswered message that was addressed to the bot; else the oldest unanswered one since
        the bot's last answer; else the message answered last, which this one continues.
        """
        if message.by_person or message.interaction_metadata is not None:
            return
        source = message.reference or self._named(message) or self._waiting(message)
        if source is not None and source.by_person:
            message.answers = source
            source.replies.append(message)

    def _named(self, message: Message) -> Message | None:
        texts = _SNOWFLAKE.findall(message.nonce or "")
        described = " ".join(str(embed) for embed in message.embeds)
        shown = " ".join(str(item.get("url", "")) for item in components_of(message.components))
        texts += _JUMP.findall(f"{message.content} {described} {shown}")
        for text in texts:
            found = self._world.messages.get(int(text))
            if found is not None and found.by_person:
                return found
        return None

    def _waiting(self, message: Message) -> Message | None:
        recent = list(islice(reversed(message.channel.messages.values()), 200))
        asked = [item for item in recent if item.by_person and not item.replies]
        if addressed := [item for item in asked if self._for_bot(item)]:
            return addressed[-1]
        newest_answer = next((item for item in recent if item.answers), None)
        if newest_answer is None:
            return asked[-1] if asked else None
        fresh = [item for item in asked if item.id > newest_answer.id]
        return fresh[-1] if fresh else newest_answer.answers

    def _for_bot(self, message: Message) -> bool:
        return message.channel.kind == DM or self._world.bot in message.mentions


def _numbered(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every component the id that Discord adds."""
    for number, item in enumerate(components_of(components), start=1):
        item.setdefault("id", number)
    return components
