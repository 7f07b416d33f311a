"""`troupe pull`: fetches the models that the settings name onto every host that lacks them."""

from __future__ import annotations

import sys

from bot.adapters.ollama import model_names
from bot.adapters.ollama.pull import Progress, pull
from bot.errors import BackendError
from bot.settings import OllamaSettings

MEGABYTE = 1_000_000


async def pull_missing(ollama: OllamaSettings) -> int:
    """Print what is done. Return 0 when every host has every model in the end, else 1."""
    failed = 0
    for base in ollama.bases:
        try:
            have = set(await model_names(base, ollama.header_values))
        except BackendError as error:
            failed += 1
            sys.stdout.write(f"FAIL {base}: {error}; start it, or correct OLLAMA_HOSTS\n")
            continue
        have |= {name.removesuffix(":latest") for name in have}
        for model in ollama.wanted_models:
            if model in have:
                sys.stdout.write(f"ok   {model}: on {base}\n")
            else:
                failed += not await _pulled(base, model, ollama)
    return 1 if failed else 0


async def _pulled(base: str, model: str, ollama: OllamaSettings) -> bool:
    last = ""
    try:
        async for progress in pull(base, model, ollama.header_values):
            line = _line(progress)
            if line != last:
                sys.stdout.write(f"     {model}: {line}\n")
                last = line
    except BackendError as error:
        sys.stdout.write(f"FAIL {model}: {error}\n")
        return False
    sys.stdout.write(f"ok   {model}: fetched to {base}\n")
    return True


def _line(progress: Progress) -> str:
    """Return a step in words; of bytes only every tenth part, so that logs stay short."""
    if not progress.total:
        return progress.step
    tenth = 10 * progress.done // progress.total
    return f"{progress.step}, {10 * tenth} % of {progress.total / MEGABYTE:,.0f} MB"
