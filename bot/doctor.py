"""`troupe doctor`: looks at everything Troupe needs, and says what to do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bot.adapters.discord.examine import examine_account
from bot.adapters.ollama import answers, list_models
from bot.adapters.redis import EmbeddedRedis, open_redis
from bot.adapters.redis.migrations import pending
from bot.app import read_headers
from bot.data_files import migrations_dir, personas_dir
from bot.errors import SettingsRejected, TroupeError
from bot.guardrails import Guardrails
from bot.personas import PersonaLibrary
from bot.personas.casting import load_default_cast
from bot.routing import load_profiles
from bot.settings import OllamaSettings, Settings

Finding = tuple[bool, str, str]
"""Whether it is well, what was looked at, and what was found or is to be done."""


async def examine(settings: Settings) -> int:
    """Print one line a finding. Return 0 when all is well, else 1."""
    ill = 0
    for part in (
        _personas(settings),
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
    for name in ("cast.toml", "routes.toml", "guardrails"):
        try:
            if name == "cast.toml":
                default = load_default_cast(directory / name)
                missing = sorted(set(default.cast.values()) - personas)
                if missing:
                    raise SettingsRejected([f"cast.toml: there is no persona {missing[0]!r}"])
            elif name == "routes.toml":
                load_profiles(directory / name)
            else:
                await asyncio.to_thread(Guardrails.load, directory)
        except SettingsRejected as error:
            for problem in error.problems:
                yield False, name, problem
        else:
            yield True, name, "read"


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    async with AsyncExitStack() as stack:
        try:
            if settings.redis.url is not None:
                url, kind = settings.redis.url.get_secret_value(), "Redis"
            else:
                server = EmbeddedRedis(settings.core.data_dir)
                url, kind = await server.start(), "private Redis"
                stack.push_async_callback(server.stop)
            redis = await open_redis(url)
            stack.push_async_callback(redis.aclose)
            todo = await pending(redis, migrations_dir())
        except TroupeError as error:
            yield False, "Redis", f"{error}; check REDIS_URL, or unset it for a private server"
            return
        yield True, kind, "answers"
        waiting = ", ".join(map(str, todo))
        yield True, "schema", f"to migrate at the next start: {waiting}" if todo else "up to date"


async def _ollama(ollama: OllamaSettings) -> AsyncIterator[Finding]:
    headers = read_headers(ollama.headers.get_secret_value() if ollama.headers else None)
    wanted = {ollama.model, ollama.embed_model, ollama.guard_model} - {None}
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
            names = [model.name for model in await list_models(base, headers)]
        except TroupeError as error:
            yield False, what, f"can't list its models: {error}"
            continue
        have = set(names) | {name.removesuffix(":latest") for name in names}
        for model in sorted(str(name) for name in wanted):
            if model in have:
                yield True, f"model {model}", f"on {base}"
            else:
                yield False, f"model {model}", f"not on {base}: run `ollama pull {model}`"
