"""Who plays which route where: reading and changing bindings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from bot.chat.place import GuildId, Place
from bot.errors import InvalidChoice, NotAllowed, NotFound, SettingsRejected
from bot.files.operator_files import read_tables
from bot.personas.binding import (
    Binding,
    BindingLevel,
    BindingTarget,
    ResolvedBinding,
    TriggerMode,
    resolve,
    targets_of,
)
from bot.personas.persona import Persona, slug
from bot.ports import BindingStore
from bot.recent import Recent
from bot.routing.route import Route

MAX_WORDS = 10
MAX_WORD_LENGTH = 32
MAX_SCENE = 8
"""Personas that may share a place."""
_KEPT = 2000
"""Places whose binding is not worked out anew each time it is asked for."""


class _Resolved(NamedTuple):
    """What is in force at a place, and what it was worked out from."""

    targets: tuple[BindingTarget, ...]
    found: Mapping[BindingTarget, Binding]
    binding: ResolvedBinding


class Personas(Protocol):
    """What casting needs of the library."""

    def get(self, id: str, guild: GuildId | None = None) -> Persona: ...

    def all(self, guild: GuildId | None = None) -> tuple[Persona, ...]: ...


class Casting:
    """Bindings by place, and the changes that commands make to them.

    Changes are written at the level that the caller names; by default the thread or channel.
    """

    def __init__(
        self,
        bindings: BindingStore,
        personas: Personas,
        default: Binding,
        *,
        ready: Callable[[GuildId | None], Awaitable[None]] | None = None,
    ) -> None:
        """`ready` brings a guild's own personas into service."""
        self._bindings = bindings
        self._personas = personas
        self._default = default
        self._ready = ready
        self._resolved = Recent[tuple[int | None, ...], _Resolved](_KEPT)
        self._editing = asyncio.Lock()
        """Of two changes at once each would keep its own alone."""

    async def ready(self, guild: GuildId | None) -> None:
        """Make sure that a guild's own personas are in service.

        Raises:
            StoreError: they can't be read.
        """
        if self._ready is not None:
            await self._ready(guild)

    async def resolved(self, place: Place) -> ResolvedBinding:
        """Return the binding in force at a place, its personas in service."""
        await self.ready(place.guild)
        where = (place.guild, place.category, place.parent, place.channel)  # channels are moved
        held = self._resolved.get(where)
        targets = targets_of(place) if held is None else held.targets
        found = await self._bindings.get(targets)
        if held is None or held.found != found:
            held = _Resolved(targets, found, resolve(place, found, self._default))
            self._resolved[where] = held
        return held.binding

    def unbound(self, place: Place) -> ResolvedBinding:
        """Return what holds at a place where nothing is set, or nothing can be read."""
        return resolve(place, {}, self._default)

    def player(self, binding: ResolvedBinding, route: Route, guild: GuildId | None) -> Persona:
        """Return the persona for a route; the default's when the bound one is gone."""
        try:
            return self._personas.get(binding.cast[route], guild)
        except NotFound:
            return self._personas.get(self._default.cast[route])

    async def author(self, id: str, route: Route, place: Place) -> Persona:
        """Return the persona that wrote a stored reply; who plays its route if it is gone."""
        binding = await self.resolved(place)
        try:
            return self._personas.get(id, place.guild)
        except NotFound:
            return self.player(binding, route, place.guild)

    def scene(self, binding: ResolvedBinding, place: Place) -> tuple[Persona, ...]:
        """Return the personas that share a place; none unless there are two that may play."""
        members = []
        for id in binding.scene:
            try:
                persona = self._personas.get(id, place.guild)
            except NotFound:
                continue
            if place.age_restricted or not persona.adult:
                members.append(persona)
        return tuple(members) if len(members) > 1 else ()

    def persona(self, name: str, guild: GuildId | None) -> Persona:
        """Find a persona by id or display name, in any case.

        Raises:
            NotFound: with the names that come close.
        """
        wanted, known = name.strip().casefold(), self._personas.all(guild)
        for persona in known:
            if wanted in (persona.id.casefold(), persona.name.casefold()):
                return persona
        id = slug(name)  # keyboards compose letters differently: é, or e and a mark
        for persona in known:
            if persona.id == id:
                return persona
        return self._personas.get(name.strip(), guild)

    async def switch(
        self, place: Place, name: str, *, level: BindingLevel | None = None
    ) -> Persona:
        """Let one persona play every route here, and end a scene.

        Raises:
            NotFound: there is none of this name.
            NotAllowed: it is for adults, and the place is not.
        """
        await self.ready(place.guild)
        persona = self.persona(name, place.guild)
        self._check_fit(persona, place, level)
        cast = dict.fromkeys(Route, persona.id)
        if (await self.resolved(place)).scene:
            await self.change(place, level, cast=cast, scene=())
        else:
            await self.change(place, level, cast=cast)
        return persona

    async def cast(
        self, place: Place, names: Mapping[Route, str], *, level: BindingLevel | None = None
    ) -> Mapping[Route, Persona]:
        """Set who plays the given routes here; the others stay as they are."""
        if not names:
            raise InvalidChoice("Name a persona for at least one route.")
        await self.ready(place.guild)
        chosen = {route: self.persona(name, place.guild) for route, name in names.items()}
        for persona in chosen.values():
            self._check_fit(persona, place, level)
        players = {route: persona.id for route, persona in chosen.items()}
        await self.edit(place, level, lambda now: replace(now, cast={**now.cast, **players}))
        return chosen

    async def set_mode(
        self, place: Place, mode: TriggerMode, *, level: BindingLevel | None = None
    ) -> None:
        """Set when the bot answers here."""
        await self.change(place, level, mode=mode)

    async def set_words(
        self, place: Place, words: tuple[str, ...], *, level: BindingLevel | None = None
    ) -> None:
        """Set the trigger words here."""
        await self.change(place, level, words=checked_words(words))

    async def set_model(
        self, place: Place, model: str | None, *, level: BindingLevel | None = None
    ) -> None:
        """Set, or with None inherit, the model here."""
        await self.change(place, level, model=model)

    async def add_to_scene(
        self, place: Place, name: str, *, level: BindingLevel | None = None
    ) -> Persona:
        """Let a persona share this place with those that are there.

        Raises:
            NotFound: there is none of this name.
            NotAllowed: it is for adults, and the place is not.
            InvalidChoice: the scene is full.
        """
        await self.ready(place.guild)
        persona = self.persona(name, place.guild)
        self._check_fit(persona, place, level)
        inherited = (await self.resolved(place)).scene

        def joined(now: Binding) -> Binding:
            members = now.scene if now.scene is not None else inherited
            if persona.id in members:
                return now
            if len(members) >= MAX_SCENE:
                raise InvalidChoice("A scene has room for {most} personas.", most=MAX_SCENE)
            return replace(now, scene=(*members, persona.id))

        await self.edit(place, level, joined)
        return persona

    async def remove_from_scene(
        self, place: Place, name: str, *, level: BindingLevel | None = None
    ) -> str:
        """Take a persona out of the scene here. Return its id.

        Raises:
            NotFound: it is not in the scene.
        """
        await self.ready(place.guild)
        inherited = (await self.resolved(place)).scene
        try:
            id = self.persona(name, place.guild).id
        except NotFound:
            id = name.strip()  # a card that was removed can still be taken out

        def left(now: Binding) -> Binding:
            members = now.scene if now.scene is not None else inherited
            if id not in members:
                raise NotFound(
                    "{name} is not in the scene here. See `/channel scene list`.",
                    name=repr(name[:64]),
                )
            return replace(now, scene=tuple(each for each in members if each != id))

        await self.edit(place, level, left)
        return id

    async def unbind(self, place: Place, *, level: BindingLevel | None = None) -> bool:
        """Remove what is set here. False when nothing was."""
        return await self.edit(place, level, lambda _: Binding())

    async def reset_cast(self, place: Place, *, level: BindingLevel | None = None) -> bool:
        """Let cast and scene be inherited again. False when none was set here."""
        return await self.edit(place, level, lambda now: replace(now, cast={}, scene=None))

    def _check_fit(self, persona: Persona, place: Place, level: BindingLevel | None) -> None:
        check_place(persona, place)
        near = (BindingLevel.THREAD, BindingLevel.CHANNEL)
        if persona.adult and self._target(place, level).level not in near:
            raise NotAllowed(
                "{name} is for adults, so it can't be bound to a whole category or "
                "server. Bind it to each age-restricted channel.",
                name=persona.name,
            )

    async def change(self, place: Place, level: BindingLevel | None, **values: object) -> None:
        """Change fields of what is set at a level, by name; the caller has checked them."""
        await self.edit(place, level, lambda now: replace(now, **values))  # type: ignore[arg-type]  # by name

    async def edit(
        self, place: Place, level: BindingLevel | None, edited: Callable[[Binding], Binding]
    ) -> bool:
        """Change what is set at a level; False when it was so before. `edited` gets what is there.

        Changes of one process wait for each other; a server's commands all come to one.
        """
        target = self._target(place, level)
        async with self._editing:
            before = await self._own(target)
            after = edited(before)
            await self._bindings.put(target, None if after == Binding() else after)
        return after != before

    async def own(self, place: Place, level: BindingLevel | None = None) -> Binding:
        """Return what is set at a level itself; nothing is inherited."""
        return await self._own(self._target(place, level))

    async def _own(self, target: BindingTarget) -> Binding:
        return (await self._bindings.get([target])).get(target, Binding())

    @staticmethod
    def _target(place: Place, level: BindingLevel | None) -> BindingTarget:
        """Return what a change is attached to.

        Raises:
            InvalidChoice: this place has no such level, for example a category.
        """
        targets = targets_of(place)
        if level is None:
            return targets[0]
        for target in targets:
            if target.level is level:
                return target
        raise InvalidChoice("There is no {level} to set this for here.", level=level.value)


def checked_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return trigger words, each once.

    Raises:
        InvalidChoice: too many of them, or one that is too long.
    """
    cleaned = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if len(cleaned) > MAX_WORDS or any(len(word) > MAX_WORD_LENGTH for word in cleaned):
        raise InvalidChoice(
            "At most {most} trigger words of {length} characters each.",
            most=MAX_WORDS,
            length=MAX_WORD_LENGTH,
        )
    return cleaned


def check_place(persona: Persona, place: Place) -> None:
    """Make sure that a persona may play at a place.

    Raises:
        NotAllowed: its card is tagged as not safe for work, and the place is not age-restricted.
    """
    if persona.adult and not place.age_restricted:
        raise NotAllowed(
            "{name} is for adults: it plays in age-restricted channels only. An "
            "admin can change that under Edit Channel → Overview → Age-Restricted "
            "Channel, or choose another persona with `/persona switch`.",
            name=persona.name,
        )


def load_default_cast(path: Path, known: Collection[str]) -> Binding:
    """Read `cast.toml`: a persona id for each route, used where nothing is bound.

    `known` are the ids of the personas that there are.

    Raises:
        SettingsRejected: the file is missing, or does not name one of these for each route.
    """
    content = read_tables(path)
    problems = [
        f"{path.name}: unknown route {name!r}" for name in content if name not in set(Route)
    ]
    for route in Route:
        named = content.get(route.value)
        if not isinstance(named, str) or not named.strip():
            problems.append(f"{path.name}: {route} must name a persona")
        elif named not in known:
            problems.append(f"{path.name}: there is no persona {named!r}")
    if problems:
        raise SettingsRejected(problems)
    return Binding(cast={route: content[route.value] for route in Route}, mode=TriggerMode.MENTION)
