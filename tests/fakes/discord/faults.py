"""Failures on demand, chosen by route."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.discord.call import Call

_PARAMETER = re.compile(r"\{[^}]*\}")


@dataclass(slots=True, eq=False)
class Fault:
    """What happens to the next `times` matching calls.

    Attributes:
        route: "METHOD /template" with any names in the braces, or with real ids; "*" as the
            method, and "*" alone for every call.
        status: answer with it; None lets the call through (after `delay`).
        code: Discord's error code in the body.
        performed: do the work first, then answer with `status` all the same.
        abort: cut the connection instead of answering.
        delay: seconds to wait before anything else.
        when: look closer at the call; in-process only.
        hits: how often it happened.
    """

    route: str
    times: int = 1
    status: int | None = None
    code: int = 0
    performed: bool = False
    abort: bool = False
    delay: float = 0.0
    when: Callable[[Call], bool] | None = None
    hits: int = 0

    def matches(self, call: Call) -> bool:
        """Whether this call is meant and some of `times` are left."""
        if self.hits >= self.times:
            return False
        if self.route != "*":
            method, _, path = self.route.partition(" ")
            if method not in ("*", call.method):
                return False
            if path != call.path and _anonymous(path) != _anonymous(call.template):
                return False
        return self.when is None or self.when(call)


def _anonymous(template: str) -> str:
    return _PARAMETER.sub("{}", template)


class Faults:
    """The failures that are planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Plan a failure."""
        self._planned.append(fault)
        return fault

    def take(self, call: Call) -> Fault | None:
        """Return the failure that this call meets."""
        for fault in self._planned:
            if fault.matches(call):
                fault.hits += 1
                if fault.hits >= fault.times:
                    self._planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget what is planned."""
        self._planned.clear()
