"""Cards as people have them."""

from __future__ import annotations

import base64
import json
from typing import Any

from bot.personas import png


def data(name: str = "Wren", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": "A small brown bird who knows every tune.",
        "personality": "bold",
        "scenario": "A garden.",
        "first_mes": "*hops closer* Good morning, {{user}}!",
        "mes_example": "",
        "creator_notes": "Made for gardens.",
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": [],
        "tags": ["bird", "garden"],
        "creator": "ann",
        "character_version": "1.2",
        "extensions": {"their_app": {"n": 1}},
        **fields,
    }


def json_card(name: str = "Wren", **fields: Any) -> bytes:
    card = {"spec": "chara_card_v2", "spec_version": "2.0", "data": data(name, **fields)}
    return json.dumps(card).encode()


def png_card(name: str = "Wren", **fields: Any) -> bytes:
    text = base64.b64encode(json_card(name, **fields))
    return png.with_texts(png.blank_picture(), [png.Text("chara", text)])


def upload(content: bytes, name: str = "wren.json") -> tuple[str, bytes, str]:
    return (name, content, "application/octet-stream")
