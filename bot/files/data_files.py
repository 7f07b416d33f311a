"""Where the files that ship with Troupe lie: in the wheel's package data, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from bot.errors import TroupeError

_PACKAGE = Path(__file__).resolve().parents[1]


def migrations_dir() -> Path:
    """Return the folder of numbered changes of the Redis schema.

    Raises:
        TroupeError: the installation is incomplete.
    """
    return _folder("migrations")


def personas_dir() -> Path:
    """Return the folder of the shipped cards, route profiles and the constitution.

    Raises:
        TroupeError: the installation is incomplete.
    """
    return _folder("personas")


def _folder(name: str) -> Path:
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise TroupeError(f"the folder {name} is missing: install Troupe again")
