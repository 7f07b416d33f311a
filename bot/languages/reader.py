"""Who reads: the language of the person for whom something is being done.

It belongs to the task, like the turn's id in the log. The Discord client sets it for every
interaction, the turn's runner for every turn; outside of both it is English.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bot.languages.catalogue import SOURCE, filled, language_for, lookup, lookup_plural

_reader: ContextVar[str] = ContextVar("reader", default=SOURCE)


def reader_language() -> str:
    """Return the language in which `t` speaks now."""
    return _reader.get()


@contextmanager
def reading(locale: str | None) -> Iterator[None]:
    """Let `t` speak the language of a locale inside, and in tasks that are begun there."""
    token = _reader.set(language_for(locale))
    try:
        yield
    finally:
        _reader.reset(token)


def t(source: str, /, **values: object) -> str:
    """Return a text in the reader's language, its `{name}` fields filled with `values`.

    `source` must be a literal: the catalogues are collected from the code.
    """
    return translated(source, **values)


def translated(source: str, /, **values: object) -> str:
    """Return what `t` would, for a source that was marked elsewhere."""
    return filled(lookup(_reader.get(), source), values)


def mark(source: str, /) -> str:
    """Return a text unchanged. Its being here puts it into the catalogues, for `translated`."""
    return source


def tn(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the form of a text for `count`, which also fills the field `{count}`."""
    text = lookup_plural(_reader.get(), one, many, count)
    return filled(text, {"count": count, **values})
