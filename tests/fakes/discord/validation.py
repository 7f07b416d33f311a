"""The bounds of a message's body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.mentions import check as check_mentions
from tests.fakes.discord.state import COMPONENTS_V2

MAX_CONTENT = 2000
MAX_EMBEDS = 10
MAX_EMBED_CHARACTERS = 6000
MAX_V2_COMPONENTS = 40
MAX_V2_TEXT = 4000
"""Characters of all text displays of a message together."""
SELECTS = (3, 5, 6, 7, 8)
SECTION, TEXT_DISPLAY = 9, 10
MAX_FILE_BYTES = 10 * 1024 * 1024


def length(text: str) -> int:
    """Return the length as Discord counts it: code points."""
    return len(text)


def components_of(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Walk a component tree, parents first."""
    for node in nodes:
        yield node
        yield from components_of(node.get("components") or [])
        for single in ("accessory", "component"):
            if isinstance(node.get(single), dict):
                yield from components_of([node[single]])


def check_message(
    body: dict[str, Any], *, files: int, edit: bool = False, flags: int | None = None
) -> None:
    """Refuse what Discord refuses.

    Args:
        body: the JSON of the request.
        files: how many files come with it.
        edit: whether an absent text keeps the old one.
        flags: the flags of the message that is edited.

    Raises:
        ApiError: 50035 for a bound, 50006 for an empty message.
    """
    content = body.get("content")
    if content is not None and not isinstance(content, str):
        raise invalid("content", "BASE_TYPE_STRING", "Must be a string.")
    if content and length(content) > MAX_CONTENT:
        raise invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_CONTENT} or fewer.")
    nonce = body.get("nonce")
    if nonce is not None and len(str(nonce)) > 25:
        raise invalid("nonce", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    embeds = body.get("embeds") or []
    components = body.get("components") or []
    check_mentions(body.get("allowed_mentions"))
    _check_embeds(embeds)
    has_v2 = bool(int(body.get("flags") or flags or 0) & COMPONENTS_V2)
    if has_v2 and (content or embeds):
        text = "The content and embeds fields cannot be used with IS_COMPONENTS_V2"
        raise invalid("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", text)
    _check_components(components, v2=has_v2)
    stays = edit and "content" not in body
    kept = body.get("attachments") or []
    if not (stays or (content and content.strip()) or embeds or components or files or kept):
        raise ApiError(400, 50006)


def _check_embeds(embeds: list[dict[str, Any]]) -> None:
    if len(embeds) > MAX_EMBEDS:
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_EMBEDS} or fewer.")
    total = 0
    for embed in embeds:
        fields = embed.get("fields") or []
        texts = [
            (embed.get("title"), 256),
            (embed.get("description"), 4096),
            ((embed.get("footer") or {}).get("text"), 2048),
            ((embed.get("author") or {}).get("name"), 256),
            *((item.get("name"), 256) for item in fields),
            *((item.get("value"), 1024) for item in fields),
        ]
        if len(fields) > 25 or any(text and length(text) > most for text, most in texts):
            raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", "A part of the embed is too long.")
        total += sum(length(text) for text, _ in texts if text)
    if total > MAX_EMBED_CHARACTERS:
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds 6000.")


def _check_components(components: list[dict[str, Any]], *, v2: bool) -> None:
    everything = list(components_of(components))
    if v2:
        _check_v2(everything)
    if not v2 and (len(components) > 5 or any(item.get("type") != 1 for item in components)):
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 5 action rows.")
    seen = set()
    for item in everything:
        if item.get("type") == 1 and not 1 <= len(item.get("components") or []) <= 5:
            raise invalid("components", "BASE_TYPE_BAD_LENGTH", "A row holds 1 to 5 components.")
        if item.get("type") in SELECTS:
            _check_select(item)
        if item.get("type") == 3 and not 1 <= len(item.get("options") or []) <= 25:
            raise invalid("components", "BASE_TYPE_BAD_LENGTH", "A select holds 1 to 25 options.")
        ident = item.get("custom_id")
        if ident is None:
            continue
        if not 1 <= len(ident) <= 100:
            raise invalid("components", "BASE_TYPE_BAD_LENGTH", "custom_id: 1 to 100 characters.")
        if ident in seen:
            raise invalid("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Duplicate custom_id.")
        seen.add(ident)


def texts_of(components: list[dict[str, Any]]) -> list[str]:
    """Return what the text displays of a message say, in order."""
    return [str(item["content"]) for item in components_of(components) if item["type"] == 10]


def _check_v2(everything: list[dict[str, Any]]) -> None:
    if len(everything) > MAX_V2_COMPONENTS:
        raise invalid("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "At most 40.")
    texts = [item.get("content") or "" for item in everything if item["type"] == TEXT_DISPLAY]
    if not all(texts) or sum(map(length, texts)) > MAX_V2_TEXT:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", "Texts: 1 to 4000 characters in all.")
    for item in everything:
        parts = item.get("components") or []
        if item["type"] == SECTION and not (1 <= len(parts) <= 3 and item.get("accessory")):
            raise invalid("components", "BASE_TYPE_REQUIRED", "A section: 1 to 3 texts, accessory.")


def _check_select(item: dict[str, Any]) -> None:
    low, high = item.get("min_values", 1), item.get("max_values", 1)
    if not 0 <= low <= 25 or not 1 <= high <= 25 or low > high:
        raise invalid("components", "NUMBER_TYPE_MAX", "min_values 0 to 25, max_values 1 to 25.")
    if length(item.get("placeholder") or "") > 150:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", "placeholder: at most 150 characters.")
    if len(item.get("default_values") or []) > high:
        raise invalid("components", "BASE_TYPE_MAX_LENGTH", "More defaults than max_values.")
    options = item.get("options") or []
    values = [option["value"] for option in options]
    if len(set(values)) != len(values):
        raise invalid("components", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Duplicate value.")
    if any(not 1 <= length(option["label"]) <= 100 for option in options):
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", "A label has 1 to 100 characters.")
    if sum(bool(option.get("default")) for option in options) > high:
        raise invalid("components", "BASE_TYPE_MAX_LENGTH", "More defaults than max_values.")
