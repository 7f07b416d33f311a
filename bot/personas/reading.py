"""From a file's bytes to a card, whatever the file is: JSON, PNG, APNG or CHARX.

Everything here is bound to a processor, not to a disk: call it from a thread. Nothing is ever
written, and no path that a file names is ever opened.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.errors import CardRejected
from bot.personas import charx, png, rawjson
from bot.personas.book_reading import LOREBOOK_V3, lorebook_data, read_book
from bot.personas.card import Asset, Card
from bot.personas.card_reading import read_tree
from bot.personas.coerce import Notes
from bot.personas.lorebook import Lorebook

MAX_FILE = 32 * 2**20
"""Bytes of a card file. Real ones reach some 10 MB."""
WORLD_INFO = "world_info"

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=_-]+")
_EMBEDDED = re.compile(r"embedd?ed://", re.I)
"""The specification spells it with one d."""
JPEG = b"\xff\xd8\xff"
_PICTURES = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8|RIFF....WEBP", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReadCard:
    """A card as it was read. `avatar` is its picture without the card in it."""

    card: Card
    avatar: bytes | None
    warnings: tuple[str, ...]
    spec: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Assets that came along, by path; kept for exports."""


@dataclass(frozen=True, slots=True)
class ReadLorebook:
    """A standalone lorebook as it was read. `spec` is `lorebook_v3` or `world_info`."""

    book: Lorebook
    warnings: tuple[str, ...]
    spec: str


def read_card(data: bytes, filename: str) -> ReadCard:
    """Read a card of any version from any container.

    Raises:
        CardRejected: the file is no card, is damaged beyond reading, or is hostile.
    """
    notes = Notes()
    _check_size(data)
    try:
        if png.is_png(data):
            return _from_png(data, filename, notes)
        if charx.is_charx(data):  # before JSON: what precedes a zip may begin with a brace
            return _from_charx(data, filename, notes)
        if _looks_like_json(data):
            return _from_json(data, filename, notes)
    except RecursionError as error:
        raise CardRejected("The card is nested too deep.") from error
    raise _refusal(data)


def read_lorebook(data: bytes, filename: str) -> ReadLorebook:
    """Read a standalone lorebook: Version 3's form, or SillyTavern's world-info file.

    Raises:
        CardRejected: the file is no lorebook, or is hostile.
    """
    notes = Notes()
    _check_size(data)
    tree = rawjson.parse(data, notes)
    if not isinstance(tree, Mapping):
        raise CardRejected("This is not a lorebook: its JSON is not an object.")
    inner = lorebook_data(tree)
    if inner is not tree:
        book, spec = read_book(inner, notes), LOREBOOK_V3
    elif isinstance(tree.get("entries"), Mapping | list):
        book, spec = read_book(tree, notes, world_info=True), WORLD_INFO
    else:
        raise CardRejected("This is not a lorebook: it has no entries.")
    if not book.name:
        book = replace(book, name=filename.rsplit(".", 1)[0][:200])
    return ReadLorebook(book, notes.all(), spec)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_FILE:
        raise CardRejected("The file is larger than {size} MB.", size=MAX_FILE // 2**20)
    if not data:
        raise CardRejected("The file is empty.")


def _looks_like_json(data: bytes) -> bool:
    head = data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\xfe\xff\x00 \t\r\n")
    return head[:1] in (b"{", b"[", b'"')


def _refusal(data: bytes) -> CardRejected:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return CardRejected(
            "WebP pictures can't carry a card safely. Save the card as PNG or JSON."
        )
    if data.startswith(JPEG):
        return CardRejected("This JPEG holds no card. Cards are PNG, JSON or CHARX files.")
    if data.startswith(b"rcc||"):
        return CardRejected(
            "This card is encrypted by RisuAI. Export it as PNG, JSON or plain CHARX."
        )
    if data.startswith(b"PK"):
        return CardRejected("The CHARX can't be unpacked: it is damaged.")
    return CardRejected("This is not a card. Cards are PNG, JSON or CHARX files.")


def _from_json(data: bytes, filename: str, notes: Notes) -> ReadCard:
    card = read_tree(rawjson.parse(data, notes), filename, notes)
    return _finish(card, _icon(card, {}), notes, {})


def _from_charx(data: bytes, filename: str, notes: Notes) -> ReadCard:
    content, files = charx.unpack(data, notes)
    card = read_tree(rawjson.parse(content, notes), filename, notes)
    return _finish(card, _icon(card, files) or _picture_before(data, notes), notes, files)


def _picture_before(data: bytes, notes: Notes) -> bytes | None:
    """Return the PNG or JPEG that a CHARX stands behind, without the CHARX.

    Like every picture of a card it is only decoded, within bounds, where it is shown.
    """
    if png.is_png(data):
        return png.picture_of(png.chunks_of(data, notes))
    prefix = data[: charx.begins_at(data)]
    return prefix if prefix.startswith(JPEG) else None


def _from_png(data: bytes, filename: str, notes: Notes) -> ReadCard:
    chunks = png.chunks_of(data, notes)
    if any(chunk.damaged and png.is_card_text(chunk) for chunk in chunks):
        notes.warn("the card's checksum in the PNG is wrong: read all the same")
    if png.card_follows_picture(chunks):
        notes.warn("the card stands after the PNG's image data: read all the same")
    found: dict[str, list[png.PackedText]] = {}
    assets: dict[str, png.PackedText] = {}
    for each in png.texts_of(chunks, notes):
        keyword = each.keyword.lower()
        if keyword in png.CARD_KEYWORDS:
            found.setdefault(keyword, []).append(each)
        else:
            path = each.keyword[len(png.ASSET_KEYWORD) :].lstrip(":")
            if charx.is_plain_path(path):
                assets[path] = each
    if not found and charx.is_charx(data):
        return _from_charx(data, filename, notes)
    if not found:
        raise CardRejected("This PNG holds no card (no chara or ccv3 text).")
    inflation = png.Inflation()
    card = _best(found, inflation, filename, notes)
    files = {}
    for path, text in assets.items():
        files[path] = _unbase64(png.unpack(text, inflation, notes) or b"") or b""
    return _finish(card, png.picture_of(chunks, png.tail_of(data, chunks, notes)), notes, files)


def _best(
    found: Mapping[str, Sequence[png.PackedText]],
    inflation: png.Inflation,
    filename: str,
    notes: Notes,
) -> Card:
    """Read `ccv3`, else `chara`; of several with one name the first that can be read."""
    trees: dict[str, Any] = {}
    refusal: CardRejected | None = None
    for keyword in png.CARD_KEYWORDS:
        texts = found.get(keyword, ())
        if len(texts) > 1:
            notes.warn(f"the PNG holds several {keyword} texts: the first good one counts")
        for text in texts:
            try:
                content = png.unpack(text, inflation, notes)
                if content is not None:
                    trees[keyword] = rawjson.parse(_payload(content, notes), notes)
                    break
            except CardRejected as error:
                notes.warn(f"the {keyword} text of the PNG can't be read: passed over")
                refusal = refusal or error
    _compare(trees, notes)
    for tree in trees.values():
        mark = Notes()
        try:
            card = read_tree(tree, filename, mark)
        except CardRejected as error:
            refusal = refusal or error
            continue
        for warning in mark.all():
            notes.warn(warning)
        return card
    raise refusal or CardRejected("This PNG holds no card that can be read.")


def _compare(trees: Mapping[str, Any], notes: Notes) -> None:
    if "chara" in trees:
        spec = trees["chara"].get("spec") if isinstance(trees["chara"], Mapping) else None
        if spec == "chara_card_v3":
            notes.warn("the chara text holds a Version 3 card: read as such")
    if len(trees) == 2 and _gist(trees["ccv3"]) != _gist(trees["chara"]):
        notes.warn("the PNG holds two different cards: ccv3 counts")


def _gist(tree: Any) -> list[Any]:
    """Return what two copies of one card have in common, whatever their versions."""
    outer = tree if isinstance(tree, Mapping) else {}
    inner = outer.get("data")
    fields = inner if isinstance(inner, Mapping) else outer
    return [fields.get(name) for name in ("name", "description", "first_mes", "personality")]


def _payload(content: bytes, notes: Notes) -> bytes:
    """Return the JSON of a card text: base64, or as it is."""
    if content.lstrip()[:1] == b"{":
        notes.warn("the card's text in the PNG is not base64: read as it stands")
        return content
    decoded = _unbase64(content)
    if decoded is None:
        raise CardRejected("The card's text in the PNG is not valid base64.")
    return decoded


def _unbase64(content: bytes) -> bytes | None:
    packed = _NOT_BASE64.sub(b"", content).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return None


def _icon(card: Card, files: Mapping[str, bytes]) -> bytes | None:
    """Return the main icon, when it lies in the file itself. Addresses are never fetched."""
    icons = [asset for asset in card.assets if asset.type == "icon"]
    icons.sort(key=lambda asset: asset.name != "main")
    for icon in icons:
        content = _asset(icon, files)
        if content and _PICTURES.match(content):
            return content
    return None


def _asset(asset: Asset, files: Mapping[str, bytes]) -> bytes | None:
    if _EMBEDDED.match(asset.uri):
        return files.get(_EMBEDDED.sub("", asset.uri, count=1))
    if asset.uri.startswith("__asset:"):
        return files.get(asset.uri.removeprefix("__asset:"))
    if asset.uri.startswith("data:"):
        head, _, body = asset.uri.partition(",")
        return _unbase64(body.encode("ascii", "ignore")) if head.endswith(";base64") else None
    return None


def _finish(card: Card, avatar: bytes | None, notes: Notes, files: Mapping[str, bytes]) -> ReadCard:
    return ReadCard(card, avatar, notes.all(), card.spec, files)
