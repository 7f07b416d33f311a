"""Settings with several values in a string: read strictly, and never quoted when refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings.values import MAX_HEADERS, read_headers


def test_headers_are_a_json_object_of_strings() -> None:
    text = '{"Authorization": "Bearer secret", "X-Team": "a b"}'
    assert read_headers(text) == {"Authorization": "Bearer secret", "X-Team": "a b"}
    assert read_headers("{}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bearer secret",
        "[]",
        "[[1, 2]]",
        "null",
        '"secret"',
        '{"a": 1}',
        '{"a": null}',
        '{"a": {"secret": "x"}}',
        '{"a": "secret\\r\\nHost: evil"}',
        '{"a": "secret\\u0000"}',
        '{"a": " secret"}',
        '{"a": ""}',
        '{"a": "sécret"}',
        '{"": "secret"}',
        '{"a b": "secret"}',
        '{"a:": "secret"}',
        '{"a\\n": "secret"}',
        '{"Host": "secret"}',
        '{"content-length": "0"}',
        '{"A": "secret", "a": "secret"}',
        '{"a": "' + "secret" * 1000 + '"}',
        json.dumps({f"X-{n}": "secret" for n in range(MAX_HEADERS + 1)}),
        "[" * 100_000,
    ],
)
def test_what_could_forge_a_request_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        read_headers(text)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.dictionaries(st.text(), st.text()))
def test_nothing_that_is_accepted_breaks_a_line(headers: dict[str, str]) -> None:
    try:
        found = read_headers(json.dumps(headers))
    except ValueError:
        return
    assert not set("\r\n\0") & set("".join([*found, *found.values()]))
