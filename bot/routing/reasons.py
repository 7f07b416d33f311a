"""Why a message took its route, in words.

A decision's reasons are English, as they are stored and as the playground shows them; `in_words`
says them in the reader's language.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from bot.languages import mark, translated
from bot.languages.catalogue import filled

PINNED: Final = mark("pinned to {route}")
CORRECTED: Final = mark("a correction sent a message {alike} like it to {route}")
DISTRESS: Final = mark("signs of distress")
CARE: Final = mark("care is in force: no story for now")
FIXED_WAITS: Final = mark("signs of distress a while ago: the {source} waits")
NOT_SURE_ENOUGH: Final = mark("signs of distress a while ago: {route} would need {share}")
ONLY_SIGNS: Final = mark("nothing but signs, and no turn before")
SIGNS_STAY: Final = mark("nothing but signs: stays {route}")
NO_TABLE: Final = mark("no route table was given")
LEAVES_SCENE: Final = mark("steps out of the scene")
IN_SCENE: Final = mark("a scene is open")
SCENE_GOES_ON: Final = mark("goes on with the scene")
TOOL: Final = mark("a creative tool was used")
CONTINUES: Final = mark("continues the previous {route} turn")
STAYS: Final = mark("{other} is not {times} times as likely as {route}, which stays")
CLOSE: Final = mark("two routes within {margin}")
TOO_LOW: Final = mark("no route reaches {share}")
EXPLICIT: Final = mark("explicit request")
MODEL_SAYS: Final = mark("the model says {route}")
MODEL_SILENT: Final = mark("no model's opinion ({failure}): safe order")

ALL: Final = (
    PINNED, CORRECTED, DISTRESS, CARE, FIXED_WAITS, NOT_SURE_ENOUGH, ONLY_SIGNS, SIGNS_STAY,
    NO_TABLE, LEAVES_SCENE, IN_SCENE, SCENE_GOES_ON, TOOL, CONTINUES, STAYS, CLOSE, TOO_LOW,
    EXPLICIT, MODEL_SAYS, MODEL_SILENT,
)  # fmt: skip


def because(source: str, /, **values: object) -> str:
    """Return one of the reasons above, its fields filled, in English."""
    return filled(source, values)


def in_words(reason: str) -> str:
    """Return a reason in the reader's language; what is wrong with a file stays as it is."""
    for source, pattern in _patterns():
        if (found := pattern.fullmatch(reason)) is not None:
            return translated(source, **found.groupdict())
    return reason


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((source, re.compile(_pattern_of(source))) for source in ALL)


def _pattern_of(source: str) -> str:
    parts = re.split(r"\{(\w+)\}", source)
    texts, fields = parts[::2], parts[1::2]
    named = [*(f"(?P<{field}>.+?)" for field in fields), ""]
    return "".join(f"{re.escape(text)}{field}" for text, field in zip(texts, named, strict=True))
