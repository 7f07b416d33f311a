"""What the doctor finds of the router, and what the log says of it at the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.errors import StoreError
from bot.routing import opening, router, watch
from bot.routing.accurate import SHIPPED_ENCODER
from bot.routing.checkup import looked_over
from bot.routing.router import SHIPPED


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    file = tmp_path / "routes.toml"
    file.touch()
    return file


def ill(
    own: list[Path], profiles: Path, *, shipped: Path = SHIPPED, encoder: Path = SHIPPED_ENCODER
) -> list[tuple[str, str]]:
    found = looked_over(own, profiles, shipped=shipped, encoder=encoder)
    return [(what, finding) for well, what, finding in found if not well]


def test_all_is_well_as_it_comes(tmp_path: Path, profiles: Path) -> None:
    profiles.write_text("[accurate_stage]\nenabled = true\n")
    assert ill([tmp_path / "route.table"], profiles) == []


def test_a_shipped_table_that_is_gone_is_told(tmp_path: Path, profiles: Path) -> None:
    gone = tmp_path / "gone.table"
    [(what, finding)] = ill([], profiles, shipped=gone)
    assert what == "route table"
    assert finding == f"{gone}: No such file or directory: install the program again"


def test_a_table_of_ones_own_that_will_not_serve_is_told(tmp_path: Path, profiles: Path) -> None:
    own = tmp_path / "route.table"
    own.write_bytes(b"junk")
    [(what, finding)] = ill([own], profiles)
    assert what == "route table"
    assert "no readable header" in finding
    assert f"remove {own}" in finding


def test_an_encoder_that_is_gone_is_told_where_it_is_wanted(tmp_path: Path, profiles: Path) -> None:
    gone = tmp_path / "route.encoder"
    assert ill([], profiles, encoder=gone) == []
    profiles.write_text("[accurate_stage]\nenabled = true\n")
    [(what, finding)] = ill([], profiles, encoder=gone)
    assert what == "route encoder"
    assert "take [accurate_stage] out of routes.toml" in finding


class Unused:
    """Stands where this test asks for nothing."""

    async def in_force(self, *_: object) -> object:
        raise StoreError("unused")

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None


async def test_the_log_says_at_the_start_that_there_is_no_table(
    tmp_path: Path, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (router, watch):
        monkeypatch.setattr(module, "SHIPPED", tmp_path / "gone.table")
    unused = Unused()
    with capture_logs() as logged:
        await opening.open_routing(
            data_dir=tmp_path,
            directory=profiles.parent,
            overrides=unused,  # type: ignore[arg-type]
            model=unused,  # type: ignore[arg-type]
            model_name="none",
            metrics=unused,  # type: ignore[arg-type]
        )
    [line] = [each for each in logged if each["log_level"] == "error"]
    assert line["reason"] == "gone.table: No such file or directory"
