"""A dictionary with room for the latest values only."""

from __future__ import annotations

from bot.recent import Recent


def test_the_oldest_goes_when_there_is_no_room() -> None:
    kept = Recent[str, int](2)
    for number, name in enumerate("abc"):
        kept[name] = number
    assert dict(kept) == {"b": 1, "c": 2}


def test_what_is_written_again_is_the_latest() -> None:
    kept = Recent[str, int](2)
    for number, name in enumerate("abac"):
        kept[name] = number
    assert dict(kept) == {"a": 2, "c": 3}
