"""The models a fake host has, and what each can do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class FakeModel:
    """One model. Models with equal `blob` and adapter share a runner, as in Ollama."""

    name: str
    capabilities: tuple[str, ...] = ("completion", "tools")
    strict: bool = False
    """The template refuses any role order but system? (user assistant)* user."""
    guard: str | None = None
    """`llama-guard3`, `granite3-guardian`, `granite3.3-guardian`, `shieldgemma` or
    `gpt-oss-safeguard`."""
    dimensions: int = 768
    context_length: int = 131_072
    sliding_window: int = 0
    """Tokens; 0 for full attention. A cached prefix further back than this can't be reused."""
    vocabulary_size: int = 128_256
    vocabulary: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    blob: str = ""
    adapter: str = ""
    system: str = ""
    parameters: dict[str, object] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return hashlib.sha256((self.blob or self.name).encode()).hexdigest()

    @property
    def runner_key(self) -> str:
        return f"{self.blob or self.name}+{self.adapter}"

    def can(self, what: str) -> bool:
        return what in self.capabilities

    def derived(self, name: str, **changes: object) -> FakeModel:
        """Return a model made from this one by /api/create: it shares the blob."""
        return replace(self, name=name, blob=self.blob or self.name, **changes)  # type: ignore[arg-type]


def guess(name: str) -> FakeModel:
    """Return a model for a name, by the families of the public library."""
    family = name.split("/")[-1]
    if "embed" in family or family.startswith("all-minilm"):
        return FakeModel(name, ("embedding",), dimensions=384 if "minilm" in family else 768)
    if family.startswith("llama-guard"):
        return FakeModel(name, ("completion",), guard="llama-guard3")
    if family.startswith("granite3.3-guardian"):
        return FakeModel(name, ("completion",), guard="granite3.3-guardian")
    if family.startswith("granite3-guardian"):
        return FakeModel(name, ("completion",), guard="granite3-guardian")
    if family.startswith("shieldgemma"):
        return FakeModel(name, ("completion",), guard="shieldgemma")
    if family.startswith("gpt-oss-safeguard"):
        return FakeModel(name, ("completion", "thinking"), guard="gpt-oss-safeguard")
    if family.startswith(("mistral", "gemma2", "qwen3.5", "strict")):
        return FakeModel(name, strict=True)
    if family.startswith(("qwen3", "deepseek-r1", "gpt-oss", "thinking")):
        return FakeModel(name, ("completion", "tools", "thinking"))
    if family.startswith("gemma3"):
        return FakeModel(name, ("completion", "vision"), sliding_window=1024)
    return FakeModel(name)


def full_name(name: str) -> str:
    """Return the name with its tag: Ollama's default tag is `latest`."""
    return name if ":" in name.split("/")[-1] else f"{name}:latest"
