"""The account of a turn, in words: what `/why` and the button under a reply show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.discord.commands.render import plain
from bot.languages import t
from bot.routing.reasons import in_words

REASONS, LORE = 6, 10
"""How many are shown at most."""


def account_text(account: Mapping[str, Any]) -> str:
    """Return the account of a turn, as `TurnAccount.summary` has it, in words."""
    return "\n".join(_lines(account))


def _lines(account: Mapping[str, Any]) -> Iterator[str]:
    route = account.get("route")
    if route:
        shares = ", ".join(f"{name} {p:.0%}" for name, p in route["probabilities"].items())
        yield t(
            "**Route** {route}, by {source} ({shares})",
            route=route["route"],
            source=route["source"],
            shares=shares,
        )
        yield from (f"- {plain(in_words(reason))}" for reason in route["reasons"][:REASONS])
    persona = account.get("persona")
    if persona:
        yield t("**Persona** {name}", name=plain(persona["name"]))
    # Not the host: its address is the operator's business.
    yield t("**Model** `{model}`", model=plain(account.get("model") or t("none")))
    lore = (account.get("report") or {}).get("lore") or ()
    names = ", ".join(plain(str(each)) for each in lore[:LORE])
    yield t("**Lore** {entries}", entries=names or t("none"))
    yield t("**Memories** {count}", count=account.get("memories") or t("none"))
    flagged = [
        f"{each['stage']}: {each['action']} ({each['category']})"
        for each in account.get("verdicts") or ()
        if each.get("category")
    ]
    yield t("**Guardrails** {found}", found="; ".join(flagged) or t("nothing found"))
    drift = account.get("drift")
    if drift:
        yield t(
            "**In character** {score}{found}",
            score=f"{drift['score']:.0%}",
            found="".join(f", {each}" for each in _drift(drift)),
        )
    tokens = account.get("tokens")
    if tokens:
        yield t(
            "**Tokens** {prompt} in, {reply} out", prompt=tokens["prompt"], reply=tokens["reply"]
        )
    times = account.get("timings") or {}
    yield t(
        "**Times** {times}",
        times=", ".join(f"{name.replace('_', ' ')} {took:.2f} s" for name, took in times.items()),
    )


def _drift(drift: Mapping[str, Any]) -> Iterator[str]:
    yield from drift["reasons"]
    if drift.get("judge") is not None:
        yield t("the judge model says {score}", score=f"{drift['judge']:.0%}")
    if drift["drafts"] > 1:
        yield t("written again")
    if drift["reminded"]:
        yield t("reminded")
