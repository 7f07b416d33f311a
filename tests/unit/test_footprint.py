"""What the process gives back once it has started, and what it must keep."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

RESIDENT = """
import hashlib, json, re, ssl
from pathlib import Path
from bot import footprint

def resident():
    return int(re.search(r"RssFile:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before = resident()
footprint.settle()
print(before - resident())
assert ssl.create_default_context() and hashlib.sha256(json.dumps([1.5]).encode()).hexdigest()
"""
CHANGED = """
import ctypes, mmap, sys
from bot import footprint

with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
mapped[:7] = b"changed"
address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), len(mapped), mmap.PROT_READ) == 0
footprint.settle()
print(mapped[:7].decode())
"""

OBJECTS = """
import re
from pathlib import Path
from bot import footprint

def large():
    smaps = Path("/proc/self/smaps").read_text()
    return sum(map(int, re.findall(r"AnonHugePages: +(\\d+)", smaps)))

kept = [{str(number): [number]} for number in range(200_000)]
before = large()
footprint.settle()
assert kept[123_456] == {"123456": [123_456]}
print(large() - before)
"""
LINUX = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def printed_by(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def test_libraries_that_only_the_start_used_are_let_go_and_still_work() -> None:
    assert int(printed_by(RESIDENT)) > 1_000


@pytest.mark.skipif(
    LINUX < (6, 1) or not LARGE_PAGES.exists(),
    reason="the system can't put memory into large pages when asked",
)
def test_what_the_start_made_is_kept_in_large_pages() -> None:
    assert int(printed_by(OBJECTS)) > 10_000


def test_what_was_changed_in_a_library_s_memory_is_kept(tmp_path: Path) -> None:
    library = tmp_path / "relocated.so"
    library.write_bytes(b"as read" + bytes(9_000))
    assert printed_by(CHANGED, str(library)) == "changed"
