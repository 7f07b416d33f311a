"""The small square beside a persona's messages: from any picture, and never at any price."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.personas import read_card
from bot.personas.export import Container, export_card
from bot.personas.png import SIGNATURE, Chunk, blank_picture
from bot.personas.portrait import MAX_BYTES, portrait
from tests.unit.personas.files import charx, packed, png, text_chunk, v2, v3


def picture(width: int, height: int, form: str = "PNG", mode: str = "RGB") -> bytes:
    """Return noise: nothing compresses worse."""
    noise = random.Random(1).randbytes(width * height * len(mode))
    buffer = io.BytesIO()
    image = Image.frombytes(mode, (width, height), noise)
    image.save(buffer, form)
    return buffer.getvalue()


def shown(data: bytes) -> Image.Image:
    square = portrait(data)
    assert square is not None
    assert len(square) <= MAX_BYTES
    image = Image.open(io.BytesIO(square))
    assert image.format == "PNG"
    assert image.width == image.height
    return image


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("GIF", "RGB")],
)
def test_a_large_picture_becomes_a_small_square(form: str, mode: str) -> None:
    data = picture(512, 768, form, mode)
    shown(data)


def test_the_picture_of_a_large_card_is_shown() -> None:
    data = picture(700, 700)
    end = data.rindex(b"IEND") - 4
    read = read_card(data[:end] + text_chunk("chara", packed(v2())) + data[end:], "x.png")
    assert read.avatar is not None
    assert len(read.avatar) > MAX_BYTES
    shown(read.avatar)


def test_of_a_tall_picture_the_upper_part_is_kept() -> None:
    tall = Image.new("RGB", (100, 400), "blue")
    tall.paste("red", (0, 0, 100, 150))
    buffer = io.BytesIO()
    tall.save(buffer, "PNG")
    assert shown(buffer.getvalue()).getpixel((128, 40)) == (255, 0, 0)


def test_a_picture_that_breaks_off_is_shown_as_far_as_it_goes() -> None:
    data = picture(300, 300)
    shown(data[: len(data) // 2])


def test_a_jpeg_icon_becomes_the_picture_of_a_png_card() -> None:
    icon = {"type": "icon", "uri": "embeded://i.jpg", "name": "main", "ext": "jpg"}
    read = read_card(charx(v3(assets=[icon]), {"i.jpg": picture(40, 60, "JPEG")}), "x.charx")
    exported = export_card(read, Container.PNG)
    assert not exported.lost
    with Image.open(io.BytesIO(exported.data)) as image:
        assert image.size == (40, 60)
    back = read_card(exported.data, "x.png")
    assert back.card.raw == read.card.raw
    assert back.files == read.files


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_the_picture_before_a_charx_is_the_avatar(form: str) -> None:
    before = picture(40, 60, form)
    read = read_card(charx(v3(), {"notes.txt": b"x" * 1000}, before), "x.charx")
    assert read.avatar == before  # without the zip
    assert not read.warnings
    assert shown(read.avatar).size == (256, 256)


def test_an_icon_is_preferred_to_the_picture_before_a_charx() -> None:
    icon = {"type": "icon", "uri": "embeded://i.jpg", "name": "main", "ext": "jpg"}
    own = picture(20, 20, "JPEG")
    read = read_card(charx(v3(assets=[icon]), {"i.jpg": own}, picture(40, 60)), "x.charx")
    assert read.avatar == own


def test_a_program_before_a_charx_is_no_avatar() -> None:
    assert read_card(charx(v3(), prefix=b"MZ some program"), "x.charx").avatar is None


def test_endless_pixels_before_a_charx_cost_the_card_its_picture_alone() -> None:
    read = read_card(charx(v3(), prefix=endless()), "x.charx")
    assert read.card.name
    assert read.avatar is not None
    assert portrait(read.avatar) is None


def test_a_picture_of_endless_pixels_is_not_decoded() -> None:
    assert portrait(endless()) is None


def endless() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return SIGNATURE + b"".join(
        chunk.encoded()
        for chunk in (
            Chunk(b"IHDR", header),
            Chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000, 9)),
            Chunk(b"IEND", b""),
        )
    )


@given(st.binary(max_size=300), st.integers(8, 200))
@settings(max_examples=60, deadline=None)
def test_rubbish_is_no_picture(rubbish: bytes, at: int) -> None:
    assert portrait(rubbish) is None
    whole = blank_picture(16)
    square = portrait(whole[:at] + rubbish + whole[at:])
    assert square is None or len(square) <= MAX_BYTES


def test_what_is_a_small_square_already_stays_as_it_is() -> None:
    small = blank_picture(128)
    assert portrait(small) is small


@pytest.mark.parametrize("size", [0, 257])
def test_a_square_of_a_wrong_size_does_not(size: int) -> None:
    chunk = Chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
    ends = Chunk(b"IDAT", zlib.compress(b"\0")), Chunk(b"IEND", b"")
    data = SIGNATURE + b"".join(each.encoded() for each in (chunk, *ends))
    assert portrait(data) != data


def test_a_card_in_a_small_square_is_not_handed_on() -> None:
    whole = png(text_chunk("chara", b"e30="))
    assert b"chara" not in (portrait(whole) or b"")
