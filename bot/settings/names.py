"""Names of settings: which are ours, which belong to others, and which were misspelt."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches

OLLAMA_SERVER_NAMES = frozenset(
    """OLLAMA_HOST OLLAMA_ORIGINS OLLAMA_MODELS OLLAMA_KEEP_ALIVE OLLAMA_MAX_LOADED_MODELS
    OLLAMA_MAX_QUEUE OLLAMA_DEBUG OLLAMA_FLASH_ATTENTION OLLAMA_KV_CACHE_TYPE OLLAMA_LOAD_TIMEOUT
    OLLAMA_NOHISTORY OLLAMA_NOPRUNE OLLAMA_SCHED_SPREAD OLLAMA_LLM_LIBRARY OLLAMA_GPU_OVERHEAD
    OLLAMA_CONTEXT_LENGTH OLLAMA_NEW_ENGINE OLLAMA_NO_CLOUD OLLAMA_MULTIUSER_CACHE
    OLLAMA_INTEL_GPU OLLAMA_TMPDIR OLLAMA_NEW_ESTIMATES OLLAMA_AUTH OLLAMA_EDITOR OLLAMA_REMOTES
    OLLAMA_VULKAN""".split()  # noqa: SIM905  # a list literal would take thirty lines
)
"""Variables of the Ollama server itself, which may share our environment (its docs, "FAQ")."""

SYSTEMD_NAMES = frozenset({"MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE"})
"""What systemd tells a service (systemd.exec, "Environment Variables")."""

SERVICE_LINK = re.compile(r"[A-Z]+_(?:PORT|SERVICE)(?:_.*)?")
"""What Kubernetes adds for each service, such as REDIS_PORT=tcp://10.0.0.1:6379."""

ALIKE = 0.88
"""From here on a name without a prefix of ours is taken for a misspelt one."""

NEAR = 0.5
"""The same for what follows a prefix of ours."""


def unknown_names(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Return one line for each name that has a prefix of ours, or nearly one, but is no setting."""
    prefixes = tuple({name.partition("_")[0] + "_" for name in known})
    elsewhere = OLLAMA_SERVER_NAMES | SYSTEMD_NAMES
    problems = []
    for name in sorted(given):
        upper = name.upper()
        if upper in known or upper in elsewhere:
            continue
        ours = upper.startswith(prefixes) and SERVICE_LINK.fullmatch(upper) is None
        close = get_close_matches(upper, known, n=3, cutoff=0.6 if ours else ALIKE)
        if ours:
            close = [each for each in close if _near(upper, each, known)]
        if ours or close:
            hint = f"; did you mean {close[0]}?" if close else "; unset or rename it"
            problems.append(f"{name}: unknown setting{hint}")
    return problems


def _near(given: str, name: str, known: Collection[str]) -> bool:
    """Whether a name is near without the prefix, which alone makes short ones alike; or whether
    it is the only one that has it."""
    section, _, rest = name.partition("_")
    alone = sum(each.startswith(f"{section}_") for each in known) == 1
    return alone or SequenceMatcher(None, given.partition("_")[2], rest).ratio() >= NEAR
