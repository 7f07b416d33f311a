"""Two pictures of an evaluation, as SVG: the confusion table and the reliability curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bot.routing.evaluation import confusion, reliability
from bot.routing.judging import Judged

_CELL = 110
_SIDE = 360
_INK, _LINE, _FILL = "#1f2933", "#9aa5b1", "#3e7cb1"


def write_plots(judged: Sequence[Judged], folder: Path) -> list[Path]:
    """Write `confusion.svg` and `reliability.svg` into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "confusion.svg": confusion_svg(confusion(judged)),
        "reliability.svg": reliability_svg(reliability(judged)),
    }
    for name, picture in pictures.items():
        (folder / name).write_text(picture, encoding="utf-8")
    return [folder / name for name in pictures]


def confusion_svg(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return the confusion table: a row for each wanted route, a column for each decided one."""
    labels = list(counts)
    parts = [_words(130 + 1.5 * _CELL, 20, "decided", anchor="middle")]
    for at, label in enumerate(labels):
        parts.append(_words(130 + (at + 0.5) * _CELL, 42, label, anchor="middle"))
        parts.append(_words(120, 50 + (at + 0.5) * _CELL + 5, label, anchor="end"))
    for row, wanted in enumerate(labels):
        total = sum(counts[wanted].values()) or 1
        for column, decided in enumerate(labels):
            share = counts[wanted][decided] / total
            x, y = 130 + column * _CELL, 50 + row * _CELL
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{_FILL}" '
                f'fill-opacity="{share:.3f}" stroke="{_LINE}"/>'
            )
            text = f"{counts[wanted][decided]} ({share:.0%})"
            parts.append(_words(x + _CELL / 2, y + _CELL / 2 + 5, text, anchor="middle"))
    return _svg(140 + 3 * _CELL, 60 + 3 * _CELL, parts)


def reliability_svg(bins: Sequence[Mapping[str, float]]) -> str:
    """Return how often decisions of each confidence were right; honest ones lie on the line."""
    left, top = 50, 20
    bottom = top + _SIDE
    parts = [
        (
            f'<rect x="{left}" y="{top}" width="{_SIDE}" height="{_SIDE}" fill="none" '
            f'stroke="{_LINE}"/>'
        ),
        (
            f'<path d="M{left} {bottom} L{left + _SIDE} {top}" stroke="{_LINE}" '
            'stroke-dasharray="4 4"/>'
        ),
    ]
    for tick in range(0, 11, 2):
        share = tick / 10
        parts.append(_words(left + share * _SIDE, bottom + 18, f"{share:.1f}", anchor="middle"))
        parts.append(_words(left - 8, bottom - share * _SIDE + 4, f"{share:.1f}", anchor="end"))
    total = sum(each["n"] for each in bins) or 1
    points = []
    for each in bins:
        x, y = left + each["confidence"] * _SIDE, bottom - each["accuracy"] * _SIDE
        points.append(f"{x:.1f},{y:.1f}")
        radius = 3 + 14 * (each["n"] / total) ** 0.5
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_FILL}" '
            'fill-opacity="0.5"/>'
        )
    parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{_FILL}"/>')
    parts.append(_words(left + _SIDE / 2, bottom + 38, "confidence", anchor="middle"))
    parts.append(_words(left + 8, top + 18, "share that was right"))
    return _svg(left + _SIDE + 20, bottom + 50, parts)


def _words(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'font-family="sans-serif" font-size="13" fill="{_INK}">\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
