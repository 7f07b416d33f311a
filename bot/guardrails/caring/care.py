"""Words of care, by language: crisis cards, refusals, disclosures. Data in `care/*.toml`."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from bot.errors import SettingsRejected
from bot.files.operator_files import overlaid

Short = Annotated[str, Field(min_length=1, max_length=400)]
DEFAULT = "en"
PLACE = re.compile(r"\{\w*\}")
"""Something to be filled in."""


class _LineEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    region: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]
    """ISO 3166 code of the country; empty for everywhere."""
    text: Short
    source: Annotated[str, Field(pattern=r"^https://\S{3,200}$")]
    checked: datetime.date
    """When somebody last looked whether the number is right."""


class _CareFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    card: Annotated[str, Field(min_length=20, max_length=1500)]
    again: Short
    resource: Short
    refusal: Short
    block: Short
    gate: Short
    unavailable: Short
    disclosure: Short
    first_contact: Short
    reminder: Short
    line: Annotated[list[_LineEntry], Field(min_length=1, max_length=20)]

    @field_validator("card", "again", "resource")
    @classmethod
    def _names_lines(cls, value: str) -> str:
        if "{lines}" not in value:
            raise ValueError("must hold {lines}")
        return value.strip()

    @field_validator("*")
    @classmethod
    def _has_no_other_place(cls, value: object, info: ValidationInfo) -> object:
        known = {"{lines}"} if info.field_name in ("card", "again", "resource") else set()
        if isinstance(value, str) and (unknown := set(PLACE.findall(value)) - known):
            raise ValueError(f"{min(unknown)} would be shown as it stands")
        return value


@dataclass(frozen=True, slots=True)
class Words:
    """What we say ourselves in one language. `lines` are (region, text)."""

    language: str
    card: str
    again: str
    resource: str
    refusal: str
    block: str
    gate: str
    unavailable: str
    disclosure: str
    first_contact: str
    reminder: str
    lines: tuple[tuple[str, str], ...]

    def crisis_card(self, region: str | None) -> str:
        """Return the card with the lines for a region, each on its own line."""
        lines = "\n".join(f"- {text}" for text in self._lines(region))
        return self.card.replace("{lines}", lines)

    def short(self, which: str, region: str | None) -> str:
        """Return `again` or `resource` with its lines."""
        text: str = getattr(self, which)
        return text.replace("{lines}", " · ".join(self._lines(region)))

    def _lines(self, region: str | None) -> list[str]:
        ours = [text for where, text in self.lines if where and where == region]
        everywhere = [text for where, text in self.lines if not where]
        return ours + everywhere if ours else [text for _, text in self.lines]


class Care:
    """All languages."""

    def __init__(self, words: Mapping[str, Words]) -> None:
        self._words = words

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._words)

    def words(self, locale: str | None, *spoken: str | None) -> Words:
        """Return the words for the first known language: those spoken, the locale's, English."""
        for name in (*spoken, (locale or "")[:2].lower()):
            if name and name in self._words:
                return self._words[name]
        return self._words[DEFAULT]


def discloses(care: Care, text: str) -> bool:
    """Whether a reply says in our own words that an AI writes it."""
    return any(care.words(language).disclosure in text for language in care.languages)


def region_of(locale: str | None) -> str | None:
    """Return the country of a locale such as `pt-BR`."""
    _, _, region = (locale or "").replace("_", "-").partition("-")
    return region.upper() if len(region) == 2 else None


def read_care(folders: Iterable[Path]) -> Care:
    """Read `*.toml` of the folders; a later file replaces an earlier one of equal name.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    problems: list[str] = []
    words: dict[str, Words] = {}
    files: dict[str, str] = {}
    for path in overlaid(folders).values():
        try:
            file = _CareFile.model_validate(tomllib.loads(path.read_text("utf-8-sig")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problems.append(f"{path.name}: {error}")
        except ValidationError as error:
            for one in error.errors(include_input=False, include_url=False):
                problems.append(f"{path.name}: {'.'.join(map(str, one['loc']))}: {one['msg']}")
        else:
            fields = file.model_dump(exclude={"line"})
            lines = tuple((line.region, line.text) for line in file.line)
            if other := files.get(file.language):
                problems.append(f"{path.name}: language: {other} has {file.language} already")
            files[file.language] = path.name
            words[file.language] = Words(**fields, lines=lines)
    if DEFAULT not in words and not problems:
        problems.append(f"care: {DEFAULT}.toml is missing")
    if problems:
        raise SettingsRejected(problems)
    return Care(words)
