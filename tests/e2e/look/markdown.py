"""Discord's markdown as HTML: what bots write, no more."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

_FENCE = re.compile(r"```(?:\w+\n)?(.*?)```", re.DOTALL)
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"__(.+?)__"), r"<u>\1</u>"),
    (re.compile(r"(?<!\w)\*(?!\s)(.+?)(?<!\s)\*"), r"<i>\1</i>"),
    (re.compile(r"(?<!\w)_(?!\s)(.+?)(?<!\s)_(?!\w)"), r"<i>\1</i>"),
    (re.compile(r"~~(.+?)~~"), r"<s>\1</s>"),
    (re.compile(r"\|\|(.+?)\|\|"), r"<span class=spoiler>\1</span>"),
    (re.compile(r"\[([^\]]+)\]\((?:&lt;)?(https?://[^)\s]+?)(?:&gt;)?\)"), r"<a>\1</a>"),
    (re.compile(r"(?<![\">])(https?://[^\s<]+)"), r"<a>\1</a>"),
)
_MENTION = re.compile(r"&lt;(@&amp;|@|#)(\d+)&gt;")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~|>@])")
_LINES: tuple[tuple[str, str], ...] = (
    ("### ", "h3"), ("## ", "h2"), ("# ", "h1"), ("-# ", "small"), ("&gt; ", "blockquote"),
)  # fmt: skip


def as_html(text: str, names: Mapping[str, str]) -> str:
    """Return text as Discord shows it. `names`: people, roles and channels by id."""
    kept: list[str] = []

    def keep(shown: str) -> str:
        kept.append(shown)
        return f"\x00{len(kept) - 1}\x00"

    text = _FENCE.sub(lambda m: keep(f"<pre>{html.escape(m[1].strip())}</pre>"), text)
    text = re.sub(r"`([^`\n]+)`", lambda m: keep(f"<code>{html.escape(m[1])}</code>"), text)
    text = _ESCAPED.sub(lambda m: keep(html.escape(m[1])), text)
    text = "".join(_line(line, names) for line in html.escape(text, quote=False).split("\n"))
    return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], text)


def _line(line: str, names: Mapping[str, str]) -> str:
    for mark, tag in _LINES:
        if line.startswith(mark):
            return f"<{tag}>{_inline(line[len(mark) :], names)}</{tag}>"
    if line.startswith("- "):
        return f"<div class=item>{_inline(line[2:], names)}</div>"
    return f"<div>{_inline(line, names) or '&#8203;'}</div>"


def _inline(text: str, names: Mapping[str, str]) -> str:
    for pattern, shown in _INLINE:
        text = pattern.sub(shown, text)
    return _MENTION.sub(_mentioned(names), text)


def _mentioned(names: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def shown(found: re.Match[str]) -> str:
        mark = "#" if found[1] == "#" else "@"
        return f"<span class=mention>{mark}{html.escape(names.get(found[2], 'unknown'))}</span>"

    return shown
