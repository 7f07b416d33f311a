"""A person's data in every store: told whole, removed whole."""

from __future__ import annotations

import json

import pytest

from bot.adapters.redis import Client, RedisConversations, Sealer
from bot.errors import StoreError
from bot.memory.subject_access import Requester, delete_person, export_person
from bot.ports import SubjectAccess
from tests.integration.memory.conftest import ANNA, HERE, Company
from tests.integration.redis.values import exchange, said


class Away(SubjectAccess):
    """A store that is away."""

    async def delete_person(self, person: object) -> int:
        raise StoreError("away")

    async def export_person(self, person: object) -> dict[str, object]:
        raise StoreError("away")


@pytest.fixture
async def stores(company: Company, redis: Client, sealer: Sealer) -> dict[str, SubjectAccess]:
    conversations = RedisConversations(redis, sealer)
    await conversations.record(HERE, exchange(7, said(7, "I have a dog", ANNA)))
    await company.agrees()
    await company.says("I have a dog")
    return {"memories": company.store, "conversations": conversations}


async def test_an_export_is_json_and_whole(stores: dict[str, SubjectAccess]) -> None:
    told = json.loads(json.dumps(await export_person(stores, ANNA.id)))
    assert told["memories"]["memory"]["items"][0]["text"] == "I have a dog"
    assert "I have a dog" in json.dumps(told["conversations"])
    with pytest.raises(StoreError):
        await export_person({**stores, "away": Away()}, ANNA.id)


@pytest.mark.parametrize("requester", list(Requester))
async def test_each_requester_gets_everything_removed(
    stores: dict[str, SubjectAccess], requester: Requester
) -> None:
    assert await delete_person(stores, ANNA.id, requester) == {"memories": 1, "conversations": 1}
    told = await export_person(stores, ANNA.id)
    assert "dog" not in json.dumps(told)


async def test_a_store_that_is_away_does_not_spare_the_others(
    stores: dict[str, SubjectAccess],
) -> None:
    with pytest.raises(StoreError, match="away"):
        await delete_person({"away": Away(), **stores}, ANNA.id, Requester.USER)
    assert "dog" not in json.dumps(await export_person(stores, ANNA.id))
