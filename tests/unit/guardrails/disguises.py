"""Ways in which people hide words from a filter."""

from __future__ import annotations

import base64
from collections.abc import Callable


def shifted(first: int) -> Callable[[str], str]:
    return lambda text: "".join(chr(first + ord(c) - 97) if "a" <= c <= "z" else c for c in text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "look-alikes": lambda t: t.translate(str.maketrans("aeoyis", "аеоуіѕ")),
    "small capitals": lambda t: t.translate(str.maketrans("ilmnkaety", "ɪʟᴍɴᴋᴀᴇᴛʏ")),
    "leet": lambda t: t.translate(str.maketrans("aeios", "43105")),
    "fullwidth": shifted(0xFF41),
    "mathematical": shifted(0x1D41A),
    "squared": shifted(0x1F130),
    "negative squared": shifted(0x1F170),
    "tag characters": lambda t: "".join(chr(0xE0000 + ord(c)) if c.isascii() else c for c in t),
    "combining marks": lambda t: "".join(c + "\u0337\u0301\u0334" if c != " " else c for c in t),
    "split by bold": lambda t: t.replace("ki", "ki**").replace("ll", "ll**").replace("my", "my__"),
    "split by empty bold": lambda t: t.replace("ki", "ki****").replace("my", "m****y"),
    "iota below": lambda t: "".join(c + "\u0345" if c != " " else c for c in t),
    "spoilers": lambda t: " ".join(f"||{w}||" for w in t.split()),
    "dots in words": lambda t: " ".join(".".join(w) for w in t.split()),
    "hyphens in words": lambda t: " ".join("-".join(w) for w in t.split()),
    "dots for spaces": lambda t: t.replace(" ", "."),
    "wide spacing": lambda t: "  ".join(" ".join(w) for w in t.split()),
    "stretched": lambda t: t.replace("i", "iiii"),
    "stars": lambda t: t.replace("kill", "k*ll"),
    "two stars": lambda t: t.replace("kill", "k**l"),
    "letter emoji": lambda t: " ".join(
        "".join(f":regional_indicator_{c}:" if "a" <= c <= "z" else c for c in w) for w in t.split()
    ),
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "capitals": str.upper,
    "blank braille": "\u2800".join,
    "strike-through": lambda t: "".join(c + "\u0336" for c in t),
    "cherokee": lambda t: t.translate(str.maketrans("aeiklmnost", "ᎪᎬᎥᏦᏞᎷᏁᎾᏚᎢ")),
}
GRAVE_DISGUISES: dict[str, Callable[[str], str]] = {
    "no spaces": lambda t: t.replace(" ", ""),
    "a hashtag": lambda t: "#" + t.replace(" ", ""),
    "capitals for spaces": lambda t: "".join(w.capitalize() for w in t.split()),
    "from behind": lambda t: t[::-1],
    "shown from behind": lambda t: "\u202e" + t[::-1],
}
"""Seen through where the words are known ones, and from behind where they are the gravest."""
