"""An operator's file that changes: taken whole, or refused with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.files.operator_files import Tables
from bot.files.operator_watch import OperatorFile
from bot.routing.profiles import RouteProfile, load_profiles
from bot.routing.route import Route

SHIPPED = Path(__file__).parents[3] / "personas" / "routes.toml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    copy = tmp_path / "routes.toml"
    copy.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


class Serving:
    """Profiles in service, and what was told of their file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.profiles: Tables[Route, RouteProfile] = Tables(load_profiles(file))
        self.told: list[tuple[str, bool]] = []
        self.watched = OperatorFile(file, on_reload=lambda name, ok: self.told.append((name, ok)))

    def read(self) -> Callable[[], None]:
        found = load_profiles(self.file)
        return lambda: self.profiles.adopt(found)

    async def look(self) -> bool:
        return await self.watched.look(self.read)

    def write(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        changed = self.file.with_suffix(".new")
        changed.write_text(text.replace(old, new), encoding="utf-8")
        os.replace(changed, self.file)

    @property
    def heat(self) -> float:
        return self.profiles[Route.CREATIVE].options["temperature"]


async def test_a_changed_file_is_taken_and_an_unchanged_one_is_not_read(file: Path) -> None:
    serving = Serving(file)
    assert not await serving.look()
    serving.write("temperature = 1.0", "temperature = 1.5")
    assert await serving.look()
    assert serving.heat == 1.5
    assert not await serving.look()
    assert serving.told == [("routes.toml", True)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("temperature = 1.0", "temperature = 9.0"),
        ("[creative]", "[creativ]"),
        ('guard = "normal"', "guard = 3"),
        ("[factual]", "[[factual"),
    ],
)
async def test_a_wrong_file_leaves_the_last_good_one_in_force(
    file: Path, old: str, new: str
) -> None:
    serving = Serving(file)
    before = dict(serving.profiles)
    serving.write(old, new)
    assert not await serving.look()
    assert not await serving.look()
    assert dict(serving.profiles) == before
    assert serving.told == [("routes.toml", False)], "said once"
    serving.write(new, old)
    assert await serving.look()


async def test_a_file_that_is_gone_changes_nothing(file: Path) -> None:
    serving = Serving(file)
    file.unlink()
    assert not await serving.look()
    assert len(serving.profiles) == len(Route)
    assert serving.told == [("routes.toml", False)]


async def test_what_changed_before_the_first_reading_is_read_again(file: Path) -> None:
    serving = Serving(file)
    serving.write("temperature = 1.0", "temperature = 1.2")
    serving.profiles.adopt(load_profiles(file))
    assert await serving.look(), "the watch began before: nothing in between is missed"
