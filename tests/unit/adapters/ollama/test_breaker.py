"""The breaker: three failures, a rest, one probe."""

from __future__ import annotations

import pytest

from bot.adapters.ollama.breaker import OPEN_SECONDS, Breaker


class Bench:
    """A breaker with a clock that is turned by hand, and its state changes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.changes: list[str] = []
        self.breaker = Breaker(self.changes.append, clock=lambda: self.now, draw=lambda a, _: a)

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.breaker.begin()
            self.breaker.failed()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_two_failures_are_forgiven(bench: Bench) -> None:
    bench.fail(2)
    bench.breaker.succeeded()
    bench.fail(2)
    assert bench.breaker.admits
    assert bench.changes == []


def test_three_in_a_row_open_it(bench: Bench) -> None:
    bench.fail(3)
    assert not bench.breaker.admits
    assert bench.changes == ["open"]


def test_after_its_rest_one_probe_may_go(bench: Bench) -> None:
    bench.fail(3)
    bench.now = OPEN_SECONDS[0] + 0.1
    assert bench.breaker.admits
    assert bench.breaker.begin()
    assert not bench.breaker.admits, "one probe, not two"
    assert not bench.breaker.begin()


def test_a_good_probe_closes_it(bench: Bench) -> None:
    bench.fail(3)
    bench.now = 20
    bench.breaker.begin()
    bench.breaker.succeeded()
    assert bench.changes == ["open", "half-open", "closed"]
    bench.fail(2)
    assert bench.breaker.admits, "its failures are forgotten"


def test_a_bad_probe_opens_it_at_once(bench: Bench) -> None:
    bench.fail(3)
    bench.now = 20
    bench.breaker.begin()
    bench.breaker.failed()
    assert bench.changes == ["open", "half-open", "open"]
    assert not bench.breaker.admits


def test_a_probe_whose_person_left_frees_the_place(bench: Bench) -> None:
    bench.fail(3)
    bench.now = 20
    bench.breaker.begin()
    bench.breaker.let_go()
    assert bench.breaker.admits


def test_a_host_that_is_back_is_used_at_once_but_on_one_strike(bench: Bench) -> None:
    bench.fail(3)
    bench.breaker.recovered()
    assert bench.breaker.state == "closed"
    bench.fail(1)
    assert bench.breaker.state == "open"


def test_alone_it_rests_shortly_and_longer_after_each_bad_probe(bench: Bench) -> None:
    bench.fail(3)
    rests = []
    for _ in range(6):
        opened = bench.now
        while not bench.breaker.admits:
            bench.now += 0.5
            bench.breaker.hurry()
        rests.append(bench.now - opened)
        bench.fail(1)
    assert rests == [1, 2, 4, 8, 8, 8]
    bench.now += 8
    bench.breaker.hurry()
    bench.breaker.begin()
    bench.breaker.succeeded()
    bench.fail(3)
    bench.now += 1
    bench.breaker.hurry()
    assert bench.breaker.admits, "a good probe makes it trust again"


def test_the_rest_is_drawn_from_its_bounds() -> None:
    bounds: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    breaker = Breaker(draw=draw)
    for _ in range(3):
        breaker.failed()
    assert bounds == [(15.0, 30.0)]
