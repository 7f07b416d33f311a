"""What is asked of language models: to write, to choose, to embed, to tell about themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message for the model. `images` are base64 strings."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A generation. Load-time options (num_ctx) belong to the adapter, one value per model."""

    model: str
    messages: tuple[ChatMessage, ...]
    options: Mapping[str, float | int | list[str]] = field(default_factory=dict)
    """Sampling options by Ollama's names, with `num_predict` and `stop`."""
    format: Mapping[str, Any] | None = None
    """A JSON schema that the reply must fulfil."""
    affinity: str = ""
    """Conversation key: requests with equal keys prefer the same host and its prompt cache."""
    num_keep: int | None = None
    """Tokens of the system message, kept by Ollama should it ever cut the prompt."""
    think: Literal["low"] | None = None
    """How much a model reasons that can't answer without; None: no model is to reason."""
    logprobs: int = 0
    """How many top log-probabilities to ask for with each token; 0 for none."""
    first_token_timeout: float | None = None
    """Seconds, in place of the setting's value."""


@dataclass(frozen=True, slots=True)
class TokenProbability:
    """A token and its natural log-probability, with its alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a reply. `thinking` is never shown."""

    text: str = ""
    thinking: str = ""
    logprobs: tuple[TokenProbability, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a stream. Durations are in seconds; counts are tokens."""

    reason: Literal["stop", "length"]
    backend: str
    model: str
    prompt_tokens: int
    """Cached and evaluated together, as Ollama counts."""
    reply_tokens: int
    total: float
    load: float
    prompt_eval: float
    eval: float

    @property
    def slot_wait(self) -> float:
        """Return the seconds spent waiting for a slot of the host."""
        return max(0.0, self.total - self.load - self.prompt_eval - self.eval)


class ChatModel(Protocol):
    """A language model behind one or more hosts."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Yield pieces, then exactly one `Finished`.

        An async generator: use it within `contextlib.aclosing`; closing it, or cancelling the
        task, closes the connection so that the host stops generating. Another host is tried
        only before the first piece.

        Raises:
            BackendError: one of its kinds; see `bot.errors`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Choices:
    """A text to be sorted into one of some choices, each with what it stands for."""

    model: str
    text: str
    instructions: str
    criteria: Mapping[str, str]


class Classifier(Protocol):
    """Sorts a text where a host has a route of its own for that."""

    async def shares(self, choices: Choices, *, timeout: float) -> Mapping[str, float] | None:
        """Return a probability for each choice; None where no host offers it for the model.

        Raises:
            BackendError: a host failed, answered something else, or not in `timeout` seconds.
        """
        ...


class ModelFacts(Protocol):
    """What is known about the models behind the hosts."""

    async def is_loading(self, model: str, affinity: str) -> bool:
        """Whether a request with this affinity waits for its host to load the model. Asks the
        host; False when nobody knows. Never raises."""
        ...

    async def sees(self, model: str) -> bool:
        """Whether a model takes pictures; False when nobody knows. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Unit vectors, in the order of the texts. `space` is `model@dimensions`."""

    space: str
    vectors: tuple[tuple[float, ...], ...]


class Embedder(Protocol):
    """Turns texts into vectors."""

    async def embed(self, texts: Sequence[str], *, timeout: float) -> Embeddings:
        """Return one vector a text.

        Raises:
            BackendError: no host answered within `timeout` seconds.
        """
        ...
