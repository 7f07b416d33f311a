"""Nothing that leaves pings, invites, hides an address or loads an image."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guardrails import sanitise
from bot.guardrails.outbound import open_link

PINGS = re.compile(r"@(?:everyone|here)|<@[!&]?\d+>", re.IGNORECASE)
INVITES = re.compile(r"discord(?:app)?\.(?:gg|com/invite)/\w", re.IGNORECASE)
MASKED = re.compile(r"!?\[[^\]]*\]\(")

PIECES = st.sampled_from(
    [
        "@everyone", "@here", "@EveryOne", "＠everyone", "@\u200beveryone", "<@123456789>", "<@!1>",
        "<@&42>", "<#7>", "discord.gg/abc", "https://discord.com/invite/abc", "DISCORD.GG/x",
        "dis\u200bcord.gg/abc", "[a](https://b.c)", "![x](http://y/z.png)", "[", "](", ")", "`",
        "```", "\n", " ", "text", "<", ">", "@", "everyone", "here", "</go:1>",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=300, deadline=None)
def test_no_ping_and_no_invite_survives(text: str) -> None:
    clean = sanitise(text)
    assert not PINGS.search(clean)
    assert not INVITES.search(clean.replace("\u200b", ""))
    outside = re.sub(r"```.*?```|`[^`\n]+`", "", clean, flags=re.DOTALL)
    assert not re.search(r"!\[[^\]\n]*\]\([^)\n]*\)", outside)


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=150, deadline=None)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    once = sanitise(text)
    assert sanitise(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [the docs](https://a.b/c)", "see the docs (<https://a.b/c>)"),
        ("[google.com](https://evil.example/x)", "<https://evil.example/x>"),
        ("![cat](https://t.example/p.png)", "(cat)"),
        ("`[x](http://y)` and ```![a](b)```", "`[x](http://y)` and ```![a](b)```"),
        ("write to me@example.org", "write to me@example.org"),
        ("plain text, 3 < 4", "plain text, 3 < 4"),
        ("run </help:123>", "run /help"),
    ],
)
def test_links_say_where_they_go(text: str, shown: str) -> None:
    assert sanitise(text) == shown


def test_code_never_pings() -> None:
    assert not PINGS.search(sanitise("```@everyone <@1>``` `@here`"))


OPEN = re.compile(r"!?\[[^\]\n]{0,1000}(?:\](?:\([^)\n]{0,2000})?)?\Z")
"""What `open_link` looks for, by trying every place."""
MARKUP = st.sampled_from(
    ["![", "[", "]", "](", "(", ")", "!", "\n", "a", "b" * 999, "c" * 1000, "d" * 1999]
)


@given(st.lists(MARKUP, max_size=9).map("".join))
@settings(max_examples=300, deadline=None)
def test_a_link_that_is_still_open_is_found_where_it_begins(text: str) -> None:
    found = OPEN.search(text)
    assert open_link(text) == (found.start() if found else None)


class Counted(str):
    """A text that counts its characters as they are looked at."""

    __slots__ = ("looked_at",)

    def __init__(self, _: str) -> None:
        self.looked_at = 0

    def find(self, part: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        found = super().find(part, start, end)
        self.looked_at += (
            (len(self) if end is None else end) - start if found < 0 else found - start
        )
        return found

    def rfind(self, part: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        found = super().rfind(part, start, end)
        self.looked_at += (len(self) if end is None else end) - max(start, found)
        return found


@pytest.mark.parametrize("piece", ["![", "[", "[a](b", "![a]", "](", "[](", "]", "a"])
def test_markup_without_end_is_looked_through_in_linear_work(piece: str) -> None:
    text = Counted(piece * (40_000 // len(piece)))
    open_link(text)
    assert text.looked_at <= 6 * len(text)
