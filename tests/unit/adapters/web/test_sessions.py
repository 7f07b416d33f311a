"""The playground's conversations are few, short-lived, and hold one turn each."""

import pytest

from bot.adapters.web import sessions as sessions_module
from bot.adapters.web.sessions import IDLE_SECONDS, Sessions
from bot.errors import Busy, NotFound


class Time:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


def test_ids_are_long_and_never_alike(time: Time) -> None:
    sessions = Sessions(monotonic=time)
    idents = {sessions.open()[0] for _ in range(100)}
    assert len(idents) == 100
    assert min(map(len, idents)) >= 20


def test_an_unknown_session_is_not_found(time: Time) -> None:
    with pytest.raises(NotFound), Sessions(monotonic=time).turn("x"):
        pass


def test_a_session_holds_one_turn(time: Time) -> None:
    sessions = Sessions(monotonic=time)
    ident, _ = sessions.open()
    with sessions.turn(ident), pytest.raises(Busy), sessions.turn(ident):
        pass
    with sessions.turn(ident):
        pass


def test_turns_at_once_are_bounded(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "MAX_TURNS", 1)
    sessions = Sessions(monotonic=time)
    one, two = sessions.open()[0], sessions.open()[0]
    with sessions.turn(one), pytest.raises(Busy, match="Too many replies"), sessions.turn(two):
        pass


def test_the_longest_idle_one_makes_room(time: Time) -> None:
    sessions = Sessions(limit=2, monotonic=time)
    first, _ = sessions.open()
    time.seconds = 1
    second, _ = sessions.open()
    time.seconds = 2
    with sessions.turn(first):
        pass
    _, gone = sessions.open()
    assert gone == [second]


def test_nobody_is_put_out_in_the_middle_of_a_turn(time: Time) -> None:
    sessions = Sessions(limit=1, monotonic=time)
    ident, _ = sessions.open()
    with sessions.turn(ident), pytest.raises(Busy, match="Too many conversations"):
        sessions.open()


def test_idle_ones_go_after_their_time(time: Time) -> None:
    sessions = Sessions(monotonic=time)
    old, _ = sessions.open()
    time.seconds = IDLE_SECONDS + 1
    _, gone = sessions.open()
    assert gone == [old]
    with pytest.raises(NotFound), sessions.turn(old):
        pass
