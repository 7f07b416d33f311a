"""From a card's JSON to a `Card`, tolerant of what real files hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from bot.errors import CardRejected, LorebookGiven
from bot.personas.book_reading import LOREBOOK_V3, read_book
from bot.personas.card import (
    MAX_NAME,
    NOT_FOR_WEBHOOKS,
    PYGMALION,
    V1,
    V2,
    V3,
    Asset,
    Card,
    DepthPrompt,
    RegexScript,
)
from bot.personas.coerce import Notes, flag, integer, mapping, number, plain_lines, text, texts
from bot.personas.lorebook import ROLES, Lorebook

MAX_LISTED = 200
"""Greetings, tags and sources."""
MAX_ASSETS = 1_000
MAX_SCRIPTS = 200
MAX_FIELD_CHARS = 2 * 2**20

_PYGMALION = {
    "char_name": "name",
    "char_persona": "description",
    "world_scenario": "scenario",
    "char_greeting": "first_mes",
    "example_dialogue": "mes_example",
}
_V1_FIELDS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
_CHARACTER_ONLY = (*_V1_FIELDS[2:], *_PYGMALION)
"""What no lorebook has."""
_V2_FIELDS = (
    "creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version",
    "tags", "alternate_greetings",
)  # fmt: skip
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s{0,8}https?://|<img\b|https?://\S{1,200}?\.(?:png|jpe?g|gif|webp)\b",
    re.I,
)
"""Bounded, like all that reads a field: it may have two million characters, and a search that is
quadratic in them would hold up the whole process for hours."""
_GREETINGS = ("alternate_greetings", "group_only_greetings")
_COUNT = re.compile(r"\s*-?\d+\s*")
_SPEAKS = re.compile(
    r"^[^\S\n]*(?:\{\{(?:char|user)\}\}|<(?:char|bot|user)>)[^\S\n]{0,8}:", re.I | re.M
)
_MILLISECONDS = 10**11
"""A date beyond this many seconds (the year 5138) must be in milliseconds."""


def read_tree(tree: Any, filename: str, notes: Notes) -> Card:
    """Read a card from its JSON tree.

    Raises:
        CardRejected: the JSON holds no character; as a `LorebookGiven` where it holds a lorebook.
    """
    if not isinstance(tree, Mapping):
        raise CardRejected("This is not a card: its JSON is not an object.")
    if _is_lorebook(tree):
        raise LorebookGiven("This is a lorebook, not a character card.")
    spec = _spec_of(tree, notes)
    data = tree["data"] if spec in (V2, V3) else tree
    if spec == PYGMALION:
        notes.warn("the card uses Pygmalion's names: read as a Version 1 card")
        data = {
            **tree,
            **{
                ours: tree.get(theirs)
                for theirs, ours in _PYGMALION.items()
                if tree.get(ours) is None
            },
        }
    elif spec in (V2, V3):
        _check_envelope(tree, data, spec, notes)
    if not any(place.get(name) for place in (data, tree) for name in _V1_FIELDS):
        raise CardRejected("This is not a card: it has neither a name nor a description.")
    return _card(spec, tree, data, filename, notes)


def _is_lorebook(tree: Mapping[str, Any]) -> bool:
    """Whether this is a standalone lorebook. Some have a name and a description as cards do."""
    if tree.get("spec") == LOREBOOK_V3:
        return True
    if "entries" not in tree or isinstance(tree.get("data"), Mapping):
        return False
    return "name" not in tree or not any(name in tree for name in _CHARACTER_ONLY)


def _spec_of(tree: Mapping[str, Any], notes: Notes) -> str:
    """Tell the version by what is there; the spec's name decides between 2 and 3."""
    data, spec = tree.get("data"), tree.get("spec")
    if isinstance(data, Mapping) and (data or spec in (V2, V3)):
        if spec in (V2, V3):
            return str(spec)
        if spec == "chara_card_v4" or (isinstance(spec, str) and spec.startswith("chara_card_v")):
            notes.warn(f"the card is of a newer kind ({spec[:40]}): read as Version 3")
            return V3
        if any(name in data for name in _V1_FIELDS):
            notes.warn("the card does not name its specification: read as Version 2")
            return V2
    elif "data" in tree and data is None and spec in (V2, V3):
        notes.warn("the card's data is null: its top-level fields were read")
    if any(name in tree for name in ("char_name", "char_persona", "char_greeting")):
        return PYGMALION
    if any(isinstance(tree.get(name), str) and tree[name] for name in _V1_FIELDS):
        return V1
    raise CardRejected("This is not a card: it has neither a name nor a description.")


def _check_envelope(
    tree: Mapping[str, Any], data: Mapping[str, Any], spec: str, notes: Notes
) -> None:
    version = number(tree.get("spec_version"), "", Notes())
    if version is None:
        notes.warn("spec_version is missing or not a number")
    elif version > (3.0 if spec == V3 else 2.0):
        notes.warn(f"the card is of a newer version ({version:g}): what is unknown is kept")
    if any(name in tree for name in _V1_FIELDS):
        notes.warn("fields stand beside data too: data counts, the others are kept")
    for name in _V1_FIELDS + _V2_FIELDS:
        if data.get(name) is None:
            notes.warn(f"{name} is missing: taken as empty")
    if spec == V3 and "group_only_greetings" not in data:
        notes.warn("group_only_greetings is missing: taken as empty")
    if data.get("extensions") is None:
        notes.warn("extensions is missing: taken as empty")


class _Fields:
    """A card's texts and lists of texts, within bounds."""

    def __init__(self, data: Mapping[str, Any], notes: Notes) -> None:
        self._data = data
        self._notes = notes

    def said(self, field: str) -> str:
        """Return a text.

        Raises:
            CardRejected: it is too long.
        """
        value = text(self._data.get(field), field, self._notes)
        if len(value) > MAX_FIELD_CHARS:
            raise CardRejected(
                "The card's {field} is longer than {size} MB.",
                field=field,
                size=MAX_FIELD_CHARS // 2**20,
            )
        return plain_lines(value, self._notes)

    def listed(self, field: str) -> tuple[str, ...]:
        """Return a list of texts, without those beyond the bound."""
        raw = self._data.get(field)
        if field in _GREETINGS and isinstance(raw, str) and _COUNT.fullmatch(raw):
            self._notes.warn(f"{field} is a number: left out")
            return ()
        values = texts(raw, field, self._notes, split=field == "tags")
        if len(values) > MAX_LISTED:
            self._notes.warn(f"{field} has more than {MAX_LISTED}: the others were left out")
        return tuple(plain_lines(value, self._notes) for value in values[:MAX_LISTED])


def _card(
    spec: str, tree: Mapping[str, Any], data: Mapping[str, Any], filename: str, notes: Notes
) -> Card:
    fields = _Fields(data, notes)
    extensions = mapping(data.get("extensions"), "extensions", notes)
    if "character_book" in data and data["character_book"] is None:
        notes.warn("character_book is null: there is no lorebook")
    book = _book(data.get("character_book"), notes)
    card = Card(
        spec=spec,
        name=_name(data, tree, filename, notes),
        nickname=_nickname(fields, notes),
        description=fields.said("description"),
        personality=fields.said("personality"),
        scenario=fields.said("scenario"),
        first_mes=fields.said("first_mes"),
        mes_example=fields.said("mes_example"),
        creator_notes=fields.said("creator_notes"),
        creator_notes_multilingual=_by_language(data.get("creator_notes_multilingual"), notes),
        system_prompt=fields.said("system_prompt"),
        post_history_instructions=fields.said("post_history_instructions"),
        alternate_greetings=fields.listed("alternate_greetings"),
        group_only_greetings=fields.listed("group_only_greetings"),
        tags=fields.listed("tags"),
        creator=fields.said("creator"),
        character_version=fields.said("character_version"),
        source=fields.listed("source"),
        creation_date=_date(data.get("creation_date"), "creation_date", notes),
        modification_date=_date(data.get("modification_date"), "modification_date", notes),
        assets=_assets(data.get("assets"), notes),
        book=book,
        world=text(extensions.get("world"), "extensions.world", notes),
        talkativeness=_talkativeness(extensions, tree, notes),
        depth_prompt=_depth_prompt(extensions.get("depth_prompt"), notes),
        regex_scripts=_scripts(extensions.get("regex_scripts"), notes),
        raw=tree,
    )
    _remark(card, notes)
    return card


def _name(data: Mapping[str, Any], tree: Mapping[str, Any], filename: str, notes: Notes) -> str:
    for place in (data, tree):
        name = " ".join(text(place.get("name"), "name", notes).split())
        if name:
            _measure(name, "name", notes)
            return name[:200]
    stem = PurePosixPath(PureWindowsPath(filename).name).stem.strip() or "unnamed"
    notes.warn("the card has no name: the file's name is used")
    return stem[:200]


def _nickname(fields: _Fields, notes: Notes) -> str:
    nickname = fields.said("nickname").strip()
    _measure(nickname, "nickname", notes)
    return nickname


def _measure(name: str, field: str, notes: Notes) -> None:
    if len(name) > MAX_NAME:
        notes.warn(f"the {field} has {len(name):,} characters: Discord shows {MAX_NAME} of them")
    if (found := NOT_FOR_WEBHOOKS.search(name)) is not None:
        word = found.group()
        notes.warn(f"Discord refuses a {field} with {word!r}: a sign that nobody sees parts it")


def _by_language(value: Any, notes: Notes) -> Mapping[str, str] | None:
    if value is None:
        return None
    notes_by = mapping(value, "creator_notes_multilingual", notes)
    return {str(lang): each for lang, each in notes_by.items() if isinstance(each, str)}


def _date(value: Any, field: str, notes: Notes) -> int:
    seconds = number(value, field, notes) or 0.0
    if seconds > _MILLISECONDS:
        notes.warn(f"{field} is in milliseconds: read as such")
        seconds /= 1000
    return int(seconds) if 0 <= seconds <= _MILLISECONDS else 0


def _talkativeness(extensions: Mapping[str, Any], tree: Mapping[str, Any], notes: Notes) -> float:
    value = extensions.get("talkativeness", tree.get("talkativeness"))
    result = number(value, "talkativeness", notes)
    return 0.5 if result is None else min(1.0, max(0.0, result))


def _depth_prompt(value: Any, notes: Notes) -> DepthPrompt | None:
    raw = mapping(value, "depth_prompt", notes)
    prompt = text(raw.get("prompt"), "depth_prompt", notes).replace("\r\n", "\n")
    if not prompt.strip():
        return None
    depth = integer(raw.get("depth"), "depth_prompt.depth", notes, low=0, high=10_000)
    role = raw.get("role")
    return DepthPrompt(prompt, 4 if depth is None else depth, role if role in ROLES else "system")


def _assets(value: Any, notes: Notes) -> tuple[Asset, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        notes.warn("assets is not a list: left out")
        return ()
    found = []
    for each in value[:MAX_ASSETS]:
        raw = mapping(each, "an asset", notes)
        uri = text(raw.get("uri"), "an asset's uri", notes)
        kind = text(raw.get("type"), "an asset's type", notes)
        if uri and kind:
            name = text(raw.get("name"), "an asset's name", notes)
            ext = text(raw.get("ext"), "an asset's ext", notes).lstrip(".").lower()
            found.append(Asset(kind, uri, name, ext))
    return tuple(found)


def _scripts(value: Any, notes: Notes) -> tuple[RegexScript, ...]:
    if not isinstance(value, list) or not value:
        return ()
    notes.warn("the card holds regex scripts: kept, and off until somebody allows them")
    quiet = Notes()
    scripts = []
    for each in value[:MAX_SCRIPTS]:
        raw = mapping(each, "a regex script", quiet)
        placement = raw.get("placement")
        scripts.append(
            RegexScript(
                name=text(raw.get("scriptName"), "scriptName", quiet),
                find=text(raw.get("findRegex"), "findRegex", quiet),
                replace=text(raw.get("replaceString"), "replaceString", quiet),
                trim=texts(raw.get("trimStrings"), "trimStrings", quiet),
                placement=frozenset(
                    int(p) for p in placement if isinstance(p, int) and 0 <= p < 100
                )
                if isinstance(placement, list)
                else frozenset(),
                disabled=flag(raw.get("disabled"), "disabled", quiet) or False,
                markdown_only=flag(raw.get("markdownOnly"), "markdownOnly", quiet) or False,
                prompt_only=flag(raw.get("promptOnly"), "promptOnly", quiet) or False,
                min_depth=integer(raw.get("minDepth"), "minDepth", quiet, low=0),
                max_depth=integer(raw.get("maxDepth"), "maxDepth", quiet, low=0),
            )
        )
    return tuple(scripts)


def _book(value: Any, notes: Notes) -> Lorebook | None:
    if value is None:
        return None
    raw = mapping(value, "character_book", notes)
    return read_book(raw, notes) if raw else None


def _remark(card: Card, notes: Notes) -> None:
    """Tell what is odd in a card that was read well."""
    if card.world and card.book is None:
        notes.warn(f"the card refers to the lorebook {card.world[:60]!r}, which it does not hold")
    if any(_IMAGE.search(each) for each in (card.first_mes, card.description)):
        notes.warn("texts hold addresses of images: they are never fetched")
    if card.mes_example.strip() and "<start>" not in card.mes_example.lower():
        notes.warn("mes_example does not begin with <START>: read as one example")
    if card.mes_example.strip() and not _has_speaker(card):
        notes.warn("mes_example says nowhere who speaks: read as the character's words")
    if len(card.first_mes) > 2_000:
        notes.warn("first_mes is longer than a Discord message: it is sent in parts")
    if card.post_history_instructions.strip():
        notes.warn("the card has post_history_instructions: they are said before each reply")


def _has_speaker(card: Card) -> bool:
    named = (f"{name}:" for name in (card.name, card.nickname) if name)
    lines = [line.lstrip() for line in card.mes_example.split("\n")]
    return _SPEAKS.search(card.mes_example) is not None or any(
        line.startswith(name) for name in named for line in lines
    )
