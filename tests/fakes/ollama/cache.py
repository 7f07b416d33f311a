"""A model of the prompt cache: slots with the tokens they hold, and states parked in RAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


def common_prefix(one: Sequence[str], two: Sequence[str]) -> int:
    """Return how many tokens two prompts share from the start."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(slots=True)
class Slot:
    """One sequence of a runner."""

    number: int
    tokens: list[str] = field(default_factory=list)
    busy: bool = False
    used_at: int = 0


class KvCache:
    """Chooses the free slot with the longest common prefix, and counts what is reused."""

    def __init__(self, slots: int, *, sliding_window: int = 0, ram_tokens: int = 200_000) -> None:
        self.slots = [Slot(number) for number in range(slots)]
        self._window = sliding_window
        self._ram_tokens = ram_tokens
        self._parked: list[list[str]] = []
        self._tick = 0

    def take(self, prompt: list[str]) -> tuple[Slot, int]:
        """Return a free slot, now busy, and the number of prompt tokens it need not evaluate."""
        free = [slot for slot in self.slots if not slot.busy]
        slot = max(free, key=lambda s: (common_prefix(s.tokens, prompt), -s.used_at))
        shared = common_prefix(slot.tokens, prompt)
        if slot.tokens and shared < len(slot.tokens) // 2:
            # Another conversation's state would be lost: it goes to RAM, and ours may be there.
            shared = self._swap(slot, prompt, shared)
        if self._window and len(slot.tokens) - shared > self._window:
            shared = 0
        shared = min(shared, len(prompt) - 1)  # the last token is always evaluated
        self._tick += 1
        slot.busy, slot.used_at = True, self._tick
        slot.tokens = list(prompt)
        return slot, shared

    def free(self, slot: Slot) -> None:
        slot.busy = False

    def _swap(self, slot: Slot, prompt: list[str], shared: int) -> int:
        self._parked.append(slot.tokens)
        best = max(self._parked, key=lambda tokens: common_prefix(tokens, prompt))
        if (in_ram := common_prefix(best, prompt)) > shared:
            self._parked.remove(best)
            slot.tokens, shared = best, in_ram
        while sum(map(len, self._parked)) > self._ram_tokens:
            del self._parked[0]
        return shared
