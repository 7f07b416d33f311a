"""How the process keeps its memory: little of it, and what stays in large pages."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_GLIBC: Final = "libc.so.6"
_ANOTHER_SYSTEM: Final = OSError, AttributeError
"""What says that the C library is another one, or that there is no `/proc`."""
_TRIM_THRESHOLD: Final = -1
_ARENA_MAX: Final = -8
"""Parameters of mallopt(3)."""
_YOUNG: Final = (5_000, 20, 20)
"""When the collector looks for cycles. Turns side by side have thousands of young objects, nearly
all of which are freed without it: at Python's own 700 it took 6 % of a turn."""
_KEPT_FREE: Final = 64 * 1024
"""Bytes free at the heap's top that are not given back; glibc's own value grows to megabytes."""

_DONT_NEED: Final = 4
_COLLAPSE: Final = 25
"""MADV_DONTNEED and, from Linux 6.1 on, MADV_COLLAPSE of madvise(2)."""
_LARGE: Final = 2 * 2**20
"""Bytes of a large page."""
_FULL: Final = 0.9
"""Share of a mapping in use from which it is moved: what is not in use would be from then on."""
SMAPS: Final = Path("/proc/self/smaps")
_MAPPING: Final = re.compile(
    r"^(?P<begins>[0-9a-f]+)-(?P<ends>[0-9a-f]+) r-.p \S+ \S+ \d+ +/"
    r".*(?:\.so[.\d]*|/python[.\d]*)\n(?:[A-Z].*\n)*?Anonymous: +(?P<anonymous>\d+) kB$",
    re.MULTILINE,
)
"""A mapping, not to be written, of a program or a library: it stays until the process ends."""
_OBJECTS: Final = re.compile(
    r"^(?P<begins>[0-9a-f]+)-(?P<ends>[0-9a-f]+) rw-p 00000000 00:00 0 *(?:\[heap\])?\n"
    r"(?:[A-Z].*\n)*?Rss: +(?P<used>\d+) kB$",
    re.MULTILINE,
)
"""A mapping that holds the program's objects."""


def share_one_heap() -> None:
    """Let all threads allocate from one heap. Call it before there are threads.

    Python's threads take turns anyway, and each heap of its own keeps what it once needed.
    """
    with contextlib.suppress(*_ANOTHER_SYSTEM):
        libc = ctypes.CDLL(_GLIBC)
        libc.mallopt(_ARENA_MAX, 1)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_FREE)


def settle() -> None:
    """Give what only the start needed back to the system, such as what rules were read with. Call
    it once everything is imported and opened.

    What is left lives as long as the process, so the collector need not look at it again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_YOUNG)
    with contextlib.suppress(*_ANOTHER_SYSTEM):
        libc = ctypes.CDLL(_GLIBC)
        libc.malloc_trim(0)
        _let_go_of_files(libc)
        _in_large_pages(libc)


def _let_go_of_files(libc: Any) -> None:
    """Unmap the pages of programs and libraries; the system still has those that are used again.

    Much of their code runs at the start only. See proc_pid_smaps(5): a mapping that cannot be
    written and has nothing anonymous is all the file's, so that nothing is lost.
    """
    for begins, ends in _unchanged_files(SMAPS.read_text(errors="replace")):
        libc.madvise(ctypes.c_void_p(begins), ctypes.c_size_t(ends - begins), _DONT_NEED)


def _unchanged_files(smaps: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the mappings that hold just what is in a file."""
    for found in _MAPPING.finditer(smaps):
        if found["anonymous"] == "0":
            yield int(found["begins"], 16), int(found["ends"], 16)


def _in_large_pages(libc: Any) -> None:
    """Move the program's objects into large pages, as far as the system has some to give.

    A turn comes after tens of milliseconds in which others had the processor, and finds neither
    what it needs nor where that is. Of 50 MB it takes 25 large pages to know where, or 13,000
    small ones: a turn takes 8 to 10 % less CPU so, and the process 0.4 MiB more.
    """
    for begins, ends in _objects(SMAPS.read_text(errors="replace")):
        libc.madvise(ctypes.c_void_p(begins), ctypes.c_size_t(ends - begins), _COLLAPSE)


def _objects(smaps: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the whole large pages that the program's objects fill."""
    for found in _OBJECTS.finditer(smaps):
        begins, ends = int(found["begins"], 16), int(found["ends"], 16)
        if int(found["used"]) * 1024 < _FULL * (ends - begins):
            continue
        begins, ends = -(-begins // _LARGE) * _LARGE, ends // _LARGE * _LARGE
        if begins < ends:
            yield begins, ends
