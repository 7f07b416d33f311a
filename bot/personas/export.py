"""From a card to a file: JSON, PNG or CHARX, Version 2 or 3.

An export starts from the JSON as it was read, so that unknown fields keep their place and their
spelling. Only what the target version requires is added, and `modification_date` set. Exporting
a valid card to its own version changes nothing else. A Version 2 export of a Version 3 card keeps
what Version 2 does not know, decorators included, so that it can come back; only the copy beside
a Version 3 card in a PNG goes without them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.errors import InvalidChoice
from bot.personas import charx, png, rawjson
from bot.personas.book_export import book_tree
from bot.personas.card import PYGMALION, V1, V2, V3, Card
from bot.personas.coerce import is_texts
from bot.personas.decorators import strip_decorators
from bot.personas.portrait import as_png
from bot.personas.reading import ReadCard

ICON_ADDED = "assets/icon/images/main.png"
"""Where a CHARX gets the picture of a card that names no assets."""
ICON_MOVED = "assets/icon/images/default.png"
"""Where it gets the picture of a card whose icon is `ccdefault:`, the PNG it came in."""
MAX_KEYWORD = 79
"""Bytes of a PNG text's keyword (PNG specification, 11.3.4)."""

_TEXTS = ("name", "description", "personality", "scenario", "first_mes", "mes_example",
          "creator_notes", "system_prompt", "post_history_instructions", "creator",
          "character_version")  # fmt: skip
_LISTS = ("alternate_greetings", "tags")
_PYGMALION_NAMES = frozenset(
    {"char_name", "char_persona", "world_scenario", "char_greeting", "example_dialogue"}
)
_BACKFILL_WARNING = (
    "This is a Version 3 character card, shown here as Version 2. Use a program that reads "
    "Version 3 to get all of it.\n"
)


class Container(StrEnum):
    """What a card is put into."""

    JSON = "json"
    PNG = "png"
    CHARX = "charx"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file's bytes, and what could not go into it."""

    data: bytes
    lost: tuple[str, ...] = ()


def export_card(
    read: ReadCard, container: Container, *, spec: str = V3, now: float | None = None
) -> Exported:
    """Write a card. `now` (unix seconds) becomes its modification date; None leaves that alone.

    Raises:
        InvalidChoice: CHARX files hold Version 3 only.
    """
    if container is Container.CHARX:
        if spec != V3:
            raise InvalidChoice("CHARX files hold Version 3 cards only.")
        return _charx(read, now)
    tree = card_tree(read.card, spec, now)
    files = _restore_icon(tree, read)
    if container is Container.JSON:
        lost = [f"the asset {path}" for path in sorted(files)]
        lost += ["the picture"] if read.avatar else []
        return Exported(rawjson.pretty(tree).encode(), tuple(lost))
    return _png(read, tree, spec, files)


def card_tree(card: Card, spec: str = V3, now: float | None = None) -> dict[str, Any]:
    """Return a card's JSON as Version 2 or 3 requires it, everything else as it was read."""
    if card.spec in (V1, PYGMALION):
        moved = {*_TEXTS, *_LISTS, "extensions", "character_book", *_PYGMALION_NAMES}
        outer = {key: each for key, each in card.raw.items() if key not in moved}
        data = {key: each for key, each in card.raw.items() if key in moved}
        data = {key: each for key, each in data.items() if key not in _PYGMALION_NAMES}
    else:
        outer = dict(card.raw)
        data = dict(card.data)
    if outer.get("spec") != spec or not outer.get("spec_version"):
        outer |= {"spec": spec, "spec_version": "2.0" if spec == V2 else "3.0"}
    _complete(data, card, spec)
    if spec == V3 and now is not None:
        data["modification_date"] = int(now)
    envelope = {key: outer.pop(key) for key in ("spec", "spec_version") if key not in card.raw}
    return {**envelope, **outer, "data": data}


def _complete(data: dict[str, Any], card: Card, spec: str) -> None:
    """Add what the version requires, and replace what has the wrong type."""
    for name in _TEXTS:
        if not isinstance(data.get(name), str):
            data[name] = getattr(card, name)
    if not data["name"].strip():
        data["name"] = card.name
    lists = (*_LISTS, "group_only_greetings") if spec == V3 else _LISTS
    for name in lists:
        if not is_texts(data.get(name)):
            data[name] = list(getattr(card, name))
    if not isinstance(data.get("extensions"), Mapping):
        data["extensions"] = {}
    if spec == V3:
        _mend_optional(data, card)
    if data.get("character_book") is None or card.book is None:
        data.pop("character_book", None)
    else:
        data["character_book"] = book_tree(data["character_book"], card.book, v3=spec == V3)


def _mend_optional(data: dict[str, Any], card: Card) -> None:
    """Replace optional fields of Version 3 that are there, but not as it wants them."""
    if "source" in data and not is_texts(data["source"]):
        data["source"] = list(card.source)
    for name in ("creation_date", "modification_date"):
        value = data.get(name)
        if name in data and (isinstance(value, bool) or not isinstance(value, int | float)):
            data[name] = getattr(card, name)
    if "nickname" in data and not isinstance(data["nickname"], str):
        data["nickname"] = card.nickname
    if "assets" in data and not isinstance(data["assets"], list):
        del data["assets"]


def _charx(read: ReadCard, now: float | None) -> Exported:
    tree, files = card_tree(read.card, V3, now), dict(read.files)
    if read.avatar is not None and read.avatar.startswith(png.SIGNATURE):
        data, assets = tree["data"], tree["data"].get("assets")
        if not assets:
            data["assets"] = [_icon(ICON_ADDED)]
            files.setdefault(ICON_ADDED, read.avatar)
        else:
            for index, asset in enumerate(assets):
                if _is_default_icon(asset):
                    changed = {**asset, "uri": f"embeded://{ICON_MOVED}"}
                    data["assets"] = [*assets[:index], changed, *assets[index + 1 :]]
                    files.setdefault(ICON_MOVED, read.avatar)
                    break
    return Exported(charx.pack(rawjson.pretty(tree).encode(), files))


def _icon(path: str) -> dict[str, str]:
    return {"type": "icon", "uri": f"embeded://{path}", "name": "main", "ext": "png"}


def _is_default_icon(asset: Any) -> bool:
    return (
        isinstance(asset, Mapping)
        and asset.get("type") == "icon"
        and asset.get("uri") == "ccdefault:"
    )


def _restore_icon(tree: dict[str, Any], read: ReadCard) -> dict[str, bytes]:
    """Undo what `_charx` did to the assets; return the files that are not the picture."""
    files, data = dict(read.files), tree["data"]
    assets = data.get("assets")
    if isinstance(assets, list) and assets == [_icon(ICON_ADDED)] and ICON_ADDED in files:
        del data["assets"], files[ICON_ADDED]
    elif isinstance(assets, list) and ICON_MOVED in files:
        moved = f"embeded://{ICON_MOVED}"
        data["assets"] = [
            {**each, "uri": "ccdefault:"}
            if isinstance(each, Mapping) and each.get("uri") == moved
            else each
            for each in assets
        ]
        del files[ICON_MOVED]
    return files


def _png(
    read: ReadCard, tree: Mapping[str, Any], spec: str, files: Mapping[str, bytes]
) -> Exported:
    picture, lost = read.avatar, []
    if picture is None or not picture.startswith(png.SIGNATURE):
        made = as_png(picture) if picture is not None else None
        if picture is not None and made is None:
            lost.append("the picture (it can't be made a PNG; a plain square stands in)")
        picture = made or png.blank_picture()
    texts = []
    if spec == V3:
        texts.append(png.Text("chara", _packed(_backfill(read.card))))
        texts.append(png.Text("ccv3", _packed(tree)))
    else:
        texts.append(png.Text("chara", _packed(tree)))
    for path, content in sorted(files.items()):
        keyword = f"{png.ASSET_KEYWORD}:{path}"
        if not keyword.isascii() or len(keyword) > MAX_KEYWORD:
            lost.append(f"the asset {path} (its path does not fit a PNG)")
            continue
        texts.append(png.Text(keyword, base64.b64encode(content)))
    return Exported(png.with_texts(picture, texts), tuple(lost))


def _packed(tree: Mapping[str, Any]) -> bytes:
    return base64.b64encode(rawjson.write(tree).encode())


def _backfill(card: Card) -> dict[str, Any]:
    """Return the Version 2 copy beside a Version 3 card: without decorators, with a warning."""
    tree = card_tree(card, V2)
    data = tree["data"]
    data["creator_notes"] = _BACKFILL_WARNING + data["creator_notes"]
    book = data.get("character_book")
    if book is not None:
        data["character_book"] = {
            **book,
            "entries": [
                {**entry, "content": strip_decorators(entry["content"])}
                for entry in book["entries"]
            ],
        }
    return tree
