"""A character card as a value: what its author wrote, ready for use.

`Card.raw` is the file's JSON, unknown fields and number spellings included; exports start from
it. The other fields are what the program works with: right types, defaults, `\\n` line ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.personas.lorebook import Lorebook

V1, V2, V3 = "chara_card_v1", "chara_card_v2", "chara_card_v3"
PYGMALION = "pygmalion"

MAX_NAME = 80
"""Characters of a webhook's name on Discord."""
NOT_FOR_WEBHOOKS = re.compile("clyde|discord", re.IGNORECASE)
"""What Discord refuses in a webhook's name (its API reference, "Create Webhook")."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A picture, sound or other file that belongs to a card. `uri` is never fetched."""

    type: str
    uri: str
    name: str
    ext: str


@dataclass(frozen=True, slots=True)
class DepthPrompt:
    """A note of the card's author that stands `depth` messages before the end."""

    text: str
    depth: int = 4
    role: str = "system"


@dataclass(frozen=True, slots=True)
class RegexScript:
    """A replacement that a card wants done on texts; see `bot.personas.scripts`."""

    name: str
    find: str
    replace: str
    trim: tuple[str, ...] = ()
    placement: frozenset[int] = frozenset()
    disabled: bool = False
    markdown_only: bool = False
    prompt_only: bool = False
    min_depth: int | None = None
    max_depth: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A character card. Times are unix seconds, 0 for unknown."""

    spec: str
    """`chara_card_v1`, `chara_card_v2`, `chara_card_v3` or `pygmalion`."""
    name: str
    nickname: str = ""
    description: str = ""
    personality: str = ""
    scenario: str = ""
    first_mes: str = ""
    mes_example: str = ""
    creator_notes: str = ""
    creator_notes_multilingual: Mapping[str, str] | None = None
    system_prompt: str = ""
    post_history_instructions: str = ""
    alternate_greetings: tuple[str, ...] = ()
    group_only_greetings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    creator: str = ""
    character_version: str = ""
    source: tuple[str, ...] = ()
    creation_date: int = 0
    modification_date: int = 0
    assets: tuple[Asset, ...] = ()
    book: Lorebook | None = None
    world: str = ""
    """Name of a lorebook that the card refers to without holding it."""
    talkativeness: float = 0.5
    """Chance to speak up in a scene, 0 to 1."""
    depth_prompt: DepthPrompt | None = None
    regex_scripts: tuple[RegexScript, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the part of `raw` that holds the character's fields."""
        data = self.raw.get("data")
        return data if self.spec in (V2, V3) and isinstance(data, Mapping) else self.raw
