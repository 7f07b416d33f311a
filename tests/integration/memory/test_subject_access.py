"""A person's data in every store: told whole, removed whole."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from dataclasses import fields
from typing import get_type_hints

import pytest

from bot.adapters import redis as redis_adapters
from bot.adapters.redis import Client, RedisConversations, Sealer, connect
from bot.cli import main
from bot.errors import StoreError
from bot.opening.guarding import GuardStores
from bot.opening.stores import Stores
from bot.ports import SubjectAccess
from bot.subject_access import (
    PersonExport,
    Requester,
    StoresExport,
    delete_person,
    export_person,
)
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
    told = await export_person(stores, ANNA.id)
    assert told.stores.memories is not None
    assert told.stores.memories.memory.items[0].text == "I have a dog"
    assert "I have a dog" in json.dumps(told.stores.conversations)
    assert PersonExport.model_validate_json(told.model_dump_json()) == told
    with pytest.raises(StoreError):
        await export_person({**stores, "away": Away()}, ANNA.id)


@pytest.mark.parametrize("requester", list(Requester))
async def test_each_requester_gets_everything_removed(
    stores: dict[str, SubjectAccess], requester: Requester
) -> None:
    assert await delete_person(stores, ANNA.id, requester) == {"memories": 1, "conversations": 1}
    told = await export_person(stores, ANNA.id)
    assert "dog" not in told.model_dump_json()


async def test_a_store_that_is_away_does_not_spare_the_others(
    stores: dict[str, SubjectAccess],
) -> None:
    with pytest.raises(StoreError, match="away"):
        await delete_person({"away": Away(), **stores}, ANNA.id, Requester.USER)
    assert "dog" not in (await export_person(stores, ANNA.id)).model_dump_json()


NOT_ABOUT_PEOPLE = {
    "RedisAudit": "HMACs of texts, and no names",
    "RedisKeptPlaces": "of which servers and channels the others keep something",
    "RedisLastSeen": "how far each channel was read",
    "RedisRouteCounts": "counts",
    "RedisState": "small values of the program",
}


def test_every_store_is_asked() -> None:
    """A new store tells and forgets people, or says here why it need not."""
    kinds: set[type] = set()
    for module in pkgutil.iter_modules(redis_adapters.__path__):
        found = vars(importlib.import_module(f"{redis_adapters.__name__}.{module.name}"))
        kinds |= {
            each
            for name, each in found.items()
            if inspect.isclass(each)
            and re.fullmatch(r"Redis[A-Z]\w+", name)
            and each.__module__.startswith(redis_adapters.__name__)
        }
    hints = {**get_type_hints(Stores, localns=vars(connect)), **get_type_hints(GuardStores)}
    blank = {name: kind.__new__(kind) for name, kind in hints.items() if isinstance(kind, type)}
    guard = GuardStores(**{f.name: blank.get(f.name) for f in fields(GuardStores)})
    stores = Stores(**{**{f.name: blank.get(f.name) for f in fields(Stores)}, "guard": guard})
    asked = {type(store).__name__ for store in stores.subjects().values()}
    assert {kind.__name__ for kind in kinds} == asked | set(NOT_ABOUT_PEOPLE)
    assert set(stores.subjects()) == set(StoresExport.model_fields)


@pytest.mark.parametrize(
    "arguments",
    [
        ("delete", "--user", "7"),
        ("delete", "--user", "Anna", "--yes"),
        ("delete", "--user", "-1", "--yes"),
        ("delete", "--user", "7", "--yes", "--requester", "nobody"),
        ("export",),
        ("export", "--user", "99999999999999999999999"),
        (),
    ],
)
def test_a_wrong_call_touches_nothing(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["data", *arguments])
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_form_of_an_export_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"StoresExport", "MemoryExport", "ExportedItem"} <= set(schema["$defs"])
