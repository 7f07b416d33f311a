"""`troupe guard train` and `troupe guard eval`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bot.errors import InputRejected
from bot.files.output_files import make_ready
from bot.guardrails.triage.corpus import CORPUS
from bot.guardrails.triage.heads import HEADS_FILE


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Add `guard` with its two commands; return where further ones are added."""
    guard = subparsers.add_parser("guard", help="train and evaluate the guardrails")
    guard.set_defaults(run=run)
    commands = guard.add_subparsers(dest="guard_command", required=True)
    training = commands.add_parser("train", help="train the classifier heads")
    training.add_argument("--corpus", type=Path, default=CORPUS, help="folder of *.txt sentences")
    training.add_argument("--out", type=Path, default=HEADS_FILE, help="the .npz file to write")
    training.add_argument(
        "--by-source", action="store_true", help="hold out each file whole; measure, write nothing"
    )
    training.add_argument("--json", action="store_true", help="print one JSON object")
    evaluation = commands.add_parser("eval", help="measure on labelled cases or conversations")
    evaluation.add_argument("file", type=Path, nargs="?", help="JSONL of cases")
    evaluation.add_argument("--conversations", type=Path, help="JSONL of conversations")
    evaluation.add_argument("--personas", type=Path, help="the operator's personas folder")
    evaluation.add_argument("--errors", action="store_true", help="list the cases judged wrongly")
    evaluation.add_argument("--json", action="store_true", help="print one JSON object")
    return commands


def run(args: argparse.Namespace) -> int:
    """Run a parsed command; return the exit status.

    Raises:
        InputRejected: what was given can't be used.
        SettingsRejected: a file of the operator's folder can't be.
    """
    return _train(args) if args.guard_command == "train" else _evaluate(args)


def _train(args: argparse.Namespace) -> int:
    from bot.guardrails.triage.training import train  # late: every command has this parser

    if not args.by_source:
        make_ready(args.out)
    figures = train(args.corpus, args.out, by_source=args.by_source)
    _print(figures, as_json=args.json)
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from bot.guardrails.evaluation import (
        Case,
        Talk,
        judge_cases,
        read_lines,
        report,
        report_talks,
    )
    from bot.guardrails.expressions import keep_all
    from bot.guardrails.room import Guardrails
    from bot.guardrails.rule_sets import all_rules

    if args.file is None and args.conversations is None:
        raise InputRejected(["eval: name a FILE.jsonl, or --conversations FILE.jsonl"])
    cases = None if args.file is None else read_lines(args.file, Case)
    talks = None if args.conversations is None else read_lines(args.conversations, Talk)
    keep_all()
    judge = Guardrails.load(args.personas).judge
    judge.warm(all_rules(args.personas))
    figures: dict[str, object] = {}
    if cases is not None:
        results = judge_cases(judge, cases)
        figures |= report(results)
        if args.errors:
            for one in results:
                if one.decision.measure is not one.case.expect.action:
                    sys.stderr.write(
                        f"{one.case.lang} {one.case.expect.action} -> {one.decision.measure} "
                        f"({one.decision.rule}): {one.case.text}\n"
                    )
    if talks is not None:
        counted = report_talks(judge, talks)
        figures |= counted if cases is None else {"conversations": counted}
    _print(figures, as_json=args.json)
    return 0


def _print(figures: dict[str, object], *, as_json: bool) -> None:
    from bot.guardrails.evaluation import as_text

    text = json.dumps(figures, ensure_ascii=False) if as_json else as_text(figures)
    sys.stdout.write(text + "\n")
