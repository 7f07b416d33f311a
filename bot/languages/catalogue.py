"""Catalogues: gettext's format, one file a language, read when somebody first needs it.

`catalogues/*.po` are what translators edit; the `.mo` beside each is compiled from it by
`make catalogues`, and a test fails when the two differ.
"""

from __future__ import annotations

import gettext
import re
import struct
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

SOURCE = "en"
LANGUAGES = (SOURCE, "de", "es", "fr", "pt-BR", "ja")
"""Languages of the interface, by Discord's codes where it has one."""
FOLDER = Path(__file__).resolve().parent / "catalogues"
_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_COMMAND = re.compile(r"(?<=`/)[a-z][a-z-]*(?: [a-z][a-z-]*)*")
_BY_PRIMARY = {language.partition("-")[0]: language for language in LANGUAGES}


@lru_cache(maxsize=128)
def language_for(locale: str | None) -> str:
    """Return the interface's language for a locale such as `es-419` or `pt`; English if none."""
    primary = (locale or "").replace("_", "-").partition("-")[0].lower()
    return _BY_PRIMARY.get(primary, SOURCE)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return a language's catalogue; an empty one for the source, and where a file is broken."""
    if language == SOURCE:
        return gettext.NullTranslations()
    try:
        with (FOLDER / f"{language}.mo").open("rb") as file:
            return gettext.GNUTranslations(file)
    except (OSError, ValueError, LookupError, struct.error) as error:
        log.warning("no translations", language=language, reason=type(error).__name__)
        return gettext.NullTranslations()


def let_go_of_catalogues() -> None:
    """Let all catalogues go, which take 1 MB: who speaks one of the languages has it read again."""
    catalogue.cache_clear()


def lookup(language: str, source: str, context: str | None = None) -> str:
    """Return the translation of a text, or the text itself. `context` tells equal words apart."""
    if not source:
        return ""  # gettext keeps its header under the empty text
    if context is None:
        return _with_command_names(language, catalogue(language).gettext(source))
    return catalogue(language).pgettext(context, source)


def lookup_plural(language: str, one: str, many: str, count: int) -> str:
    """Return the form of a text that fits a count, by the language's own rule."""
    return _with_command_names(language, catalogue(language).ngettext(one, many, count))


def _with_command_names(language: str, text: str) -> str:
    """Put a command's translated names where a text says `/command subcommand`.

    Catalogues keep the English names in their texts, so that they can't come apart from what
    Discord shows.
    """
    if language == SOURCE or "`/" not in text:
        return text
    names = catalogue(language)
    return _COMMAND.sub(
        lambda found: " ".join(names.pgettext("command", word) for word in found[0].split(" ")),
        text,
    )


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a text with its `{name}` fields filled. Values are data: they are not looked into."""
    return _FIELD.sub(lambda found: str(values.get(found.group(1), found.group())), text)


def fields_of(text: str) -> frozenset[str]:
    """Return the names of a text's fields."""
    return frozenset(_FIELD.findall(text))
