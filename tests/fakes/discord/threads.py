"""Threads, with or without a message they start from."""

from __future__ import annotations

from tests.fakes.discord import payloads
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.state import (
    HAS_THREAD,
    PUBLIC_THREAD,
    Channel,
    Message,
    Revision,
    User,
    World,
)


class Threads:
    """Starts threads and announces them."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def start(
        self,
        parent: Channel,
        name: str,
        owner: User,
        *,
        kind: int = PUBLIC_THREAD,
        starter: Message | None = None,
    ) -> Channel:
        """Open a thread.

        From a message, the thread takes the message's id, and the message is repeated inside
        as a second MESSAGE_CREATE whose id is the thread's.
        """
        ident = starter.id if starter else self._world.new_id()
        thread = Channel(
            ident, kind, name, parent.guild, parent, nsfw=parent.nsfw, owner_id=owner.id
        )
        self._world.add_channel(thread)
        body = payloads.channel(thread) | {"newly_created": True}
        self._gateway.dispatch("THREAD_CREATE", body, channel=thread)
        if starter is not None:
            starter.thread = thread
            starter.flags |= HAS_THREAD
            update = payloads.message_event(starter)
            self._gateway.dispatch("MESSAGE_UPDATE", update, channel=parent, message=True)
            self._repeat(starter, thread)
        self._world.changed()
        return thread

    def archive(self, thread: Channel, *, archived: bool) -> None:
        """Close a thread, or open it again, and announce that."""
        thread.archived = archived
        self._gateway.dispatch("THREAD_UPDATE", payloads.channel(thread), channel=thread)
        self._world.changed()

    def _repeat(self, starter: Message, thread: Channel) -> None:
        copy = Message(
            id=starter.id,
            channel=thread,
            author=starter.author,
            content=starter.content,
            created_at=starter.created_at,
            embeds=starter.embeds,
            attachments=starter.attachments,
            mentions=starter.mentions,
            webhook_id=starter.webhook_id,
            application_id=starter.application_id,
            edits=[Revision(starter.created_at, starter.content)],
        )
        thread.messages[copy.id] = copy
        event = payloads.message_event(copy)
        self._gateway.dispatch("MESSAGE_CREATE", event, channel=thread, message=True)
