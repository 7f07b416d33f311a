"""numpy, brought in with the first memory that is opened: 11 MiB where nobody may have one."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
else:

    class _Late:
        """Stands for numpy; what was asked for once is found as quickly as in a module."""

        def __getattr__(self, name: str) -> Any:
            value = getattr(importlib.import_module("numpy"), name)
            setattr(self, name, value)
            return value

    np = _Late()

__all__ = ["np", "ready"]

_there = False


async def ready() -> None:
    """Bring numpy in beside the loop, which it would hold up for a tenth of a second."""
    global _there  # the modules of a process are global as well
    if not _there:
        await asyncio.to_thread(importlib.import_module, "numpy")
        _there = True
