"""How little memory the process keeps: glibc's allocator told to share, and to give back."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Iterator
from typing import Any, Final

_TRIM_THRESHOLD: Final = -1
_ARENA_MAX: Final = -8
"""Parameters of mallopt(3)."""
_YOUNG: Final = (5_000, 20, 20)
"""When the collector looks for cycles. Turns side by side have thousands of young objects, nearly
all of which are freed without it: at Python's own 700 it took 6 % of a turn."""
_KEPT_FREE: Final = 64 * 1024
"""Bytes free at the heap's top that are not given back; glibc's own value grows to megabytes."""


def share_one_heap() -> None:
    """Let all threads allocate from one heap. Call it before there are threads.

    Python's threads take turns anyway, and each heap of its own keeps what it once needed.
    """
    with _glibc() as libc:
        libc.mallopt(_ARENA_MAX, 1)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_FREE)


def settle() -> None:
    """Give what only the start needed back to the system, such as what rules were read with.

    What is left lives as long as the process, so the collector need not look at it again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_YOUNG)
    with _glibc() as libc:
        libc.malloc_trim(0)


@contextlib.contextmanager
def _glibc() -> Iterator[Any]:
    """Yield the C library; where it is another one, what it lacks is left out."""
    with contextlib.suppress(OSError, AttributeError):
        yield ctypes.CDLL("libc.so.6")
