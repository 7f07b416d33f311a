"""One person's data in every store: told, or removed, whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict

from bot.chat.place import UserId
from bot.errors import StoreError
from bot.memory.export import MemoryExport
from bot.ports import StrictAccess, SubjectAccess

log = structlog.get_logger(__name__)


class Requester(StrEnum):
    """Who asks for a deletion (the four of Red-DiscordBot's contract).

    `user` keeps what moderation needs: that a server bars or limits them, which their own wish must
    not lift, and that they want no memory. The other three remove everything.
    """

    DISCORD_DELETED_USER = "discord_deleted_user"
    """Discord says that the account is gone."""
    OWNER = "owner"
    """The operator."""
    USER = "user"
    USER_STRICT = "user_strict"


class Remembered(BaseModel):
    """The person's memory, as `/memory export` gives it."""

    model_config = ConfigDict(extra="forbid")

    memory: MemoryExport


class StoresExport(BaseModel):
    """What each store holds; nothing where it holds nothing."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    conversations: dict[str, Any] = {}
    """`conversations`: by place what was said, and the replies."""
    memories: Remembered | None = None
    journal: dict[str, Any] = {}
    """`accepted`: messages that wait for their answer."""
    routes: dict[str, Any] = {}
    """`pins` by server, and `corrections` of the person's messages."""
    cards: dict[str, Any] = {}
    """`cards` that the person imported: server, card, file, time."""
    bindings: dict[str, Any] = {}
    """`servers`: where admins listed the person (`allowed`, `barred`, `limit`), which stays when
    they ask for a deletion themselves; `direct_messages`: what is set in theirs."""
    replies: dict[str, Any] = {}
    """Nothing: they know of turns, not of people."""
    limits: dict[str, Any] = {}
    """Nothing: a count that is gone within minutes."""
    trends: dict[str, Any] = {}
    """`trends`: numbers of care by place, a week old at most."""
    moderation: dict[str, Any] = {}
    """`reports` that the person made."""


class PersonExport(BaseModel):
    """Everything that is stored about one person. Ids are strings."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["troupe.person/1"] = "troupe.person/1"
    person: str
    exported_at: datetime
    stores: StoresExport


async def export_person(stores: Mapping[str, SubjectAccess], person: UserId) -> PersonExport:
    """Return what each store holds about a person.

    Raises:
        StoreError: one of them is away; an export is whole or not at all.
    """
    told = {name: dict(await store.export_person(person)) for name, store in stores.items()}
    now = datetime.now(UTC).replace(microsecond=0)
    return PersonExport(
        person=str(person), exported_at=now, stores=StoresExport.model_validate(told)
    )


async def delete_person(
    stores: Mapping[str, SubjectAccess], person: UserId, requester: Requester
) -> dict[str, int]:
    """Remove a person from every store, also when one of them fails. Return counts by store.

    Raises:
        StoreError: some could not do it; the text names them. Doing it again is harmless.
    """
    counts: dict[str, int] = {}
    failed: list[str] = []
    for name, store in stores.items():
        try:
            if requester is not Requester.USER and isinstance(store, StrictAccess):
                counts[name] = await store.delete_strictly(person)
            else:
                counts[name] = await store.delete_person(person)
        except StoreError as error:
            log.warning("person not deleted", store=name, reason=str(error))
            failed.append(name)
    log.info("person deleted", requester=requester.value, counts=counts, failed=failed)
    if failed:
        raise StoreError(f"not deleted in: {', '.join(failed)}; please try again")
    return counts
