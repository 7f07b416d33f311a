"""Inclusion groups: of the entries that share a group only one goes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.prompting.lore.candidates import Candidate

Score = Callable[[Candidate], int]


def choose(
    new: Sequence[Candidate],
    active: Iterable[Candidate],
    *,
    is_sticky: Callable[[Candidate], bool],
    score: Score,
    scoring: bool,
    chance: Callable[[], float],
) -> list[Candidate]:
    """Return the new entries that remain, in their order.

    In a group sticky entries win together; a group that is already represented takes nobody; then
    the score decides if it counts, an override by the highest order, else chance by weight.
    """
    groups: dict[str, list[Candidate]] = {}
    for each in new:
        for group in each.entry.groups:
            groups.setdefault(group, []).append(each)
    if not groups:
        return list(new)
    removed: set[int] = set()
    taken = {group for each in active for group in each.entry.groups}
    for group, members in groups.items():
        if any(map(is_sticky, members)):
            losers = [each for each in members if not is_sticky(each)]
        else:
            present = [each for each in members if each.number not in removed]
            losers = _losers(present, group in taken, score, scoring, chance)
        removed.update(each.number for each in losers)
    return [each for each in new if each.number not in removed]


def _losers(
    members: list[Candidate],
    taken: bool,
    score: Score,
    scoring: bool,
    chance: Callable[[], float],
) -> list[Candidate]:
    if taken:
        return members
    left = _best_scored(members, score, scoring)
    if len(left) > 1:
        overriding = [each for each in left if each.entry.group_override]
        winner = (
            max(overriding, key=lambda each: each.entry.order)
            if overriding
            else _drawn(left, chance)
        )
        left = [winner]
    return [each for each in members if each not in left]


def _best_scored(members: list[Candidate], score: Score, scoring: bool) -> list[Candidate]:
    """Return those with the most matched keys, and those whose score does not count."""
    if len(members) < 2 or not (scoring or any(each.entry.group_scoring for each in members)):
        return members
    scores = [score(each) for each in members]
    best = max(scores)
    return [
        each
        for each, points in zip(members, scores, strict=True)
        if points == best
        or not (scoring if each.entry.group_scoring is None else each.entry.group_scoring)
    ]


def _drawn(members: list[Candidate], chance: Callable[[], float]) -> Candidate:
    total = sum(each.entry.group_weight for each in members)
    roll, passed = chance() * total, 0.0
    for each in members:
        passed += each.entry.group_weight
        if roll <= passed and each.entry.group_weight > 0:
            return each
    return members[0]
