"""Code, logs and documents that people paste give no orders; what speaks to the program does."""

from __future__ import annotations

from pathlib import Path

from bot.guardrails import Guardrails
from bot.guardrails.evaluation import Case, judge_cases, read_lines

PASTED = read_lines(Path(__file__).parents[3] / "fixtures/guardrails/pasted.jsonl", Case)


def test_what_is_pasted_is_no_order_and_an_order_in_it_is(room: Guardrails) -> None:
    wrong = [
        (one.decision.rule, one.case.text)
        for one in judge_cases(room.judge, PASTED)
        if one.decision.measure is not one.case.expect.action
    ]
    assert wrong == []
