"""That none of the 25 wants is left out, and that README.md names the scene of each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
README = HERE / "README.md"


def scenes() -> dict[str, int]:
    """Return each scene with the number of its want, in the order in which they stand."""
    found = {}
    for path in sorted(HERE.glob("test_*_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
                numbered = re.match(r"(\d+) · ", ast.get_docstring(node) or "")
                assert numbered, f"{node.name} does not say which want it shows"
                found[node.name] = int(numbered[1])
    return found


def test_each_of_the_25_wants_has_its_scene_in_order() -> None:
    assert list(scenes().values()) == list(range(1, 26))


def test_the_readme_s_table_names_each_scene() -> None:
    rows = re.findall(r"(?m)^\| (\d+) .*`(test_\w+)` \|$", README.read_text("utf-8"))
    assert [(name, int(number)) for number, name in rows] == list(scenes().items())
