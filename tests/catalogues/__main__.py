"""Bring every catalogue up to date with the code, compile it, and say what lacks a translation."""

from __future__ import annotations

import sys

from bot.languages import LANGUAGES, SOURCE
from tests.catalogues import files
from tests.catalogues.sources import collect


def main() -> int:
    """Return 1 when something is wrong or lacks a translation."""
    collected = collect()
    for mistake in collected.mistakes:
        print(mistake)
    lacking = 0
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        catalog = files.updated(language, collected)
        path = files.path_of(language)
        path.write_bytes(files.written(catalog))
        path.with_suffix(".mo").write_bytes(files.compiled(language))
        empty = [m for m in catalog if m.id and not all(files.forms_of(m))]
        lacking += len(empty)
        print(f"{language}: {len(collected.places)} texts, {len(empty)} without a translation")
    return 1 if lacking or collected.mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
