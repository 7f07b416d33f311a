"""Nothing that leaves pings, invites, hides an address or loads an image."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.delivery.split import split
from bot.guardrails import sanitise
from bot.guardrails.outgoing.outbound import open_link, without_previews

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


CODE = re.compile(r"```(?:[\w+\-.#]+?\n)?\n*[^\n].*?\n*```|(`+)\s*.*?[^`]\s*\1(?!`)", re.DOTALL)
"""Code at some place of a message, as Discord's desktop client reads it."""


def outside_code(text: str) -> str:
    left, at = "", 0
    while at < len(text):
        code = CODE.match(text, at)
        left += " " if code else text[at]
        at = code.end() if code else at + 1
    return left


@given(st.lists(PIECES, max_size=25).map("".join))
@example("`@everyone```````![x](http://y/z.png)`")
@settings(max_examples=300, deadline=None)
def test_no_ping_and_no_invite_survives(text: str) -> None:
    clean = sanitise(text)
    assert not PINGS.search(clean)
    assert not INVITES.search(clean.replace("\u200b", ""))
    assert not re.search(r"!\[[^\]\n]*\]\([^)\n]*\)", outside_code(clean))


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


@pytest.mark.parametrize(
    "invite",
    [
        "https://discord.gg:443/abc", "https://discord.com./invite/abc", "discord.gg./abc",
        "discord.com:443/invite/abc", "discord.gg/%61bc", "dis%63ord.gg/abc",
        "discord.com/%69nvite/abc", "discord.com/api/../invite/abc", "discord。gg/abc",
        "ｄｉｓｃｏｒｄ．ｇｇ/abc", "discord．gg／abc", "𝐝𝐢𝐬𝐜𝐨𝐫𝐝.𝐠𝐠/abc",
        "dis\u2060cord.gg/a\ufe0fbc", "https://discord.gg/#/abc", "discord.new/abcDEF",
        "https://discord.com/oauth2/authorize?client_id=1&scope=bot",
        "discord.com/api/oauth2/authorize?client_id=1",
    ],
)  # fmt: skip
def test_an_invite_goes_as_a_browser_would_read_it_and_its_neighbours_stay(invite: str) -> None:
    assert sanitise(f"komm 来 {invite} – 100% frei") == "komm 来 [invite removed] – 100% frei"
    assert sanitise(f"`{invite}`") == "`[invite removed]`"


@pytest.mark.parametrize(
    "text",
    [
        "I use discord。那很好",
        "discord.com/channels/1/2",
        "a discord.newsletter/x, and discord.com/developers/docs/topics/oauth2",
        "https://a.b/c%20d discord",
        "ｆｕｌｌ 50%",
    ],
)
def test_what_only_speaks_of_discord_stays(text: str) -> None:
    assert sanitise(text) == text


@pytest.mark.parametrize(
    "text",
    [
        r"\`[paypal.com](https://evil.example)\`",
        r"\\\`[paypal.com](https://evil.example)\\\`",
        "`a```b` [paypal.com](https://evil.example) ```",
        "``a` `[paypal.com](https://evil.example)`",
        "`x\ny` `[paypal.com](https://evil.example)` `",
        "```\n```x``` [paypal.com](https://evil.example) ```",
        "[paypal.com [b [c]]](https://evil.example)",
        "[pay\npal.com](https://evil.example)",
    ],
)
def test_no_disguise_masks_a_link(text: str) -> None:
    assert "](" not in sanitise(text)


@pytest.mark.parametrize(
    "piece", ["`", "` ", "``` ", "`a``", "\\`", "é discord.com/", "](\n", "[a"]
)
def test_hostile_markup_is_bounded(piece: str) -> None:
    began = time.process_time()
    sanitise(piece * (40_000 // len(piece)))
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "code",
    [
        "`[x](http://y)`",
        r"\\`[x](http://y)`",
        "it`s `` [x](http://y) ``",
        "a`b\n```py\n[x](http://y)\n```",
    ],
)
def test_code_beyond_doubt_keeps_its_text(code: str) -> None:
    assert sanitise(code) == code


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


def test_nothing_turns_the_direction_of_writing() -> None:
    text = "Hello \u202eevil\u202c then \u2066isolate\u2069, `\u202dcode`: \u05e9\u05dc\u200f."
    assert sanitise(text) == "Hello evil then isolate, `code`: \u05e9\u05dc\u200f."


@given(
    before=st.integers(0, 2100),
    filling=st.integers(0, 2100),
    ticks=st.sampled_from(["`", "``"]),
)
def test_no_part_of_a_long_reply_begins_amid_code_that_held_a_link(
    before: int, filling: int, ticks: str
) -> None:
    link = "[https://google.com](https://evil.example/x)"
    text = f"{'word ' * (before // 5)}{ticks}{'x' * filling}{link}{ticks} and on."
    for part in split(sanitise(text)):
        assert not MASKED.search(outside_code(part.text))


def test_what_an_invite_leaves_makes_no_link() -> None:
    once = sanitise("discord.gg/abc ](https://evil.example)")
    assert sanitise(once) == once
    assert not MASKED.search(once)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://a.b/c.png?u=secret.", "see <https://a.b/c.png?u=secret>."),
        ("(https://e.org/K2_(x)).", "(<https://e.org/K2_(x)>)."),
        ("||https://a.b|| **HTTPS://x.y/z**", "||<https://a.b>|| **<HTTPS://x.y/z>**"),
        ("<https://a.b/c>", "<https://a.b/c>"),
        ("x <https://a.b unclosed", "x <<https://a.b> unclosed"),
        ("`https://a.b` and no link: https://", "`https://a.b` and no link: https://"),
    ],
)
def test_no_link_loads_a_picture_by_its_preview(text: str, shown: str) -> None:
    assert without_previews(sanitise(text)) == shown
    assert without_previews(shown) == shown
    assert sanitise(shown) == shown
