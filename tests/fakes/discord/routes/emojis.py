"""Emojis that belong to the application: small pictures with a lasting address on the CDN."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError, invalid

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest

MAX_BYTES = 256 * 1024
_DATA_URI = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=]+)")


@routes.route("GET", "/applications/{application}/emojis")
def application_emojis(rest: Rest, call: Call) -> Any:
    _own(rest, call)
    return {"items": [_payload(name, ident) for name, ident in rest.world.emojis.items()]}


@routes.route("POST", "/applications/{application}/emojis")
def create_application_emoji(rest: Rest, call: Call) -> Any:
    _own(rest, call)
    name = call.json.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"\w{2,32}", name):
        raise invalid("name", "STRING_TYPE_REGEX", "String value did not match validation regex.")
    if name in rest.world.emojis:
        raise invalid("name", "APPLICATION_EMOJI_NAME_ALREADY_TAKEN", "Name is already taken.")
    found = _DATA_URI.fullmatch(call.json.get("image") or "")
    if found is None:
        raise invalid("image", "BASE_TYPE_REQUIRED", "This field is required")
    try:
        content = base64.b64decode(found.group(2), validate=True)
    except binascii.Error:
        raise invalid("image", "IMAGE_INVALID", "Invalid image") from None
    if len(content) > MAX_BYTES:
        raise ApiError(400, 50138)
    ident = rest.world.new_id()
    rest.world.emojis[name] = ident
    rest.world.files[f"/emojis/{ident}.png"] = (content, f"image/{found.group(1)}")
    return _payload(name, ident)


def _own(rest: Rest, call: Call) -> None:
    if call.id("application") != rest.world.application_id:
        raise ApiError(403, 50001)


def _payload(name: str, ident: int) -> dict[str, Any]:
    return {"id": str(ident), "name": name, "roles": [], "managed": False, "animated": False}
