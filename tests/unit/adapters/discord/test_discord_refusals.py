"""What a failed call means for a reply, and for the channel."""

from __future__ import annotations

import discord
import pytest

from bot.adapters.discord.calling.refusals import Mutes, delivery_error
from bot.errors import DeliveryDelayed, PermissionMissing


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), discord.RateLimited(90.0)]
)
def test_an_outage_only_delays_a_reply(error: Exception) -> None:
    assert type(delivery_error(error)) is DeliveryDelayed


def test_a_delivery_error_stays_what_it_is() -> None:
    error = PermissionMissing("x", permission="Embed Links")
    assert delivery_error(error) is error


def test_a_muted_channel_says_what_it_lacks_until_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("bot.adapters.discord.calling.refusals.time.monotonic", lambda: now)
    mutes = Mutes(60.0)
    mutes.mute(1, "Send Messages")
    assert mutes.missing(1) == "Send Messages"
    assert mutes.missing(2) is None
    now += 61
    assert mutes.missing(1) is None


def test_a_mute_can_be_lifted() -> None:
    mutes = Mutes()
    mutes.mute(1, "Send Messages")
    mutes.lift(1)
    assert mutes.missing(1) is None


def test_mutes_are_bounded() -> None:
    mutes = Mutes()
    for channel in range(3000):
        mutes.mute(channel, "Send Messages")
    assert sum(mutes.missing(channel) is not None for channel in range(3000)) == 1000
