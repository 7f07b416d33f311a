"""Figures as a Markdown table, so that the README can quote them as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Figures = Mapping[str, float | int | str]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie; nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def as_table(name: str, figures: Figures) -> str:
    """Return a scene's figures as two columns."""
    lines = [f"| {name} | |", "|---|---|"]
    for key, value in figures.items():
        shown = f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value}"
        lines.append(f"| {key} | {shown} |")
    return "\n".join(lines) + "\n"
