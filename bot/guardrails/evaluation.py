"""Evaluation on cases and on conversations, as `troupe guard eval` prints it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.errors import InputRejected
from bot.guardrails.caring.risk import RiskState
from bot.guardrails.context import GuardContext
from bot.guardrails.judge import Judge
from bot.guardrails.policy import Decision
from bot.guardrails.taxonomy import CARING, HARD, Measure
from bot.guardrails.weighing import weigh
from bot.routing.route import Route

MAX_FILE = 64 * 1024 * 1024
STARTS = 1_700_000_000.0
INTERVENTIONS = HARD | {Measure.SUPPORT, Measure.NUDGE}
"""What counts as having stepped in within a conversation."""

Line = TypeVar("Line", bound=BaseModel)
Channel = Literal["sfw", "age_restricted", "dm"]
Role = Literal["user", "assistant"]


def _null_is(default: object) -> BeforeValidator:
    """Read `null` as a field that is not there, as many tools write it."""
    return BeforeValidator(lambda given: default if given is None else given)


AnyRoute = Annotated[Route, _null_is(Route.COMPANION)]
AnyChannel = Annotated[Channel, _null_is("sfw")]


class _Expect(BaseModel):
    model_config = ConfigDict(extra="ignore")
    action: Measure
    category: str | None = None


class Case(BaseModel):
    """One text with what should be done about it."""

    model_config = ConfigDict(extra="ignore")
    text: Annotated[str, Field(max_length=40_000)]
    expect: _Expect
    route: AnyRoute = Route.COMPANION
    channel: AnyChannel = "sfw"
    role: Annotated[Role, _null_is("user")] = "user"
    lang: Annotated[str, _null_is("en")] = "en"


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")
    minute: Annotated[float, Field(ge=0, le=10_000_000)]
    text: Annotated[str, Field(max_length=40_000)]


class Talk(BaseModel):
    """One conversation; `due` is the index of the turn at which stepping in is due."""

    model_config = ConfigDict(extra="ignore")
    id: str
    route: AnyRoute = Route.COMPANION
    channel: AnyChannel = "sfw"
    due: Annotated[int, Field(ge=0)] | None = None
    turns: Annotated[list[_Said], Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with what was decided, and the processor seconds that it took."""

    case: Case
    decision: Decision
    seconds: float


def read_lines(path: Path, kind: type[Line]) -> list[Line]:
    """Read a JSONL file. A line ends with a line feed only: JSON may hold U+2028 or U+0085 as is.

    Raises:
        InputRejected: with one line for each wrong line of the file.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise InputRejected([f"{path.name}: larger than {MAX_FILE >> 20} MiB"])
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        problem = f"{path.name}: {error.strerror or type(error).__name__}"
        raise InputRejected([problem]) from error
    except UnicodeDecodeError as error:
        raise InputRejected([f"{path.name}: not UTF-8"]) from error
    problems: list[str] = []
    found: list[Line] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            problems.append(f"{path.name}:{number}: {where}: {first['msg']}")
    if not found and not problems:
        problems.append(f"{path.name}: holds no line")
    if problems:
        raise InputRejected(problems)
    return found


def context_of(
    route: Route, channel: Channel, lang: str = "en", now: float = STARTS
) -> GuardContext:
    """Return the circumstances that a case names; a restricted channel has an adult card."""
    guild = None if channel == "dm" else GuildId(1)
    restricted = channel == "age_restricted"
    return GuardContext(
        route=route,
        place=Place(ChannelId(1), guild, age_restricted=restricted),
        person=UserId(1),
        adult_card=restricted,
        locale=lang,
        now=now,
    )


def judge_cases(judge: Judge, cases: Iterable[Case]) -> list[Judged]:
    """Judge every case by itself."""
    results = []
    for case in cases:
        context = context_of(case.route, case.channel, case.lang)
        began = time.thread_time()
        if case.role == "user":
            judgement = judge.message(case.text, context)
            decision = weigh(judgement, RiskState(), context).decision
        else:
            decision = judge.draft(case.text, context)
        results.append(Judged(case, decision, time.thread_time() - began))
    return results


def report(results: Sequence[Judged]) -> dict[str, Any]:
    """Return the figures: `hard_on_allowed` is a share of the cases that expect `allow`.

    `by_category` counts what is exactly right: support where the card is due is a miss there.
    Whether a person in need is noticed at all is `self_harm_triage`.
    """
    allowed = [r for r in results if r.case.expect.action is Measure.ALLOW]
    right = sum(r.decision.measure is r.case.expect.action for r in results)
    hard = sum(r.decision.measure in HARD for r in allowed)
    times = sorted(r.seconds * 1000 for r in results)
    return {
        "n": len(results),
        "action_accuracy": round(right / len(results), 4),
        "hard_on_allowed": round(hard / len(allowed), 4) if allowed else 0.0,
        "any_on_allowed": round(
            sum(r.decision.measure is not Measure.ALLOW for r in allowed) / len(allowed), 4
        )
        if allowed
        else 0.0,
        "self_harm_triage": _triage(results),
        "by_category": _by_category(results),
        "by_language": _by_language(results),
        "latency_ms": {"p50": round(_at(times, 0.5), 4), "p99": round(_at(times, 0.99), 4)},
    }


def _triage(results: Sequence[Judged]) -> dict[str, float]:
    """Return how many people in need (support or the card is due) are met with either, and how many
    of those who are met so are in need."""
    asked = [r for r in results if r.case.role == "user"]
    due = [r for r in asked if r.case.expect.action in CARING]
    met = [r for r in asked if r.decision.measure in CARING]
    both = sum(r.decision.measure in CARING for r in due)
    return {
        "precision": round(both / len(met), 4) if met else 0.0,
        "recall": round(both / len(due), 4) if due else 0.0,
        "n": len(due),
    }


def _by_category(results: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Precision and recall by category where cases name one, and by action."""
    expected = [(r.case.expect.category, r.case.expect.action.value) for r in results]
    found = [(r.decision.category, r.decision.measure.value) for r in results]
    named = any(category for category, _ in expected)
    figures = {}
    for at in (0, 1) if named else (1,):
        for name in sorted({e[at] for e in expected if e[at]}, key=str):
            hit = sum(e[at] == name and f[at] == name for e, f in zip(expected, found, strict=True))
            said = sum(f[at] == name for f in found)
            due = sum(e[at] == name for e in expected)
            figures[str(name)] = {
                "precision": round(hit / said, 4) if said else 0.0,
                "recall": round(hit / due, 4) if due else 0.0,
                "n": due,
            }
    return figures


def _by_language(results: Sequence[Judged]) -> dict[str, float]:
    shares = {}
    for lang in sorted({r.case.lang for r in results}):
        own = [r for r in results if r.case.lang == lang]
        right = sum(r.decision.measure is r.case.expect.action for r in own)
        shares[lang] = round(right / len(own), 4)
    return shares


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def first_intervention(judge: Judge, talk: Talk) -> int | None:
    """Return the index of the turn at which we step in, or None."""
    state = RiskState()
    for at, said in enumerate(talk.turns):
        context = context_of(talk.route, talk.channel, now=STARTS + said.minute * 60)
        weighed = weigh(judge.message(said.text, context), state, context)
        state = weighed.state
        if weighed.decision.measure in INTERVENTIONS:
            return at
    return None


def report_talks(judge: Judge, talks: Sequence[Talk]) -> dict[str, Any]:
    """Return how many due interventions came by one turn after they were due."""
    timely = missed = false_alarms = 0
    wrong = []
    for talk in talks:
        at = first_intervention(judge, talk)
        if talk.due is None:
            false_alarms += at is not None
            ok = at is None
        elif at is not None and at <= talk.due + 1:
            timely, ok = timely + 1, True
        else:
            missed, ok = missed + 1, False
        if not ok:
            wrong.append(talk.id)
    return {
        "n": len(talks),
        "due": timely + missed,
        "timely": timely,
        "missed": missed,
        "false_alarms": false_alarms,
        "wrong": wrong,
    }


def as_text(figures: dict[str, Any]) -> str:
    """Return figures for reading."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict) and value and isinstance(next(iter(value.values())), dict):
            lines.append(f"{name}:")
            lines += [f"  {key:<16} {json.dumps(inner)}" for key, inner in value.items()]
        else:
            lines.append(f"{name:<18} {json.dumps(value)}")
    return "\n".join(lines)
