"""Interactions: what a person does, what the bot may answer, and until when."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.posting import Posting
from tests.fakes.discord.state import GROUP, Channel, Message, User, World
from tests.fakes.discord.validation import texts_of

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
REPLY, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, SHOW_MODAL = 4, 5, 6, 7, 8, 9


@dataclass(slots=True, eq=False)
class Interaction:
    """One interaction and everything the bot answered.

    Attributes:
        callback: type of the first answer; None while there is none.
        original: the message that `@original` stands for.
        choices: what autocomplete offered.
        modal: the modal that was opened.
        late: the bot answered after the three seconds.
        waited: seconds until the first answer.
    """

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    data: dict[str, Any]
    created_at: float
    deadline: float
    lifetime: float
    message: Message | None = None
    callback: int | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    choices: list[dict[str, Any]] | None = None
    modal: dict[str, Any] | None = None
    late: bool = False
    waited: float | None = None

    @property
    def announced(self) -> bool:
        """Whether the person still reads that an answer is coming."""
        original = self.original
        return original is not None and original.loading and original.deleted_at is None

    @property
    def response(self) -> Message | None:
        """The answer the person reads: None while it is missing or still loading."""
        return self.original if self.original and not self.original.loading else None

    @property
    def text(self) -> str:
        """The text of the answer, follow-ups included."""
        shown = [self.response, *self.followups]
        return "\n".join(message.content for message in shown if message)

    @property
    def card(self) -> str:
        """What the text displays of the answer say (components v2)."""
        shown = [self.response, *self.followups]
        return "\n".join(text for each in shown if each for text in texts_of(each.components))

    @property
    def ephemeral(self) -> bool:
        """Whether only this person sees the answer; one that was taken back does not count."""
        shown = [m for m in (self.original, *self.followups) if m and m.deleted_at is None]
        return bool(shown) and shown[0].ephemeral

    @property
    def failed(self) -> bool:
        """Whether the person reads "The application did not respond"."""
        return self.callback is None and time.monotonic() - self.created_at > self.deadline

    @property
    def expired(self) -> bool:
        """Whether the token is too old for follow-ups."""
        return time.monotonic() - self.created_at > self.lifetime


class Interactions:
    """Starts interactions and remembers them by token."""

    def __init__(self, world: World, gateway: Gateway, posting: Posting) -> None:
        self._world = world
        self._gateway = gateway
        self.posting = posting
        self.deadline = 3.0
        """Seconds for the first answer."""
        self.lifetime = 900.0
        """Seconds for which the token is good."""
        self._by_token: dict[str, Interaction] = {}

    def find(self, token: str) -> Interaction | None:
        """Return the interaction of a token."""
        return self._by_token.get(token)

    def begin(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: dict[str, Any],
        message: Message | None = None,
    ) -> Interaction:
        """Tell the bot what `user` did."""
        interaction = Interaction(
            self._world.new_id(),
            secrets.token_urlsafe(120),
            kind,
            user,
            channel,
            data,
            time.monotonic(),
            self.deadline,
            self.lifetime,
            message,
        )
        self._by_token[interaction.token] = interaction
        body = self._payload(interaction)
        self._gateway.dispatch("INTERACTION_CREATE", body, channel=channel)
        return interaction

    def metadata(self, interaction: Interaction) -> dict[str, Any]:
        """Return what an answer's message says about its interaction."""
        return {
            "id": str(interaction.id),
            "type": interaction.kind,
            "user": payloads.user(interaction.user),
            "authorizing_integration_owners": self._owners(interaction),
        }

    def _owners(self, interaction: Interaction) -> dict[str, str]:
        """Return who installed the bot: the server; the person, where the bot is no member."""
        guild = interaction.channel.guild
        abroad = guild is not None and not guild.has(self._world.bot)
        if abroad or interaction.channel.kind == GROUP:
            return {"1": str(interaction.user.id)}
        return {"0": str(guild.id) if guild else "0"}

    def _payload(self, interaction: Interaction) -> dict[str, Any]:
        channel = interaction.channel
        guild = channel.guild
        bot_may = permissions.in_channel(channel, self._world.bot)
        if guild is not None and not guild.has(self._world.bot):
            bot_may = permissions.INSTALLED_BY_PERSON
        body: dict[str, Any] = {
            "id": str(interaction.id),
            "application_id": str(self._world.application_id),
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": payloads.channel(channel) | {"permissions": str(bot_may)},
            "app_permissions": str(bot_may),
            "locale": interaction.user.locale,
            "entitlements": [],
            "authorizing_integration_owners": self._owners(interaction),
            "attachment_size_limit": 10 * 1024 * 1024,
            "context": 0 if guild else 2 if channel.kind == GROUP else 1,
        }
        if interaction.message is not None:
            body["message"] = payloads.message(interaction.message)
        if guild is None:
            return body | {"user": payloads.user(interaction.user)}
        member = payloads.resolved_member(guild, channel, interaction.user)
        return body | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.preferred_locale, "features": []},
            "guild_locale": guild.preferred_locale,
            "member": member,
        }
