"""Putting a new table into service: canary messages, the promotion rule, rollback.

An operator's table stands beside the shipped one, in the data directory. The file before it is
kept as `.previous`. Every step is one atomic rename, so a reader sees a whole file or the other.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bot.routing.dataset import Labelled, read_labelled
from bot.routing.evaluation import macro_f1
from bot.routing.judging import judge
from bot.routing.router import SHIPPED, Router
from bot.routing.table import read_table

_ROOT = Path(__file__).parents[1]
CANARY = Path(__file__).parent / "data" / "canary.jsonl"
"""Plain messages whose route nobody doubts, with each route and many languages among them."""
CANARY_SHARE = 0.97
FIXTURE = ("dev.jsonl", "leaving.jsonl")
"""What the promotion looks at unless told otherwise: hard enough to see a table get worse."""
LARGEST_DROP = 0.01
"""A new table may lose this much macro-F1 on the fixture, and no more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a new table may replace the one in service, with the reason."""

    promoted: bool
    reason: str
    before: float
    after: float
    """Macro-F1 on the fixture."""


def place_of(data_dir: Path) -> Path:
    """Return where an operator's own table stands."""
    return data_dir / "route.table"


def in_service(data_dir: Path) -> Path:
    """Return the table to load: the operator's own where there is one, else the shipped one."""
    own = place_of(data_dir)
    return own if own.is_file() else SHIPPED


def shipped_fixture() -> list[Labelled]:
    """Return the messages that every new table is judged on: inside a wheel, else the tests'."""
    packed = _ROOT / "_data" / "routing"
    folder = packed if packed.is_dir() else _ROOT.parent / "tests" / "fixtures" / "routing"
    return [each for name in FIXTURE for each in read_labelled(folder / name)]


def checked_router(path: Path) -> Router:
    """Return a router with a new table, for an atomic swap into service.

    Blocking: a few milliseconds. Run it off the event loop.

    Raises:
        SettingsRejected: the file is not a table of this program.
        OSError: the file can't be read.
        ValueError: the table fails the canary messages.
    """
    router = Router(read_table(path))
    judged = judge(router, read_labelled(CANARY))
    right, count = sum(each.right for each in judged), len(judged)
    if right < CANARY_SHARE * count:
        needed = ceil(CANARY_SHARE * count)
        raise ValueError(
            f"{path.name} gets {right} of {count} canary messages right, and needs {needed}"
        )
    return router


def judgement(new: Path, current: Path, fixture: Sequence[Labelled]) -> Judgement:
    """Return whether the new table may replace the current one."""
    before = macro_f1(judge(Router.load(current), fixture))
    try:
        router = checked_router(new)
    except ValueError as error:
        return Judgement(False, str(error), before, 0.0)
    after = macro_f1(judge(router, fixture))
    if after < before - LARGEST_DROP:
        return Judgement(False, f"macro-F1 falls from {before:.4f} to {after:.4f}", before, after)
    return Judgement(True, f"macro-F1 {before:.4f} → {after:.4f}", before, after)


def promote(new: Path, target: Path) -> None:
    """Put a new table in its place and keep the one before it."""
    if target.is_file():
        # A copy: there is a table in service at every moment.
        kept = target.with_name(f"{target.name}.kept")
        shutil.copyfile(target, kept)
        os.replace(kept, kept_before(target))
    os.replace(new, target)


def rollback(target: Path) -> str:
    """Bring the previous table back, and return what happened in words.

    The table that served until then is kept as `.withdrawn`. Without a previous one the shipped
    table serves again.

    Raises:
        FileNotFoundError: there is nothing to go back to.
        SettingsRejected, OSError, ValueError: the previous one would not serve; nothing is changed.
    """
    previous, withdrawn = kept_before(target), target.with_name(f"{target.name}.withdrawn")
    if os.path.lexists(previous):
        checked_router(previous)
        if target.is_file():
            shutil.copyfile(target, withdrawn)
        os.replace(previous, target)
        return f"{target} is the previous table again"
    if target.is_file():
        os.replace(target, withdrawn)
        return "the shipped table serves again"
    raise FileNotFoundError(f"no table of your own at {target}")


def kept_before(target: Path) -> Path:
    """Return where the table that served before a promotion is kept."""
    return target.with_name(f"{target.name}.previous")
