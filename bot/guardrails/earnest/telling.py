"""How a message tells: inside a story or out of it, of long ago or of now."""

from __future__ import annotations

from bot.guardrails.earnest.signs import sign

FICTION = sign("fiction")
OUT_OF_STORY = sign("out_of_story")
LONG_AGO = sign("long_ago")
STILL = sign("still")
TASK = sign("task")
OTHERS = sign("others")
FIRST_PERSON = sign("first_person")
SINCERE = sign("sincere")
SWORN = sign("sworn")
FOR_USE = sign("for_use")
