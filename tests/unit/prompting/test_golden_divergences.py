"""Where the bot differs from the observed cases of `tests/golden/cards`: all of it, in one table.

2.7 is the list of quirks in the reference that are not to be copied. A case is a pattern of ids; of
macros it is the macro. Cases that no row names pass as they were observed.

| file | case | observed | ours | reason |
|---|---|---|---|---|
| wi | * | of equal orders the later entry stands first | the author's order | quirk (2.7) |
| wi | whole-word-accent | `caf` matches `café` | it does not | quirk (2.7) |
| wi | whole-word-cyrillic-substring | `кот` matches `который` | it does not | quirk (2.7) |
| wi | budget-* | an exact fit does not fit | it fits: we give one word less | quirk (2.7) |
| wi | budget-ignore-flag | dropped | goes in | SillyTavern of 2026 (`expected_2026`) |
| macros | {{comment: hi}} | stays as text | empty | Version 3 says so |
| macros | {{hidden_key:foo}} | stays as text | empty | Version 3 says so |
| macros | {{roll:d6}} | a mark of the test harness | 1 to 6 | checked by its form |
| macros | {{time_UTC+2}} | a mark of the test harness | the time | checked by its form |
| macros | {{datetimeformat DD.MM}} | a mark of the test harness | the date | checked by its form |
| macros | {{pick:a,b,c}} | by the harness's hash | by ours | checked: one of them, and stable |
| prompt | * | system messages between turns | late block of the last message | our layout |
| prompt | * | `User` in the card's texts | `the user` | one system message for everybody |
| prompt | * | `[Start a new Chat]` | `[The conversation begins.]` | wording |
| prompt | continue-prefill | assistant message last | a request to go on | not portable |
| prompt | history-vs-examples-* | one message at a time | half at once | the cache |
| prompt | history-vs-examples-* | orphan `[Example Chat]` | none | quirk (2.7) |
| prompt | injection-* | lost with the history above | kept | quirk (2.7) |
| prompt | budget-injection-* | lost with the history above | kept | quirk (2.7) |
| prompt | budget-pin-examples | examples first | history first | a setting we do not offer |
| prompt | pinned-examples-* | examples first | history first | a setting we do not offer |
| prompt | budget-mandatory-too-big | an error | an error that says what to do | wording |
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from tests.unit.prompting.test_lore_golden import GOLDEN, UNICODE_WORDS
from tests.unit.prompting.test_macros import BY_FORM

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (__doc__ or "").splitlines()
    if line.startswith("| ") and not line.startswith("| file")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_row_names_cases_that_there_are_and_a_reason(row: list[str]) -> None:
    file, pattern, observed, ours, reason = row
    cases = json.loads((GOLDEN / f"{file}.json").read_text("utf-8"))
    names = [case.get("id") or case["in"] for case in cases]
    assert any(fnmatchcase(name, pattern) for name in names) or pattern in names
    assert observed
    assert ours
    assert reason


def test_every_case_that_a_test_treats_apart_has_a_row() -> None:
    apart = {("wi", name) for name in UNICODE_WORDS} | {("macros", macro) for macro in BY_FORM}
    newer = json.loads((GOLDEN / "wi.json").read_text("utf-8"))
    apart |= {("wi", case["id"]) for case in newer if "expected_2026" in case}
    assert apart <= {(row[0], row[1]) for row in ROWS}
