"""What `troupe doctor` looks at of the router: the tables that may serve, and the encoder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bot.errors import SettingsRejected
from bot.routing.accurate import SHIPPED_ENCODER, ready_encoder, wants_accurate_stage
from bot.routing.promotion import checked_router
from bot.routing.router import SHIPPED

_AGAIN = "install the program again"


def looked_over(
    own: list[Path], profiles: Path, *, shipped: Path = SHIPPED, encoder: Path = SHIPPED_ENCODER
) -> Iterator[tuple[bool, str, str]]:
    """Yield for each part whether it is well, what it is, and what was found or is to be done.

    Blocking: use a thread.

    Args:
        own: where an operator's tables may stand.
        profiles: the route profiles' file, which may switch the encoder on.
        shipped: the table that comes with the program.
        encoder: the weights that come with the program.
    """
    remedies = {
        file: f"train another, `troupe route rollback`, or remove {file}"
        for file in own
        if os.path.lexists(file)
    }
    for file, remedy in {**remedies, shipped: _AGAIN}.items():
        problem = _problem_of(file)
        yield problem is None, "route table", f"{problem}: {remedy}" if problem else str(file)
    try:
        if not wants_accurate_stage(profiles):
            return
    except SettingsRejected:
        return  # said of the file
    try:
        ready_encoder(encoder)
    except SettingsRejected as error:
        advice = f"{_AGAIN}, or take [accurate_stage] out of {profiles.name}"
        yield False, "route encoder", f"{error.problems[0]}: {advice}"
    else:
        yield True, "route encoder", "reads"


def _problem_of(file: Path) -> str | None:
    try:
        checked_router(file)
    except OSError as error:
        return f"{file}: {error.strerror or type(error).__name__}"
    except (SettingsRejected, ValueError) as error:
        return str(error)
    return None
