"""Lines: whatever the chunks, split on \\n alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.ollama.ndjson import LineReader
from bot.errors import StreamBroken


def body() -> StreamReader:
    """Return an empty body of an open connection."""
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(asyncio.Transport())
    return StreamReader(protocol, 2**16, loop=loop)


async def read(chunks: Sequence[bytes], **limits: int) -> list[bytes]:
    """Return the lines of a body that comes in these chunks."""
    loop = asyncio.get_running_loop()
    content = body()
    reader = LineReader(content, **limits)
    found = []

    async def feed() -> None:
        for chunk in chunks:
            content.feed_data(chunk)
            await asyncio.sleep(0)
        content.feed_eof()

    feeding = asyncio.create_task(feed())
    while (line := reader.pop() or await reader.next(loop.time() + 5)) is not None:
        found.append(line)
    await feeding
    assert reader.ended
    return found


async def test_characters_that_only_look_like_line_ends_stay() -> None:
    line = "a\u0085b\u2028c\u2029d\x0be\x0cf\x1cg\rh".encode()
    assert await read([line + b"\n" + line + b"\n"]) == [line, line]


async def test_blank_lines_are_left_out() -> None:
    assert await read([b"\n\n  \n{}\n\r\n\n{}\n"]) == [b"{}", b"{}"]


async def test_a_last_line_may_lack_its_end() -> None:
    assert await read([b"one\ntw", b"o"]) == [b"one", b"two"]


async def test_nothing_is_no_line() -> None:
    assert await read([]) == []


@pytest.mark.parametrize("chunks", [[b"x" * 2000], [b"x" * 500] * 4, [b"ok\n" + b"x" * 2000]])
async def test_a_line_without_end_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(StreamBroken):
        await read([*chunks, b"x"], max_line=1000)


async def test_silence_meets_its_deadline() -> None:
    loop = asyncio.get_running_loop()
    reader = LineReader(body())
    with pytest.raises(TimeoutError):
        await reader.next(loop.time() + 0.01)


@pytest.mark.parametrize("first", [0.02, 60.0], ids=["a timer runs out", "a timer is far away"])
async def test_each_wait_has_its_own_deadline(first: float) -> None:
    loop = asyncio.get_running_loop()
    content = body()
    reader = LineReader(content)
    loop.call_soon(content.feed_data, b"one\n")
    assert await reader.next(loop.time() + first) == b"one"
    await asyncio.sleep(0.03)  # nobody waits, so nothing is late
    loop.call_later(0.03, content.feed_data, b"two\n")
    assert await reader.next(loop.time() + 60) == b"two"
    with pytest.raises(TimeoutError):
        await reader.next(loop.time() + 0.01)
    reader.close()


async def test_whoever_stops_waiting_leaves_no_deadline() -> None:
    loop = asyncio.get_running_loop()
    content = body()
    reader = LineReader(content)
    waiting = asyncio.create_task(reader.next(loop.time() + 0.01))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0.02)
    content.feed_data(b"one\n")
    assert await reader.next(loop.time() + 60) == b"one"
    reader.close()


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(
        st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
        .map(str.encode)
        .filter(lambda line: bool(line) and not line.isspace()),
        max_size=8,
    ),
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=20),
)
def test_any_chunking_gives_the_same_lines(lines: list[bytes], sizes: list[int]) -> None:
    whole, chunks, at = b"\n".join(lines) + b"\n", [], 0
    while at < len(whole):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(whole[at : at + size])
        at += size
    assert asyncio.run(read(chunks)) == lines
