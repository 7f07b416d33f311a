"""One person's data in every store: told, or removed, whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import structlog

from bot.chat.place import UserId
from bot.errors import StoreError
from bot.ports import SubjectAccess

log = structlog.get_logger(__name__)


class Requester(StrEnum):
    """Who asks for a deletion (the four of Red-DiscordBot's contract).

    All four remove everything: nothing that is stored about a person serves anybody else.
    """

    DISCORD_DELETED_USER = "discord_deleted_user"
    """Discord says that the account is gone."""
    OWNER = "owner"
    """The operator."""
    USER = "user"
    USER_STRICT = "user_strict"


async def export_person(stores: Mapping[str, SubjectAccess], person: UserId) -> dict[str, Any]:
    """Return what each store holds about a person, by the store's name.

    Raises:
        StoreError: one of them is away; an export is whole or not at all.
    """
    return {name: dict(await store.export_person(person)) for name, store in stores.items()}


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
            counts[name] = await store.delete_person(person)
        except StoreError as error:
            log.warning("person not deleted", store=name, reason=str(error))
            failed.append(name)
    log.info("person deleted", requester=requester.value, counts=counts, failed=failed)
    if failed:
        raise StoreError(f"not deleted in: {', '.join(failed)}; please try again")
    return counts
