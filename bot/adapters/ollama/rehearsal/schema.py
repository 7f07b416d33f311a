"""Values that fulfil a JSON schema, chosen by a seed: what `format` asks of a model."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

MAX_DEPTH = 12
"""Deeper schemas end in null: a schema may refer to itself."""

MAX_VALUES = 2000
"""Values in one answer; the rest are null."""
MAX_ITEMS = 64
MAX_STRING = 4096

WORDS = [
    "warm",
    "quiet",
    "tea",
    "rain",
    "harbour",
    "lantern",
    "early",
    "story",
    "green",
    "stone",
    "river",
    "song",
]


def fulfil(schema: Any, seed: str, words: Sequence[str] = ()) -> Any:
    """Return a value for the schema; equal arguments give equal values.

    `schema` is Ollama's `format`: a JSON schema, or the word `json` for any object. Strings are
    built from `words`. Enums, const, required, bounds of numbers, lengths and item counts hold;
    `pattern` does not.
    """
    if not isinstance(schema, Mapping):
        return {}
    return _Filler(schema, random.Random(seed), list(words) or WORDS).value(schema, 0)


class _Filler:
    def __init__(self, root: Mapping[str, Any], rng: random.Random, words: list[str]) -> None:
        self._root = root
        self._rng = rng
        self._words = words
        self._left = MAX_VALUES

    def value(self, schema: Any, depth: int) -> Any:
        schema = self._resolved(schema)
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > MAX_DEPTH or self._left < 0:
            return None
        if "const" in schema:
            return schema["const"]
        if choices := _list(schema, "enum"):
            return self._rng.choice(choices)
        if choices := _list(schema, "anyOf") or _list(schema, "oneOf"):
            return self.value(self._rng.choice(choices), depth + 1)
        return self._typed(schema, _kind(schema), depth)

    def _typed(self, schema: Mapping[str, Any], kind: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer":
                low, high = _bounds(schema, 0, 100)
                return self._rng.randint(int(low), max(int(low), int(high)))
            case "number":
                low, high = _bounds(schema, 0.0, 1.0)
                return round(self._rng.uniform(low, high), 3)
            case "boolean":
                return self._rng.random() < 0.5
            case _:
                return None

    def _resolved(self, schema: Any) -> Any:
        for _ in range(MAX_DEPTH):
            if not (isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str)):
                return schema
            node: Any = self._root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node.get(part) if isinstance(node, Mapping) else None
            schema = node
        return None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        required = _list(schema, "required") or list(properties)
        return {
            name: self.value(inner, depth + 1)
            for name, inner in properties.items()
            if name in required or (depth < 4 and self._rng.random() < 0.5)
        }

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        least = _size(schema, "minItems", 0, MAX_ITEMS)
        most = _size(schema, "maxItems", max(least, 3), MAX_ITEMS)
        count = self._rng.randint(least, max(least, min(most, least + 2)))
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _string(self, schema: Mapping[str, Any]) -> str:
        text = " ".join(self._rng.sample(self._words, min(len(self._words), 4)))
        least = _size(schema, "minLength", 0, MAX_STRING)
        most = _size(schema, "maxLength", max(least, 200), MAX_STRING)
        while len(text) < least:
            text += " " + self._rng.choice(self._words or WORDS)
        return text[:most]


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _list(schema: Mapping[str, Any], key: str) -> list[Any]:
    found = schema.get(key)
    return found if isinstance(found, list) else []


def _size(schema: Mapping[str, Any], key: str, default: int, most: int) -> int:
    found = schema.get(key)
    return min(max(found, 0), most) if isinstance(found, int) else default


def _bounds(schema: Mapping[str, Any], low: float, high: float) -> tuple[float, float]:
    least, over = _number(schema, "minimum"), _number(schema, "exclusiveMinimum")
    most, under = _number(schema, "maximum"), _number(schema, "exclusiveMaximum")
    if least is None:
        least = low if over is None else over + 1
    if most is None:
        most = max(high, least) if under is None else under - 1
    return least, most


def _number(schema: Mapping[str, Any], key: str) -> float | None:
    found = schema.get(key)
    if isinstance(found, int | float) and abs(found) < 1e15:
        return float(found)
    return None
