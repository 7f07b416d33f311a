"""What an operator takes out of the stores, or removes, from the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bot import __version__
from bot.adapters.redis.rewriting import write_anew
from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.observability import Metrics
from bot.opening.stores import open_stores
from bot.settings import Settings
from bot.subject_access import Requester, delete_person, export_person

OK, FAILED = 0, 1


async def export_corrections(settings: Settings, guild: int, out: Path) -> int:
    """Write the corrections of a guild whose texts are kept, as JSON lines, and say how many."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, Metrics(__version__), stack)
        place = Place(ChannelId(guild), GuildId(guild))
        found = await stores.routes.corrections(place)
    lines = [
        json.dumps({"text": each.text, "label": each.label.value, "kind": "correction"})
        for each in found
        if each.text
    ]
    if not await _written(out, "".join(f"{line}\n" for line in lines)):
        return FAILED
    rest = len(found) - len(lines)
    hint = f"; {rest} without their text: see /route keep-text" if rest else ""
    sys.stdout.write(f"{len(lines)} corrections written to {out}{hint}\n")
    return OK


async def export_data(settings: Settings, person: int, out: Path | None) -> int:
    """Write everything that is stored about a person, as one JSON value."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, Metrics(__version__), stack)
        told = await export_person(stores.subjects(), UserId(person))
    text = told.model_dump_json(indent=1) + "\n"
    if out is None:
        sys.stdout.write(text)
        return OK
    if not await _written(out, text):
        return FAILED
    sys.stdout.write(f"everything about {person} written to {out}\n")
    return OK


async def delete_data(settings: Settings, person: int, requester: Requester) -> int:
    """Remove everything that is stored about a person, and say what that was."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, Metrics(__version__), stack)
        counts = await delete_person(stores.subjects(), UserId(person), requester)
        if stores.private:
            await write_anew(stores.redis)
    sys.stdout.write(json.dumps({"person": str(person), "removed": counts}) + "\n")
    return OK


async def show_reports(settings: Settings, guild: int | None, count: int, *, as_json: bool) -> int:
    """Print what people reported about replies in a server, or in direct messages."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, Metrics(__version__), stack)
        where = None if guild is None else GuildId(guild)
        found = await stores.guard.moderation.reports(where, count)
    for each in found:
        if as_json:
            sys.stdout.write(json.dumps({"guild": guild, **asdict(each)}) + "\n")
            continue
        when = datetime.fromtimestamp(each.at, UTC).isoformat(" ", "minutes")
        sys.stdout.write(
            f"{when}  https://discord.com/channels/{guild or '@me'}/{each.channel}/{each.message}\n"
            f"    by {each.reporter}: {_harmless(each.reason) or '(no reason given)'}\n"
        )
    if not found and not as_json:
        sys.stdout.write("no reports\n")
    return OK


def _harmless(text: str) -> str:
    """Return a stranger's text without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)


async def _written(path: Path, text: str) -> bool:
    try:
        await asyncio.to_thread(_write_private, path, text)
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror or type(error).__name__}\n")
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    """Write what people said into a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
