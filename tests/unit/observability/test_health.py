"""Health: what counts for alive, what for ready, and how old each word is."""

import pytest

from bot.observability import Health


class Time:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def health(time: Time) -> Health:
    health = Health(time)
    health.expect("loop", live=True, stale_after=10, ok=True, reason="running")
    health.expect("gateway")
    health.expect("redis", stale_after=30)
    return health


def test_nothing_reported_is_alive_but_not_ready(health: Health) -> None:
    assert health.live().ok
    assert not health.ready().ok
    reasons = {check.name: check.reason for check in health.ready().checks}
    assert reasons["gateway"] == "not reported yet"


def test_ready_when_every_check_is_good(health: Health) -> None:
    health.report("gateway", True, "connected, 40 ms")
    health.report("redis", True)
    assert health.ready().ok


def test_a_lost_gateway_is_not_ready_but_needs_no_restart(health: Health) -> None:
    health.report("redis", True)
    health.report("gateway", False, "resuming")
    assert not health.ready().ok
    assert health.live().ok


def test_a_silent_check_goes_bad_with_its_last_reason(health: Health, time: Time) -> None:
    health.report("loop", True, "running")
    time.seconds += 11
    (loop,) = health.live().checks
    assert not loop.ok
    assert loop.reason == "silent for 11 s; last: running"
    assert loop.age == 11


def test_draining_is_not_ready_and_still_alive(health: Health) -> None:
    health.report("gateway", True)
    health.report("redis", True)
    health.drain()
    assert not health.ready().ok
    assert health.live().ok
    assert health.ready().checks[-1].reason == "draining: no new turns"


def test_an_undeclared_check_is_a_bug(health: Health) -> None:
    with pytest.raises(KeyError):
        health.report("gatway", True)


def test_the_answer_as_json(health: Health, time: Time) -> None:
    health.report("redis", False, "r" * 1000)
    time.seconds += 2.25
    answer = health.ready().to_json()
    assert answer["ok"] is False
    redis = next(check for check in answer["checks"] if check["name"] == "redis")
    assert redis == {"name": "redis", "ok": False, "reason": "r" * 200, "age_seconds": 2.2}
