"""Sizes of pictures are read from their first bytes, whatever those bytes are."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.adapters.discord.reading.pictures import dimensions, fits

PNG = b"\x89PNG\r\n\x1a\n"


def encoded(width: int, height: int, form: str, **options: object) -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(into, form, **options)  # type: ignore[arg-type]
    return into.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (300, 7), (640, 480)])
@pytest.mark.parametrize(
    ("form", "media_type", "options"),
    [
        ("PNG", "image/png", {}),
        ("JPEG", "image/jpeg", {}),
        ("JPEG", "image/jpeg", {"progressive": True, "comment": b"x" * 500}),
        ("WEBP", "image/webp", {}),
        ("WEBP", "image/webp", {"lossless": True}),
    ],
)
def test_sizes_are_those_that_a_decoder_finds(
    size: tuple[int, int], form: str, media_type: str, options: dict[str, object]
) -> None:
    content = encoded(*size, form, **options)
    assert dimensions(content, media_type) == size
    assert fits(size)


@given(st.binary(max_size=300), st.sampled_from(["image/png", "image/jpeg", "image/webp", "x"]))
def test_any_bytes_are_read_or_are_no_picture(content: bytes, media_type: str) -> None:
    heads = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8", "image/webp": b"RIFF"}
    for each in (content, heads.get(media_type, b"") + content):
        found = dimensions(each, media_type)
        assert found is None or len(found) == 2


def test_a_small_file_with_a_huge_picture_does_not_fit() -> None:
    bomb = encoded(1, 1, "PNG")[:16] + (60_000).to_bytes(4, "big") * 2 + bytes(20)
    assert dimensions(bomb, "image/png") == (60_000, 60_000)
    assert not fits((60_000, 60_000))


@pytest.mark.parametrize(
    "content", [b"", PNG, PNG + bytes(50), encoded(1, 1, "PNG")[:16] + bytes(42)]
)
def test_a_broken_picture_has_no_size(content: bytes) -> None:
    assert dimensions(content, "image/png") is None


@pytest.mark.parametrize(("padding", "size"), [(1_000, (3, 2)), (1_000_000, None)])
def test_bytes_that_fill_a_jpeg_are_skipped_as_far_as_an_honest_file_has_any(
    padding: int, size: tuple[int, int] | None
) -> None:
    picture = encoded(3, 2, "JPEG")
    filled = picture[:2] + b"\xff" * padding + picture[2:]
    assert dimensions(filled, "image/jpeg") == size
