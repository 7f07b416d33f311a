"""The rules in force: the shipped ones and the operator's, compiled once for what files hold."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from typing import Final

from bot.files.data_files import personas_dir
from bot.guardrails.matching.rule_files import SHIPPED, read_rules
from bot.guardrails.matching.rules import Rule, RuleSet
from bot.recent import Recent

_COMPILED: Final[Recent[bytes, tuple[RuleSet, RuleSet]]] = Recent(1)
"""The last rules of both sides, by what their files held."""


def compiled(directory: Path | None) -> tuple[RuleSet, RuleSet]:
    """Return the rules of both sides: what is asked, and what is drafted.

    To compile them is a second's work, which a change of other files can spare.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    held = contents(_rule_folders(directory))
    found = _COMPILED.get(held)
    if found is None:
        rules = all_rules(directory)
        found = _COMPILED[held] = RuleSet(rules, "user"), RuleSet(rules, "assistant")
    return found


def contents(folders: Iterable[Path]) -> bytes:
    """Return a digest of what the rule files of the folders hold now."""
    digest = blake2b()
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        try:
            held = path.read_bytes()
        except OSError:
            held = token_bytes()  # `read_rules` says what is wrong
        digest.update(b"%s\0%s" % (bytes(path.resolve()), blake2b(held).digest()))
    return digest.digest()


def _rule_folders(directory: Path | None) -> list[Path]:
    folders = [SHIPPED, personas_dir() / "rules"]
    if directory is not None and directory.resolve() != personas_dir().resolve():
        folders.append(directory / "rules")
    return folders


def all_rules(directory: Path | None = None) -> tuple[Rule, ...]:
    """Return the shipped rules, and those of the operator's personas folder.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    return read_rules(_rule_folders(directory))
