"""People, channels and guilds as a test drives them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.fakes import PATIENCE
from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.posting import File
from tests.fakes.discord.state import (
    CATEGORY,
    FORUM,
    TEXT,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    User,
    Webhook,
)
from tests.fakes.discord.validation import check_message

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

STEP = 0.02
"""Seconds between two looks at a message that may still change."""


class Person:
    """Someone who talks to the bot."""

    def __init__(self, discord: FakeDiscord, record: User) -> None:
        self._discord = discord
        self.record = record
        self.id = record.id
        self.mention = f"<@{record.id}>"

    async def slash(
        self, where: Place, command: str, /, *, timeout: float = PATIENCE, **options: Any
    ) -> Interaction:
        """Use a slash command such as "persona switch" and wait for its answer.

        Returns when the answer is readable, or when the bot failed to give one within the
        deadline (`interaction.failed`), or a deferred one within `timeout`.
        """
        values = {name: _unwrapped(value) for name, value in options.items()}
        begun = self._discord.actions.slash(self.record, where.record, command, values)
        return await self._discord.answered(begun, timeout=timeout)

    async def autocomplete(
        self, where: Place, command: str, option: str, typed: str = "", /, **options: Any
    ) -> Interaction:
        """Type into an option; `interaction.choices` holds what was offered."""
        values = {name: _unwrapped(value) for name, value in options.items()} | {option: typed}
        begun = self._discord.actions.slash(
            self.record, where.record, command, values, focused=option
        )
        return await self._discord.answered(begun)

    async def click(
        self, message: Message, custom_id: str, *, timeout: float = PATIENCE, stale: bool = False
    ) -> Interaction:
        """Press a button; `stale`: one that was replaced before the click arrived."""
        begun = self._discord.actions.press(self.record, message, custom_id, stale=stale)
        return await self._discord.answered(begun, timeout=timeout)

    async def select(
        self,
        message: Message,
        custom_id: str,
        *values: str | Person | Role,
        timeout: float = PATIENCE,
    ) -> Interaction:
        """Choose from a select menu: values, people or roles."""
        chosen = [_unwrapped(value) for value in values]
        begun = self._discord.actions.press(self.record, message, custom_id, chosen)
        return await self._discord.answered(begun, timeout=timeout)

    async def submit_modal(
        self, opened: Interaction, /, *, timeout: float = PATIENCE, **values: Any
    ) -> Interaction:
        """Fill in the modal that an interaction opened, by custom id, and submit it."""
        begun = self._discord.actions.submit(self.record, opened, values)
        return await self._discord.answered(begun, timeout=timeout)

    async def context_menu(
        self, where: Place, name: str, target: Message | Person, *, timeout: float = PATIENCE
    ) -> Interaction:
        """Use a context menu on a message or a person."""
        found = _unwrapped(target)
        begun = self._discord.actions.menu(self.record, where.record, name, found)
        return await self._discord.answered(begun, timeout=timeout)

    def closes_dms(self) -> None:
        """Refuse direct messages from now on (50007)."""
        self.record.accepts_dms = False


def _unwrapped(value: Any) -> Any:
    return value.record if isinstance(value, Person | Place) else value


class Place:
    """A channel, thread, category or direct message."""

    def __init__(self, discord: FakeDiscord, record: Channel) -> None:
        self._discord = discord
        self.record = record
        self.id = record.id
        self.mention = f"<#{record.id}>"

    @property
    def messages(self) -> list[Message]:
        """What can be read here, oldest first."""
        return list(self.record.messages.values())

    @property
    def from_bot(self) -> list[Message]:
        """What the bot wrote here, as itself or by webhook, oldest first."""
        return [m for m in self.record.messages.values() if not m.by_person]

    @property
    def typings(self) -> list[float]:
        """When the bot showed that it types."""
        return self.record.typings

    async def says(
        self,
        author: Person,
        content: str = "",
        *,
        mention_bot: bool = False,
        reply_to: Message | None = None,
        ping: bool = True,
        attachments: Iterable[File] = (),
        embeds: Iterable[dict[str, Any]] = (),
    ) -> Message:
        """Post a message as a person.

        Args:
            author: who.
            content: the text.
            mention_bot: put a mention of the bot in front.
            reply_to: the message it replies to.
            ping: whether the reply notifies.
            attachments: name, bytes and content type of each.
            embeds: previews it carries.
        """
        if mention_bot:
            content = f"<@{self._discord.bot_user.id}> {content}".strip()
        files = list(attachments)
        body: dict[str, Any] = {"content": content, "embeds": list(embeds)}
        if reply_to is not None:
            body["message_reference"] = {"message_id": str(reply_to.id)}
            parse = ["users", "roles", "everyone"]
            body["allowed_mentions"] = {"parse": parse, "replied_user": ping}
        check_message(body, files=len(files))
        return self._discord.posting.create(self.record, author.record, body, files=files)

    async def edit(self, message: Message, content: str) -> None:
        """Change a person's message."""
        self._discord.posting.edit(message, {"content": content})

    async def delete(self, *messages: Message) -> None:
        """Delete a message, or several at once (bulk)."""
        self._discord.posting.delete(*messages)

    async def unfurl(self, message: Message, url: str = "https://example.org/") -> None:
        """Let Discord add a link preview: an update without an edited_timestamp."""
        embed = {"type": "link", "url": url, "title": "Example"}
        self._discord.posting.unfurl(message, embed)

    async def react(self, author: Person, message: Message, emoji: str) -> None:
        """React to a message as a person."""
        self._discord.posting.react(message, author.record, emoji)

    async def unreact(self, author: Person, message: Message, emoji: str) -> None:
        """Take a person's reaction away."""
        self._discord.posting.unreact(message, author.record, emoji)

    async def types(self, author: Person) -> None:
        """Show that a person types (TYPING_START)."""
        self._discord.posting.typing(self.record, author.record)

    async def thread(self, name: str, owner: Person, *, starter: Message | None = None) -> Place:
        """Open a thread as a person, from a message or without one."""
        thread = self._discord.rest.threads.start(self.record, name, owner.record, starter=starter)
        return self._discord.place(thread)

    def archive(self) -> None:
        """Close a thread: nothing in it can be changed until somebody writes there again."""
        self._discord.rest.threads.archive(self.record, archived=True)

    def lock(self, *, archived: bool = False) -> None:
        """Lock a thread as a moderator: nobody else writes there, or opens it."""
        self.record.locked = True
        self._discord.rest.threads.archive(self.record, archived=archived)

    async def post(
        self, title: str, author: Person, content: str, *, mention_bot: bool = False
    ) -> tuple[Place, Message]:
        """Write a forum post: a thread whose first message has the thread's id."""
        if mention_bot:
            content = f"<@{self._discord.bot_user.id}> {content}".strip()
        thread = self._discord.rest.threads.start(self.record, title, author.record)
        message = self._discord.posting.create(
            thread, author.record, {"content": content}, ident=thread.id
        )
        return self._discord.place(thread), message

    # What the bot answered

    def replies_to(self, message: Message) -> list[Message]:
        """Return the bot's live messages that answer this one, in order."""
        return [reply for reply in message.replies if reply.deleted_at is None]

    def answer_to(self, message: Message) -> str:
        """Return the answer as it can be read, all its messages joined by newlines."""
        return "\n".join(reply.content for reply in self.replies_to(message))

    async def next_reply(
        self, to: Message | None = None, *, timeout: float = PATIENCE, quiet: float = 0.5
    ) -> Message:
        """Wait for the bot's reply and for its final text.

        Args:
            to: the message it must answer; without one, the newest message of the bot after
                the last message of a person.
            timeout: seconds until it must be there, and again until it must be final.
            quiet: seconds without a change that make a text final; 0 returns at once.

        Raises:
            TimeoutError: no reply, or it never came to rest.
        """

        def look() -> Message | None:
            if to is not None:
                return next(iter(self.replies_to(to)), None)
            newest = next(reversed(self.record.messages.values()), None)
            return newest if newest and not newest.by_person else None

        what = f"a reply to {to.content!r}" if to else "a message of the bot"
        reply = await self._discord.world.until(look, what, timeout)
        return await self.settled(reply, quiet=quiet, timeout=timeout) if quiet else reply

    async def settled(
        self, reply: Message, *, quiet: float = 0.5, timeout: float = PATIENCE
    ) -> Message:
        """Wait until a message did not change for `quiet` seconds.

        The seconds are counted in steps, so that a loop that stood still is not taken for quiet.

        Raises:
            TimeoutError: it went on changing for `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        seen, calm = reply.final_at, 0.0
        while calm < quiet:
            if time.monotonic() > deadline:
                raise TimeoutError(f"message {reply.id} still changes after {timeout} s")
            await asyncio.sleep(STEP)
            calm = calm + STEP if reply.final_at == seen else 0.0
            seen = reply.final_at
        return reply

    # Webhooks and permissions

    @property
    def webhooks(self) -> list[Webhook]:
        """The channel's webhooks."""
        return list(self.record.webhooks.values())

    def add_webhook(self, name: str = "someone else's") -> Webhook:
        """Add a webhook that is not the bot's."""
        return self._discord.add_webhook(self.record, name)

    def remove_webhook(self, webhook: Webhook) -> None:
        """Delete a webhook as an administrator would (then 10015)."""
        self._discord.remove_webhook(webhook)

    def forbid_bot(self, *names: str) -> None:
        """Deny permissions to the bot here, such as "send_messages"."""
        self.overwrite(self._discord.bot_user.id, deny=names)

    def allow_bot(self, *names: str) -> None:
        """Allow permissions to the bot here."""
        self.overwrite(self._discord.bot_user.id, allow=names)

    def overwrite(
        self, target: int, *, allow: Iterable[str] = (), deny: Iterable[str] = ()
    ) -> None:
        """Set the overwrite of a role (its id, the guild's for @everyone) or a member."""
        guild = self.record.guild
        assert guild is not None
        kind = 0 if target in guild.roles else 1
        self.record.overwrites[target] = Overwrite(
            kind, permissions.bits(*allow), permissions.bits(*deny)
        )
        body = payloads.channel(self.record)
        self._discord.gateway.dispatch("CHANNEL_UPDATE", body, channel=self.record)


class Server:
    """A guild."""

    def __init__(self, discord: FakeDiscord, record: Guild) -> None:
        self._discord = discord
        self.record = record
        self.id = record.id

    def channel(
        self, name: str, *, category: str | None = None, nsfw: bool = False, topic: str = ""
    ) -> Place:
        """Return the channel of this name; it is made if there is none."""
        for found in self.record.channels.values():
            if found.name == name and found.kind != CATEGORY and not found.is_thread:
                return self._discord.place(found)
        parent = self.category(category).record if category else None
        return self._make(Channel(0, TEXT, name, parent=parent, nsfw=nsfw, topic=topic or None))

    def forum(self, name: str) -> Place:
        """Make a forum."""
        return self._make(Channel(0, FORUM, name))

    def category(self, name: str) -> Place:
        """Return the category of this name; it is made if there is none."""
        for found in self.record.channels.values():
            if found.name == name and found.kind == CATEGORY:
                return self._discord.place(found)
        return self._make(Channel(0, CATEGORY, name))

    def _make(self, channel: Channel) -> Place:
        world = self._discord.world
        channel.id, channel.guild = world.new_id(), self.record
        channel.position = len(self.record.channels)
        world.add_channel(channel)
        body = payloads.channel(channel)
        self._discord.gateway.dispatch("CHANNEL_CREATE", body, channel=channel)
        return self._discord.place(channel)

    def delete_channel(self, place: Place) -> None:
        """Delete a channel and its threads, or a thread."""
        world = self._discord.world
        gone = [place.record]
        gone += [c for c in self.record.channels.values() if c.is_thread and c.parent in gone]
        for channel in gone:
            world.channels.pop(channel.id, None)
            self.record.channels.pop(channel.id, None)
        body, event = payloads.channel(place.record), "CHANNEL_DELETE"
        if place.record.is_thread:
            names = ("id", "guild_id", "parent_id", "type")
            body, event = {name: body[name] for name in names}, "THREAD_DELETE"
        self._discord.gateway.dispatch(event, body, channel=place.record)

    def member(
        self, name: str, *, permissions: Iterable[str] = (), nick: str | None = None
    ) -> Person:
        """Return the member of this name; the account and membership are made if needed."""
        person = self._discord.user(name)
        member = self.record.members.get(person.id)
        if member is None:
            member = self.record.members[person.id] = Member(person.record, nick=nick)
            body = payloads.member(member, self.record) | {"guild_id": str(self.id)}
            self._discord.gateway.dispatch("GUILD_MEMBER_ADD", body, guild_id=self.id)
        if permissions:
            member.role_ids.add(self.role(f"{name}'s role", *permissions).id)
        return person

    def role(self, name: str, *names: str, mentionable: bool = False) -> Role:
        """Make a role with the named permissions."""
        value = permissions.bits(*names)
        world = self._discord.world
        role = Role(world.new_id(), name, value, len(self.record.roles), mentionable=mentionable)
        self.record.roles[role.id] = role
        body = {"guild_id": str(self.id), "role": payloads.role(role)}
        self._discord.gateway.dispatch("GUILD_ROLE_CREATE", body, guild_id=self.id)
        return role

    def forbid_bot(self, *names: str) -> None:
        """Take permissions from the bot's role in the whole guild."""
        role = self.record.roles[self.record.bot_role_id]
        role.permissions &= ~permissions.bits(*names)
        body = {"guild_id": str(self.id), "role": payloads.role(role)}
        self._discord.gateway.dispatch("GUILD_ROLE_UPDATE", body, guild_id=self.id)

    def removes_bot(self) -> None:
        """Throw the bot out (GUILD_DELETE)."""
        self._discord.world.guilds.pop(self.id, None)
        for channel in self.record.channels:
            self._discord.world.channels.pop(channel, None)
        self._discord.gateway.dispatch("GUILD_DELETE", {"id": str(self.id)}, guild_id=self.id)

    def adds_bot_again(self) -> None:
        """Take the bot back in, with all that is there (GUILD_CREATE)."""
        world = self._discord.world
        world.guilds[self.id] = self.record
        world.channels.update(self.record.channels)
        body = payloads.guild(self.record, world)
        body.pop("unavailable", None)
        self._discord.gateway.dispatch("GUILD_CREATE", body, guild_id=self.id)
