"""How well a router does on labelled messages it has never seen: figures, and their text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bot.routing.judging import Judged, flips_per_100
from bot.routing.route import Route
from bot.routing.router import Router

if TYPE_CHECKING:
    from bot.routing.encoder import Encoder

ECE_BINS = 10
PRECISION = 0.95


def report(
    router: Router, judged: Sequence[Judged], encoder: Encoder | None = None
) -> dict[str, Any]:
    """Return the figures, ready for JSON; `latency_ms` is of `Judged.seconds`."""
    times = sorted(each.seconds * 1000 for each in judged)
    return {
        "n": len(judged),
        "accuracy": _share(judged),
        "macro_f1": macro_f1(judged),
        "per_class": _per_class(judged),
        "by_kind": _by(judged, lambda each: each.wanted.kind),
        "by_lang": _by(judged, lambda each: each.wanted.lang),
        "ece": calibration_error(judged),
        "coverage_at_95": coverage_at(judged, PRECISION),
        "risk_coverage": risk_coverage(judged),
        "flips_per_100": flips_per_100(router, [each.wanted for each in judged], encoder),
        "confusion": confusion(judged),
        "latency_ms": {
            "p50": round(_quantile(times, 0.50), 4),
            "p99": round(_quantile(times, 0.99), 4),
        },
    }


def macro_f1(judged: Sequence[Judged]) -> float:
    """Return the mean F1 of the classes that are wanted or were decided for.

    A class that nobody wanted and a message got all the same counts with 0, as in scikit-learn:
    of a group with one class only, any error costs half or more. Overall, by kind, and by language.
    """
    scores = [
        figures["f1"]
        for figures in _per_class(judged).values()
        if figures["support"] + figures["decided"]
    ]
    return round(sum(scores) / len(scores), 4) if scores else 0.0


def confusion(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """Return counts by wanted and decided route."""
    counts = {wanted.value: {got.value: 0 for got in Route} for wanted in Route}
    for each in judged:
        counts[each.wanted.label.value][each.decision.route.value] += 1
    return counts


def _per_class(judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    counts = confusion(judged)
    result: dict[str, dict[str, float]] = {}
    for route in (each.value for each in Route):
        hits = counts[route][route]
        decided = sum(row[route] for row in counts.values())
        support = sum(counts[route].values())
        result[route] = {
            "precision": round(hits / decided, 4) if decided else 0.0,
            "recall": round(hits / support, 4) if support else 0.0,
            "f1": round(2 * hits / (decided + support), 4) if decided + support else 0.0,
            "support": support,
            "decided": decided,
        }
    return result


def _by(judged: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[key(each) or "-"].append(each)
    return {
        name: {"n": len(group), "accuracy": _share(group), "macro_f1": macro_f1(group)}
        for name, group in sorted(groups.items())
    }


def _share(judged: Sequence[Judged]) -> float:
    return round(sum(each.right for each in judged) / len(judged), 4) if judged else 0.0


def calibration_error(judged: Sequence[Judged]) -> float:
    """Return the expected calibration error over ten bins of equal width."""
    bins = reliability(judged)
    total = len(judged)
    error = sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in bins)
    return round(error / total, 4) if total else 0.0


def reliability(judged: Sequence[Judged]) -> list[dict[str, float]]:
    """Return, for each bin of confidence that is not empty, how often it was right."""
    bins: dict[int, list[Judged]] = defaultdict(list)
    for each in judged:
        bins[min(int(each.decision.confidence * ECE_BINS), ECE_BINS - 1)].append(each)
    return [
        {
            "bin": index,
            "n": len(group),
            "confidence": sum(each.decision.confidence for each in group) / len(group),
            "accuracy": sum(each.right for each in group) / len(group),
        }
        for index, group in sorted(bins.items())
    ]


def coverage_at(judged: Sequence[Judged], precision: float) -> float:
    """Return the largest share of messages, surest first, that keeps this precision."""
    best = hits = 0
    ranked = sorted(judged, key=lambda each: -each.decision.confidence)
    for count, each in enumerate(ranked, 1):
        hits += each.right
        if hits >= precision * count:
            best = count
    return round(best / len(judged), 4) if judged else 0.0


def risk_coverage(judged: Sequence[Judged]) -> list[dict[str, float]]:
    """Return precision and coverage for thresholds of confidence."""
    rows = []
    for threshold in (0.0, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95):
        kept = [each for each in judged if each.decision.confidence >= threshold]
        rows.append(
            {
                "threshold": threshold,
                "coverage": round(len(kept) / len(judged), 4) if judged else 0.0,
                "precision": _share(kept),
            }
        )
    return rows


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def miss_as_text(each: Judged) -> str:
    """Return a wrong decision as one line."""
    decision = each.decision
    return (
        f"{each.wanted.label} → {decision.route} {decision.confidence:.2f} "
        f"[{each.wanted.lang} {each.wanted.kind}] {each.wanted.text[:160]!r}"
    )


def report_as_text(figures: Mapping[str, Any]) -> list[str]:
    """Return the figures of `report` as lines of text."""
    flips = figures["flips_per_100"]
    lines = [
        f"messages           {figures['n']}",
        f"accuracy           {figures['accuracy']:.4f}",
        f"macro-F1           {figures['macro_f1']:.4f}",
        f"calibration error  {figures['ece']:.4f}",
        f"coverage at 95 %   {figures['coverage_at_95']:.4f}",
        f"flips per 100      {'–' if flips is None else f'{flips:.2f}'}",
        (
            f"latency p50 / p99  {figures['latency_ms']['p50']:.3f} / "
            f"{figures['latency_ms']['p99']:.3f} ms"
        ),
        "",
        f"{'class':<14}{'precision':>10}{'recall':>10}{'f1':>10}{'n':>8}",
    ]
    for name, row in figures["per_class"].items():
        lines.append(
            f"{name:<14}{row['precision']:>10.4f}{row['recall']:>10.4f}{row['f1']:>10.4f}"
            f"{row['support']:>8}"
        )
    for title, key in (("kind", "by_kind"), ("language", "by_lang")):
        lines += ["", f"{title:<14}{'accuracy':>10}{'macro-F1':>10}{'n':>8}"]
        for name, row in figures[key].items():
            lines.append(f"{name:<14}{row['accuracy']:>10.4f}{row['macro_f1']:>10.4f}{row['n']:>8}")
    lines += ["", f"{'threshold':<14}{'coverage':>10}{'precision':>10}"]
    for row in figures["risk_coverage"]:
        lines.append(f"{row['threshold']:<14}{row['coverage']:>10.4f}{row['precision']:>10.4f}")
    return lines
