"""Sealing: what opens, what does not, and where the keys come from."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.redis.crypto import Sealer, open_sealer
from bot.errors import RecordCorrupt, SettingsRejected
from bot.settings.values import read_keys

OLD = ("old", bytes(32))
NEW = ("new-1.2_3", bytes(range(32)))
TEXT = base64.b64encode(bytes(32)).decode()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=500))
def test_what_is_sealed_opens(plain: bytes) -> None:
    sealer = Sealer([NEW])
    sealed = sealer.seal(plain, "key", "field")
    assert sealer.open(sealed, "key", "field") == plain
    assert len(plain) < 4 or plain not in sealed


def test_no_two_seals_are_alike() -> None:
    sealer = Sealer([NEW])
    assert len({sealer.seal(b"x", "k") for _ in range(100)}) == 100


@pytest.mark.parametrize(("key", "field"), [("other", "field"), ("key", "other"), ("keyf", "ield")])
def test_a_record_opens_only_in_its_place(key: str, field: str) -> None:
    sealer = Sealer([NEW])
    with pytest.raises(RecordCorrupt):
        sealer.open(sealer.seal(b"x", "key", "field"), key, field)


def test_every_changed_bit_and_every_cut_is_noticed() -> None:
    sealer = Sealer([NEW, OLD])
    sealed = sealer.seal(b"hello", "k")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(RecordCorrupt):
            sealer.open(bytes(changed), "k")
        with pytest.raises(RecordCorrupt):
            sealer.open(sealed[:position], "k")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_garbage_is_corrupt_and_nothing_else(garbage: bytes) -> None:
    for blob in (garbage, b"\x01" + garbage, b"\x01\x03old" + garbage):
        with pytest.raises(RecordCorrupt):
            Sealer([OLD]).open(blob, "k")


def test_keys_rotate() -> None:
    before = Sealer([OLD]).seal(b"x", "k")
    both = Sealer([NEW, OLD])
    assert both.open(before, "k") == b"x"
    after = both.seal(b"x", "k")
    assert Sealer([NEW]).open(after, "k") == b"x"
    with pytest.raises(RecordCorrupt, match="not configured"):
        Sealer([NEW]).open(before, "k")


def test_the_same_id_with_another_key_opens_nothing() -> None:
    sealed = Sealer([OLD]).seal(b"x", "k")
    with pytest.raises(RecordCorrupt):
        Sealer([("old", bytes(range(32)))]).open(sealed, "k")


def test_keys_are_read_in_order() -> None:
    assert read_keys(f" b:{TEXT} , a:{TEXT},") == [("b", bytes(32)), ("a", bytes(32))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        TEXT,
        f":{TEXT}",
        "a:",
        "a:AAAA",
        f"a:{TEXT}x",
        "a:" + "!" * 44,
        f"a b:{TEXT}",
        f"{'a' * 33}:{TEXT}",
        f"a:{TEXT},a:{TEXT}",
        f"a:{TEXT}\nb:{TEXT}",
        "a:" + "ü" * 44,
    ],
)
def test_wrong_keys_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        read_keys(text)
    assert "\n" not in str(refused.value)
    assert "AAAA" not in str(refused.value)


def test_a_sealer_does_not_print_its_keys() -> None:
    assert repr(Sealer([OLD, NEW])) == "Sealer(2 keys)"


def test_the_setting_wins_and_makes_no_file(tmp_path: Path) -> None:
    sealed = open_sealer(f"old:{TEXT}", tmp_path).seal(b"x", "k")
    assert Sealer([OLD]).open(sealed, "k") == b"x"
    assert not list(tmp_path.iterdir())


def test_without_it_a_private_file_is_made_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    sealed = open_sealer(None, data).seal(b"x", "k")
    assert open_sealer(None, data).open(sealed, "k") == b"x"
    (file,) = data.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    open_sealer(None, tmp_path)
    (file,) = tmp_path.iterdir()
    file.chmod(0o644)
    open_sealer(None, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: open_sealer(None, tmp_path), range(8)))
    sealed = sealers[0].seal(b"x", "k")
    assert all(sealer.open(sealed, "k") == b"x" for sealer in sealers)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"nonsense", b"a:AAAA\n"])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "encryption.key").write_bytes(content)
    with pytest.raises(SettingsRejected, match=r"encryption\.key"):
        open_sealer(None, tmp_path)
