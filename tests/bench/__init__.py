"""Benchmarks behind `python -m bot bench`: they print figures and assert nothing about time."""

from __future__ import annotations

import json
from collections.abc import Sequence

import uvloop

from bot.observability import LogOutput
from tests.bench.scenes import SCENES
from tests.bench.table import Figures, as_table


async def _measured(name: str) -> Figures:
    return await SCENES[name]()


def run_scenes(names: Sequence[str], *, as_json: bool = False) -> int:
    """Run the named scenes, or all, and print what was measured. Return 0, or 2 for a bad name."""
    unknown = [name for name in names if name not in SCENES]
    if unknown:
        print(f"bench: no scene {unknown[0]!r}; there are {', '.join(SCENES)}")
        return 2
    measured = {}
    for name in names or SCENES:
        with LogOutput("ERROR"):
            measured[name] = uvloop.run(_measured(name))
        if not as_json:
            print(as_table(name, measured[name]), flush=True)
    if as_json:
        print(json.dumps(measured, indent=2))
    return 0
