"""Bodies of /api/tags and /api/show."""

from __future__ import annotations

from typing import Any

from tests.fakes.ollama.catalogue import FakeModel
from tests.fakes.ollama.tokens import tokenize


def details(model: FakeModel) -> dict[str, Any]:
    family = model.name.split(":")[0].split("/")[-1]
    return {
        "parent_model": model.blob,
        "format": "gguf",
        "family": family,
        "families": [family],
        "parameter_size": "3.2B",
        "quantization_level": "Q4_K_M",
    }


def tag_entry(name: str, model: FakeModel) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-01-01T00:00:00Z",
        "size": 2_000_000_000,
        "digest": model.digest,
        "details": details(model),
    }


def show_body(model: FakeModel, *, verbose: bool) -> dict[str, Any]:
    family = details(model)["family"]
    info: dict[str, Any] = {
        "general.architecture": family,
        "general.parameter_count": 3_212_749_888,
        f"{family}.context_length": model.context_length,
        f"{family}.embedding_length": model.dimensions,
        f"{family}.vocab_size": model.vocabulary_size,
    }
    if verbose:
        info["tokenizer.ggml.model"] = "gpt2"
        words = sorted(set(tokenize(f"{model.name} the quick brown fox")))
        info["tokenizer.ggml.tokens"] = list(model.vocabulary) or words
        info["tokenizer.ggml.merges"] = list(model.merges) or ["t h", "th e"]
    return {
        "modelfile": f"FROM {model.name}",
        "parameters": "\n".join(f"{k} {v}" for k, v in model.parameters.items()),
        "template": "{{ .System }}{{ .Prompt }}",
        "system": model.system,
        "details": details(model),
        "model_info": info,
        "capabilities": list(model.capabilities),
        "modified_at": "2026-01-01T00:00:00Z",
    }
