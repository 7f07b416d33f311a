"""Fetching a model onto a host, with Ollama's own client; no reply waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.errors import BackendError, BackendUnavailable

SILENT: Final = 120.0
"""Seconds without a word from the host after which it is given up; it checks large files alone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A step that the host tells of. `done` and `total` are bytes; 0: not known."""

    step: str
    done: int
    total: int


async def pull(base: str, model: str, headers: Mapping[str, str]) -> AsyncIterator[Progress]:
    """Fetch a model onto a host; what it fetched stays there when this is cancelled.

    Raises:
        BackendUnavailable: the host does not answer, or fell silent.
        BackendError: it can't fetch the model.
    """
    import httpx  # both late: megabytes that a running bot does without
    import ollama

    client = ollama.AsyncClient(host=base, headers=dict(headers), timeout=SILENT)
    try:
        async for told in await client.pull(model, stream=True):
            yield Progress(told.status or "", told.completed or 0, told.total or 0)
    except ollama.ResponseError as error:
        raise BackendError(f"{model}: {error.error[:300]}", backend=base) from error
    except (ConnectionError, httpx.HTTPError) as error:
        raise BackendUnavailable(f"{base} does not answer", backend=base) from error
    except ValueError as error:  # what it says is no JSON, or of another shape
        raise BackendError(f"{base} says what no Ollama says", backend=base) from error
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # theirs lacks the hint
