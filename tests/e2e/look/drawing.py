"""Payloads as HTML: messages with embeds and components of both generations, and forms."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.look.markdown import as_html

Json = Mapping[str, Any]
STYLE = (Path(__file__).parent / "discord.css").read_text("utf-8")
EPHEMERAL = 1 << 6
BUTTONS = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
SELECTS = {3: "Make a selection", 5: "Select a member", 6: "Select a role",
           7: "Select a member or role", 8: "Select a channel"}  # fmt: skip


class Drawing:
    """Draws payloads. `names`: people, roles and channels by id."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._kinds: dict[int, Callable[[Json], str]] = {
            1: self._row,
            2: self._button,
            9: self._section,
            10: lambda part: f"<div class=text>{self._md(part['content'])}</div>",
            11: lambda part: f"<img class=thumb src='{_address(part)}'>",
            12: lambda part: "".join(
                f"<img class=media src='{_address(i)}'>" for i in part["items"]
            ),
            14: lambda part: "<hr>" if part.get("divider", True) else "<div class=gap></div>",
            17: self._container,
            **dict.fromkeys(SELECTS, self._select),
        }

    def page(self, *parts: str) -> str:
        """Return a whole page."""
        head = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
        return f"{head}<main>{''.join(parts)}</main>"

    def message(self, body: Json, *, avatar: str | None = None, used: str = "") -> str:
        """Return a message. `avatar`: an address; `used`: the command that it answers."""
        body = _with_addresses(body)
        name = self._names.get(body["author"]["id"]) or body["author"]["username"]
        bot = body["author"].get("bot") or body.get("webhook_id")
        above = f"<div class=above>{html.escape(used)}</div>" if used else ""
        if quoted := body.get("referenced_message"):
            above = f"<div class=above>↱ {html.escape(quoted['content'][:90])}</div>"
        face = (
            f"<img class=face src='{avatar}'>"
            if avatar
            else f"<span class=face>{html.escape(name[0].upper())}</span>"
        )
        app = "<span class=app>APP</span>" if bot else ""
        below = ""
        if body.get("flags", 0) & EPHEMERAL:
            below = "<div class=eyes>👁 Only you can see this · <a>Dismiss message</a></div>"
        files = "".join(
            _file(each) for each in body.get("attachments") or () if not _inside(each, body)
        )
        return (
            f"<article>{above}{face}<div class=body><header><b>{html.escape(name)}</b>{app}"
            f"<time>Today at 12:00</time></header><div class=text>{self._md(body['content'])}</div>"
            f"{''.join(map(self._embed, body.get('embeds') or ()))}{''.join(map(_file, files))}"
            f"{self._parts(body.get('components') or ())}{below}</div></article>"
        )

    def form(self, modal: Json) -> str:
        """Return a form."""
        fields = "".join(self._field(part) for part in modal["components"])
        return (
            f"<section class=form><h2>{html.escape(modal['title'])}</h2>{fields}<footer>"
            "<button class=secondary>Cancel</button><button class=primary>Submit</button>"
            "</footer></section>"
        )

    def _md(self, text: str) -> str:
        return as_html(text, self._names) if text else ""

    def _parts(self, parts: Sequence[Json]) -> str:
        return "".join(self._part(part) for part in parts)

    def _part(self, part: Json) -> str:
        if part["type"] not in self._kinds:
            raise ValueError(f"component of type {part['type']} can't be drawn")
        return self._kinds[part["type"]](part)

    def _row(self, part: Json) -> str:
        return f"<div class=row>{self._parts(part['components'])}</div>"

    def _button(self, part: Json) -> str:
        emoji = html.escape((part.get("emoji") or {}).get("name") or "")
        label = html.escape(part.get("label") or "")
        off = " disabled" if part.get("disabled") else ""
        return f"<button class={BUTTONS[part.get('style', 2)]}{off}>{emoji} {label}</button>"

    def _select(self, part: Json) -> str:
        chosen = [o["label"] for o in part.get("options") or () if o.get("default")]
        chosen += [
            self._names.get(str(d["id"]), "unknown") for d in part.get("default_values") or ()
        ]
        hint = part.get("placeholder") or SELECTS[part["type"]]
        shown = ", ".join(chosen) or hint
        tone = "" if chosen else " hint"
        return f"<div class='select{tone}'><span>{html.escape(shown)}</span><span>⌄</span></div>"

    def _section(self, part: Json) -> str:
        accessory = self._part(part["accessory"])
        return f"<div class=section><div>{self._parts(part['components'])}</div>{accessory}</div>"

    def _container(self, part: Json) -> str:
        colour = part.get("accent_color")
        edge = f" style='border-left:4px solid #{colour:06x}'" if colour is not None else ""
        return f"<div class=container{edge}>{self._parts(part['components'])}</div>"

    def _embed(self, embed: Json) -> str:
        colour = f"#{embed.get('color') or 0x1E1F22:06x}"
        thumb = (embed.get("thumbnail") or {}).get("url")
        picture = (embed.get("image") or {}).get("url")
        fields = "".join(
            f"<div class='field{' inline' if each.get('inline') else ''}'>"
            f"<b>{self._md(each['name'])}</b>{self._md(each['value'])}</div>"
            for each in embed.get("fields") or ()
        )
        author, footer = (embed.get(part) or {} for part in ("author", "footer"))
        return (
            f"<div class=embed style='border-left-color:{colour}'><div>"
            f"<div class=by>{html.escape(author.get('name') or '')}</div>"
            f"<div class=title>{self._md(embed.get('title') or '')}</div>"
            f"{self._md(embed.get('description') or '')}<div class=fields>{fields}</div>"
            + (f"<img class=media src='{picture}'>" if picture else "")
            + f"<div class=foot>{html.escape(footer.get('text') or '')}</div></div>"
            + (f"<img class=thumb src='{thumb}'>" if thumb else "")
            + "</div>"
        )

    def _field(self, part: Json) -> str:
        inner = part.get("component") or (part.get("components") or [part])[0]
        if part["type"] == 10:
            return f"<div class=text>{self._md(part['content'])}</div>"
        label = part.get("label") or inner.get("label") or ""
        need = "<em> *</em>" if inner.get("required", True) else ""
        hint = (
            f"<small>{html.escape(part['description'])}</small>" if part.get("description") else ""
        )
        if inner["type"] in SELECTS:
            shown = self._select(inner)
        else:
            long = " long" if inner.get("style") == 2 else ""
            value = html.escape(inner.get("value") or inner.get("placeholder") or "")
            tone = "" if inner.get("value") else " hint"
            shown = f"<div class='input{long}{tone}'>{value}</div>"
        return f"<label><b>{html.escape(label)}</b>{need}{hint}{shown}</label>"


def _with_addresses(body: Json) -> Json:
    """Return a message whose `attachment://` addresses lead to its own files."""
    text = json.dumps(body)
    for file in body.get("attachments") or ():
        text = text.replace(f"attachment://{file['filename']}", file["url"])
    found: Json = json.loads(text)
    return found


def _media(part: Json) -> str:
    return f"<img class=media src='{_address(part)}'>"


def _address(part: Json) -> str:
    return html.escape(part["media"]["url"])


def _inside(file: Json, body: Json) -> bool:
    """Whether an embed or a component shows the file already."""
    return file["filename"] in repr((body.get("embeds"), body.get("components")))


def _file(file: Json) -> str:
    if str(file.get("content_type")).startswith("image/"):
        return f"<img class=media src='{html.escape(file['url'])}'>"
    return f"<div class=file>📄 <a>{html.escape(file['filename'])}</a> · {file['size']} bytes</div>"
