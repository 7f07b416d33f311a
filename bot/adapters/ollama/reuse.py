"""How much of a prompt the host's cache saved, learnt from what it reports.

`prompt_eval_count` counts cached and evaluated tokens, `prompt_eval_duration` only the time of
evaluated ones. What a token costs cold is learnt as a slowly fading maximum.
"""

from __future__ import annotations

from bot.ports import Finished

LEAST_TOKENS = 64
"""Shorter prompts are all overhead, and say nothing about the cost of a token."""
FADE = 0.02


class ReuseEstimator:
    """Cold seconds a prompt token, for each host and model."""

    def __init__(self, keep: int = 256) -> None:
        self._cold: dict[tuple[str, str], float] = {}
        self._keep = keep

    def estimate(self, finished: Finished) -> float | None:
        """Return the share of the prompt that was cached, 0 to 1, and learn from it.

        None when the prompt is too short to tell, and for the first one of a host and model.
        """
        if finished.prompt_tokens < LEAST_TOKENS:
            return None
        key = (finished.backend, finished.model)
        cost = finished.prompt_eval / finished.prompt_tokens
        cold = self._cold.get(key)
        if cold is None:
            if len(self._cold) >= self._keep:
                self._cold.pop(next(iter(self._cold)))
            if cost > 0:
                self._cold[key] = cost
            return None
        self._cold[key] = max(cost, cold - FADE * (cold - cost))
        return min(1.0, max(0.0, 1.0 - cost / cold))
