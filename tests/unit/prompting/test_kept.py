"""What is made once and kept, as long as there is room for it."""

from __future__ import annotations

import threading

from bot.prompting.kept import Kept


def made(kept: Kept[str, str], key: str, value: str = "") -> bool:
    """Ask for a value; return whether it had to be made."""
    asked: list[str] = []

    def make() -> str:
        asked.append(key)
        return value

    kept.get(key, make)
    return bool(asked)


def test_a_value_is_made_once() -> None:
    kept: Kept[str, str] = Kept(10, len)
    assert [made(kept, "a"), made(kept, "a")] == [True, False]


def test_those_that_were_not_asked_for_longest_make_room_by_their_size() -> None:
    kept: Kept[str, str] = Kept(10, len)
    for key, size in (("a", 4), ("b", 4), ("a", 4), ("c", 6)):
        made(kept, key, "x" * size)
    assert [made(kept, key) for key in ("a", "c")] == [False, False]
    assert made(kept, "b")


def test_one_that_is_larger_than_all_room_stays_alone() -> None:
    kept: Kept[str, str] = Kept(10, len)
    made(kept, "a", "x")
    made(kept, "b", "x" * 99)
    assert not made(kept, "b")
    assert made(kept, "a")


def test_two_threads_get_the_same_value() -> None:
    kept: Kept[str, object] = Kept(10, lambda _: 1)
    both, got = threading.Barrier(2), []

    def make() -> object:
        both.wait(5)
        return object()

    threads = [threading.Thread(target=lambda: got.append(kept.get("a", make))) for _ in "ab"]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert got[0] is got[1]
