"""Which host takes a request."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.ollama.placement import Candidate, choose


def host(base: str, outstanding: int = 0, **more: object) -> Candidate:
    return Candidate(base, outstanding, limit=2, **more)  # type: ignore[arg-type]


def preferred(affinity: str, *bases: str) -> str:
    found = choose([host(base) for base in bases], affinity)
    assert found is not None
    return found


def test_nobody_there() -> None:
    assert choose([]) is None


def test_equal_conversations_go_to_equal_hosts_in_any_order() -> None:
    assert preferred("p", "a", "b", "c") == preferred("p", "c", "a", "b")


def test_conversations_spread_evenly() -> None:
    counts = Counter(preferred(f"p{n}", "a", "b", "c", "d") for n in range(1000))
    assert min(counts.values()) > 180


def test_a_new_host_moves_only_its_share() -> None:
    before = [preferred(f"p{n}", "a", "b", "c") for n in range(600)]
    after = [preferred(f"p{n}", "a", "b", "c", "d") for n in range(600)]
    moved = [(x, y) for x, y in zip(before, after, strict=True) if x != y]
    assert all(y == "d" for _, y in moved)
    assert 90 < len(moved) < 220


def test_a_full_host_gives_way_to_a_free_one() -> None:
    first = preferred("p", "a", "b")
    second = "b" if first == "a" else "a"
    assert choose([host(first, 2), host(second, 1)], "p") == second


def test_when_all_are_full_nobody_gets_much_more_than_a_share() -> None:
    first = preferred("p", "a", "b")
    second = "b" if first == "a" else "a"
    assert choose([host(first, 4), host(second, 4)], "p") == first
    assert choose([host(first, 7), host(second, 3)], "p") == second


def test_without_a_conversation_the_least_busy_is_taken() -> None:
    assert choose([host("a", 1), host("b", 0)]) == "b"


def test_a_tie_goes_to_the_host_that_has_the_model_loaded() -> None:
    assert choose([host("a"), host("b", loaded=True)]) == "b"


def test_a_worse_tier_is_used_only_when_there_is_no_better() -> None:
    assert choose([host("a", 2), host("b", 0, tier=1)], "p") == "a"
    assert choose([host("b", 0, tier=1)], "p") == "b"


@settings(max_examples=100, deadline=None)
@given(
    loads=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=6),
    affinity=st.text(max_size=8),
)
def test_somebody_of_the_best_tier_is_always_chosen(
    loads: list[tuple[int, int]], affinity: str
) -> None:
    hosts = [host(f"h{n}", load, tier=tier) for n, (load, tier) in enumerate(loads)]
    chosen = choose(hosts, affinity)
    best = min(tier for _, tier in loads)
    assert chosen in {h.base for h in hosts if h.tier == best}
