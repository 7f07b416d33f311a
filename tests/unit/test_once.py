"""Values that are made when they are first asked for."""

from __future__ import annotations

from bot.once import Once


def test_it_is_made_once_and_only_when_it_is_asked_for() -> None:
    made: list[int] = []

    def make() -> None:
        made.append(1)  # None is a value, too

    once = Once(make)
    assert made == []
    assert (once(), once()) == (None, None)
    assert made == [1]
