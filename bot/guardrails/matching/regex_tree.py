"""Python's own parse tree of a pattern. `re` keeps it private; there is no other reader of it."""

from __future__ import annotations

from re import _constants as op  # type: ignore[attr-defined]  # private: typeshed has no stub
from re import _parser as parser  # type: ignore[attr-defined]  # the same
from typing import Any

Node = tuple[Any, Any]
"""A kind of `op`, and what it holds."""

__all__ = ["Node", "op", "parser"]
