"""The translators' files, read and written with Babel."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.languages.catalogue import FOLDER
from tests.catalogues.sources import Collected, Key

HEADER = """\
# Texts of Troupe's interface. The English text is the key.
# Fields such as {name} and commands such as `/memory on` stay as they are: Troupe puts the
# translated names of commands in. Names of commands and options (their context says so) are one
# lower-case word. After a change run: make catalogues"""

_DATED = tuple(
    f'"{name}'
    for name in (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Generated-By",
        "Last-Translator",
        "Language-Team",
        "Report-Msgid-Bugs-To",
        "Project-Id-Version",
    )
)
"""Header lines that say nothing here, or differ from run to run."""


def path_of(language: str) -> Path:
    return FOLDER / f"{language}.po"


def read(language: str) -> Catalog:
    """Return a language's file; an empty one when there is none."""
    path = path_of(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"))


def _empty(language: str) -> Catalog:
    return Catalog(
        locale=language.replace("-", "_"),
        project="Troupe",
        header_comment=HEADER,
        charset="utf-8",
        fuzzy=False,
    )


def key_of(message: Message) -> Key:
    ids = message.id if isinstance(message.id, tuple) else (message.id, "")
    return Key(ids[0], message.context or "", ids[1])


def forms_of(message: Message) -> tuple[str, ...]:
    """Return a message's translations: one, or one a plural form."""
    text = message.string
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


def updated(language: str, collected: Collected) -> Catalog:
    """Return a language's file with what is shown now; translations are kept, new ones empty."""
    known = {key_of(message): message for message in read(language) if message.id}
    fresh = _empty(language)
    for key in sorted(collected.places):
        old = known.get(key)
        ident: str | tuple[str, str] = (key.source, key.plural) if key.plural else key.source
        fresh.add(
            ident,
            old.string if old else None,
            locations=[(place, None) for place in sorted(collected.places[key])],
            context=key.context or None,
        )
    return fresh


def written(catalog: Catalog) -> bytes:
    """Return the translators' text of a file, without dates, so that it changes with its content
    only."""
    out = io.BytesIO()
    write_po(out, catalog, width=100, omit_header=False, sort_output=False)
    lines = out.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_DATED)).encode()


def compiled(language: str) -> bytes:
    """Return the compiled form of a language's file."""
    catalog = read(language)
    # Babel puts today's date where the file has none: equal files shall compile equally.
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()
