"""A guard model behind the same pool as the others: cached, bounded, and failing closed."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing

from bot.errors import BackendError, SettingsRejected
from bot.guardrails.guard_model.guard_formats import RISKS, Format, Granite, format_of
from bot.guardrails.guard_model.opinion import GuardAway, GuardOpinion
from bot.ports import ChatMessage, ChatModel, ChatRequest, Finished, TokenProbability

TIMEOUT = 1.5
"""Seconds for one opinion (guardrails reference, "Failure policy")."""
SLOW_TIMEOUT = 8.0
"""Seconds for a model that reasons first."""
CACHED = 2048
BREAK_AFTER = 4
"""Failures in a row that open the breaker."""
BREAK_FOR = 20.0
"""Seconds that it stays open; then one request tries again."""
KNOWN = "llama-guard3, granite3-guardian, granite3.3-guardian, shieldgemma, gpt-oss-safeguard"
MAX_ANSWER = 400
"""Characters; a guard that says more is not answering in its format."""


class OllamaGuard:
    """One guard model. `latency` is told the seconds of each opinion that was asked for."""

    def __init__(
        self,
        model: ChatModel,
        name: str,
        *,
        timeout: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises SettingsRejected for a name of no known family."""
        found = format_of(name)
        if found is None:
            raise SettingsRejected(
                [f"OLLAMA_GUARD_MODEL: {name} is no known guard model; known are {KNOWN}"]
            )
        self._format: Format = found
        self._model, self._name = model, name
        self._slow = "safeguard" in name
        self._timeout = timeout or (SLOW_TIMEOUT if self._slow else TIMEOUT)
        self._monotonic = monotonic
        self._cache: OrderedDict[bytes, GuardOpinion] = OrderedDict()
        self._failures = 0
        self._open_until = 0.0
        self._trying = False
        """Whether the one request is under way that tries again after the breaker was open."""

    @property
    def available(self) -> bool:
        """Whether the breaker lets a request through, for `/guard status`."""
        return self._monotonic() >= self._open_until

    async def opinion(self, user_text: str, draft: str | None = None) -> GuardOpinion:
        """Return an opinion on the bare message, or on a draft that answers it.

        Raises:
            GuardAway: too slow, unreachable, not in its format, or the breaker is open.
        """
        key = hashlib.blake2b(
            f"{len(user_text)}:{user_text}\0{draft}".encode("utf-8", "replace"), digest_size=16
        ).digest()
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if not self.available or self._trying:
            raise GuardAway("the breaker is open")
        tries = self._trying = self._failures >= BREAK_AFTER
        try:
            async with asyncio.timeout(self._timeout):
                opinion = await self._ask(user_text, draft)
        except (BackendError, TimeoutError, GuardAway) as error:
            self._failed()
            raise GuardAway(str(error) or "timed out") from error
        finally:
            if tries:
                self._trying = False
        self._failures = 0
        self._cache[key] = opinion
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return opinion

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= BREAK_AFTER:
            self._open_until = self._monotonic() + BREAK_FOR

    async def _ask(self, user_text: str, draft: str | None) -> GuardOpinion:
        conversations = self._format.messages(user_text, draft)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._guarded(messages)) for messages in conversations]
        answers = [task.result() for task in tasks]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        opinions = [answer for answer in answers if isinstance(answer, GuardOpinion)]
        if isinstance(self._format, Granite):
            opinions = [
                GuardOpinion(one.unsafe, (category,) if category and one.unsafe else ())
                for one, (_, category) in zip(opinions, RISKS, strict=True)
            ]
        return max(opinions, key=lambda one: one.unsafe)

    async def _guarded(
        self, messages: tuple[ChatMessage, ...]
    ) -> GuardOpinion | BackendError | GuardAway:
        """Ask, and return a failure as a value, so that the group does not wrap it."""
        try:
            return await self._one(messages)
        except (BackendError, GuardAway) as error:
            return error

    async def _one(self, messages: tuple[ChatMessage, ...]) -> GuardOpinion:
        request = ChatRequest(
            model=self._name,
            messages=messages,
            options={"temperature": 0, "seed": 0, "num_predict": 512 if self._slow else 16},
            affinity="guardrails",
            think="low" if self._slow else None,
            logprobs=5,
            first_token_timeout=self._timeout,
        )
        text = ""
        tokens: list[TokenProbability] = []
        async with aclosing(self._model.stream(request)) as stream:
            async for item in stream:
                if isinstance(item, Finished):
                    break
                text += item.text
                tokens += item.logprobs
                if len(text) > MAX_ANSWER:
                    raise GuardAway("the guard model talks on and on")
        return self._format.read(text, tokens)
