"""`troupe doctor`: looks at everything Troupe needs, and says what to do."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from bot.adapters.discord.allowed.examine import examine_account
from bot.adapters.ollama import answers, model_names
from bot.adapters.redis import check_seal, look_into_database, read_sealer
from bot.adapters.redis.migrations import pending
from bot.chat.character.judge import load_judge
from bot.creative.profiles import TOOLS_FILE, open_tools
from bot.errors import MigrationError, SettingsRejected, TroupeError
from bot.files.data_files import migrations_dir, personas_dir
from bot.guardrails import Guardrails
from bot.personas import PersonaLibrary
from bot.personas.casting import load_default_cast
from bot.routing import load_profiles
from bot.routing.accurate import wants_accurate_stage
from bot.routing.checkup import looked_over
from bot.routing.model_stage import load_model_stage
from bot.routing.opening import PROFILES, own_places
from bot.settings import OllamaSettings, Settings

Finding = tuple[bool, str, str]
"""Whether it is well, what was looked at, and what was found or is to be done."""


async def examine(settings: Settings) -> int:
    """Print one line a finding. Return 0 when all is well, else 1."""
    ill = 0
    for part in (
        _personas(settings),
        _folders(settings),
        _router(settings),
        _redis(settings),
        _ollama(settings.ollama),
        examine_account(settings.discord),
    ):
        async for well, what, finding in part:
            ill += not well
            sys.stdout.write(f"{'ok  ' if well else 'FAIL'} {what}: {finding}\n")
    sys.stdout.write("all well\n" if not ill else f"{ill} to mend\n")
    return 1 if ill else 0


async def _personas(settings: Settings) -> AsyncIterator[Finding]:
    directory = settings.core.personas_dir or personas_dir()
    library = PersonaLibrary(directory)
    await asyncio.to_thread(library.load)
    for problem in library.problems:
        yield False, "persona", problem
    personas = {persona.id for persona in library.all()}
    if personas:
        yield True, "personas", f"{len(personas)} in {directory}"
    else:
        yield False, "personas", f"none in {directory}: put card files there"
    files: dict[str, Callable[[], object]] = {
        "cast.toml": lambda: load_default_cast(directory / "cast.toml", personas),
        PROFILES: lambda: _routes(directory / PROFILES),
        TOOLS_FILE: lambda: open_tools(directory),
        "guardrails": lambda: Guardrails.load(directory),
    }
    for name, read in files.items():
        try:
            await asyncio.to_thread(read)
        except SettingsRejected as error:
            for problem in error.problems:
                yield False, name, problem
        else:
            yield True, name, "read"


def _routes(file: Path) -> None:
    """Read all that a routes file holds.

    Raises:
        SettingsRejected: something of it is wrong.
    """
    for read in (load_profiles, load_model_stage, wants_accurate_stage, load_judge):
        read(file)


async def _router(settings: Settings) -> AsyncIterator[Finding]:
    directory = settings.core.personas_dir or personas_dir()
    own = own_places(settings.core.data_dir, directory)
    for finding in await asyncio.to_thread(lambda: [*looked_over(own, directory / PROFILES)]):
        yield finding


async def _folders(settings: Settings) -> AsyncIterator[Finding]:
    """Look at what lies in the data directory, without making it."""
    folder = settings.core.data_dir
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield False, "data directory", f"{there} can't be written to: set DATA_DIR to another"
    elif there == folder:
        yield True, "data directory", str(folder)
    else:
        yield True, "data directory", f"{folder}, to be made at the first start"
    try:
        sealer = await asyncio.to_thread(read_sealer, settings.core.key_text, folder)
    except SettingsRejected as error:
        yield False, "encryption keys", error.problems[0]
        return
    if settings.core.key_text:
        yield True, "encryption keys", "from ENCRYPTION_KEYS"
    elif sealer is not None:
        yield True, "encryption keys", "from the key file in DATA_DIR: keep a copy elsewhere"
    else:
        yield True, "encryption keys", "a key file is made in DATA_DIR at the first start"


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    url, folder = settings.redis.address, settings.core.data_dir
    kind = "Redis" if url else "private Redis"
    async with AsyncExitStack() as stack:
        try:
            redis = await look_into_database(url, folder, stack)
            todo = await pending(redis, migrations_dir())
        except MigrationError as error:
            yield True, kind, "answers"
            yield False, "schema", str(error)
            return
        except TroupeError as error:
            yield False, kind, str(error)
            return
        yield True, kind, "answers"
        waiting = ", ".join(map(str, todo))
        yield True, "schema", f"to migrate at the next start: {waiting}" if todo else "up to date"
        try:
            sealer = await asyncio.to_thread(read_sealer, settings.core.key_text, folder)
            if sealer is not None:
                await check_seal(redis, sealer, only_look=True)
                yield True, "stored records", "open with these keys"
        except SettingsRejected:
            pass  # said already
        except TroupeError as error:
            yield False, "stored records", str(error)


async def _ollama(ollama: OllamaSettings) -> AsyncIterator[Finding]:
    headers = ollama.header_values
    for base in ollama.bases:
        what = f"Ollama at {base}"
        if not await answers(base, headers):
            if ollama.hosts_configured:
                yield False, what, "does not answer: start it, or correct OLLAMA_HOSTS"
            else:
                yield True, what, "does not answer: the rehearsal stand-in will reply"
            continue
        yield True, what, "answers"
        try:
            names = await model_names(base, headers)
        except TroupeError as error:
            yield False, what, f"can't list its models: {error}"
            continue
        have = set(names) | {name.removesuffix(":latest") for name in names}
        for model, setting in ollama.wanted_models.items():
            if model in have:
                yield True, f"model {model}", f"on {base}"
            else:
                advice = f"run `troupe pull`, or change {setting}"
                yield False, f"model {model}", f"not on {base}: {advice}"
