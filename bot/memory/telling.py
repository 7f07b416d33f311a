"""A model's whole answer, within bounds of time and length."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

from bot.ports import ChatModel, ChatRequest, Piece

LONGEST: Final = 20_000
"""Characters; what asks for less is cut by `num_predict` long before."""


async def told(model: ChatModel, request: ChatRequest, timeout: float) -> str:
    """Return a model's whole answer.

    Raises:
        BackendError: it failed.
        TimeoutError: it took longer than `timeout` seconds.
        ValueError: it did not end.
    """
    pieces: list[str] = []
    length = 0
    async with asyncio.timeout(timeout), aclosing(model.stream(request)) as stream:
        async for event in stream:
            if isinstance(event, Piece):
                pieces.append(event.text)
                length += len(event.text)
                if length > LONGEST:
                    raise ValueError("the answer does not end")
    return "".join(pieces)
