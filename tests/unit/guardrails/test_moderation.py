"""What a server chooses, within the operator's bound; and a guard model that is measured."""

from __future__ import annotations

import pytest

from bot.chat.place import ChannelId, GuildId, Place
from bot.errors import StoreError
from bot.guardrails.guard_model.measured import MeasuredGuard
from bot.guardrails.guard_model.opinion import GuardAway, GuardOpinion
from bot.guardrails.moderation import FRESH, GuildPolicy, Policies, Strictness

GUILD = GuildId(7)
HERE, DM = Place(ChannelId(1), GUILD), Place(ChannelId(2))


class Store:
    """Choices as a store would hold them, and how often it was asked."""

    def __init__(self) -> None:
        self.chosen = GuildPolicy()
        self.asked = 0
        self.away = False

    async def policy(self, guild: GuildId) -> GuildPolicy:
        self.asked += 1
        if self.away:
            raise StoreError("away")
        return self.chosen

    async def choose(self, guild: GuildId, policy: GuildPolicy) -> None:
        self.chosen = policy


class Now:
    time = 100.0

    def __call__(self) -> float:
        return self.time


def policies(store: Store, least: Strictness = Strictness.NORMAL) -> tuple[Policies, Now]:
    now = Now()
    return Policies(store, least, now), now  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "least", "in_force"),
    [
        (None, Strictness.NORMAL, Strictness.NORMAL),
        (Strictness.STRICT, Strictness.NORMAL, Strictness.STRICT),
        (Strictness.NORMAL, Strictness.STRICT, Strictness.STRICT),
        (None, Strictness.STRICT, Strictness.STRICT),
    ],
)
def test_a_server_may_be_stricter_than_the_operator_never_milder(
    chosen: Strictness | None, least: Strictness, in_force: Strictness
) -> None:
    assert GuildPolicy(chosen).in_force(least) is in_force


async def test_choices_are_held_for_seconds_and_a_change_counts_at_once() -> None:
    store = Store()
    held, now = policies(store)
    assert not await held.strict(HERE)
    assert not await held.strict(HERE)
    assert store.asked == 1
    await held.choose(GUILD, GuildPolicy(Strictness.STRICT))
    assert await held.strict(HERE)
    store.chosen = GuildPolicy()  # by another process
    now.time += FRESH
    assert not await held.strict(HERE)


async def test_while_nobody_can_tell_replies_are_judged_strictly() -> None:
    store = Store()
    store.away = True
    held, now = policies(store)
    assert await held.strict(HERE)
    assert not await held.strict(DM)  # which has nothing to choose
    store.away = False
    assert not await held.strict(HERE)
    store.away, now.time = True, now.time + FRESH
    assert not await held.strict(HERE)  # what is known stays good


class Guard:
    def __init__(self, failure: Exception | None = None, cause: Exception | None = None) -> None:
        self.failure, self.cause = failure, cause

    async def opinion(self, user_text: str, draft: str | None = None) -> GuardOpinion:
        if self.failure is not None:
            raise self.failure from self.cause
        return GuardOpinion(0.25)


class Seen:
    def __init__(self) -> None:
        self.all: list[str | None] = []

    def opinion(self, seconds: float, failure: str | None = None) -> None:
        assert seconds >= 0
        self.all.append(failure)


async def test_opinions_are_passed_on_and_measured() -> None:
    seen = Seen()
    assert await MeasuredGuard(Guard(), seen).opinion("hi") == GuardOpinion(0.25)
    assert seen.all == [None]


@pytest.mark.parametrize(
    ("cause", "kind"),
    [(None, "breaker"), (TimeoutError(), "timeout"), (GuardAway("junk"), "format"),
     (StoreError("x"), "StoreError")],
)  # fmt: skip
async def test_failures_are_named_and_stay_failures(cause: Exception | None, kind: str) -> None:
    seen = Seen()
    with pytest.raises(GuardAway):
        await MeasuredGuard(Guard(GuardAway("away"), cause), seen).opinion("hi")
    assert seen.all == [kind]
