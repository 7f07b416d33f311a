"""From a press of Stop to the moment in which the Ollama host sees its client leave."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.table import Figures
from tests.e2e.troupe import opened
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of

STOPS = 20
WORDS = " ".join(f"This is sentence number {number}." for number in range(500))


async def stopping() -> Figures:
    """20 replies stopped while they are written: the press's event → the host is free, ms."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), fresh=True, ollama={"rate": 40.0}) as scene:
            stage = scene.channel()
            scene.ollama.reply_with(WORDS)
            for _ in range(STOPS):
                alice = scene.person()
                asked = await stage.says(alice, "talk without end", mention_bot=True)
                reply = await stage.next_reply(asked, timeout=30, quiet=0)
                record = scene.ollama.chats[-1]
                pressed = time.time()
                await alice.click(reply, _stop(reply))
                await scene.troupe.over(asked)
                assert record.finished_at is not None
                seconds.append(record.finished_at - pressed)
    ordered = sorted(seconds)
    return {
        "stops": STOPS,
        "press → host free, p50 ms": 1000 * statistics.median(ordered),
        "press → host free, max ms": 1000 * ordered[-1],
    }


def _stop(reply: Message) -> str:
    found = [str(part.get("custom_id")) for part in components_of(reply.components)]
    stops = [ident for ident in found if ident.startswith("reply:stop:")]
    assert stops, f"no Stop under {reply.content[:80]!r}, only {found}"
    return stops[0]
