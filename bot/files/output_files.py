"""Where a command will write: looked at before the work, not after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bot.errors import InputRejected


def make_ready(file: Path) -> None:
    """Make the folder of a file that will be written, and make sure that it can be.

    Raises:
        InputRejected: it can't.
    """
    if file.is_dir():
        raise InputRejected([f"{file}: is a folder, not a file"])
    make_ready_folder(file.parent)
    if file.exists() and not os.access(file, os.W_OK):
        raise InputRejected([f"{file}: may not be written"])


def make_ready_folder(folder: Path) -> None:
    """Make a folder in which files will be written, and make sure that they can be.

    Raises:
        InputRejected: they can't.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputRejected([f"{folder}: {error.strerror or type(error).__name__}"]) from error
