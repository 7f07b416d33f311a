"""`troupe route`: train, evaluate and roll back the router's model."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.errors import InputRejected, SettingsRejected
from bot.files.output_files import make_ready, make_ready_folder
from bot.ports import ChatModel, Classifier
from bot.routing.accurate import AccurateStage, ready_encoder
from bot.routing.asked_model import AskedModel
from bot.routing.corpus import Corpus, Example, pooled
from bot.routing.dataset import Labelled, read_labelled
from bot.routing.dispatch import Dispatcher
from bot.routing.evaluation import miss_as_text, report, report_as_text
from bot.routing.judging import Judged, as_in_a_running_bot, judge, judge_in_service
from bot.routing.model_stage import ModelStage
from bot.routing.promotion import (
    in_service,
    judgement,
    kept_before,
    place_of,
    promote,
    rollback,
    shipped_fixture,
)
from bot.routing.router import SHIPPED, Router

if TYPE_CHECKING:
    from bot.routing.encoder import Encoder

_OK, _PROBLEMS = 0, 1
_TOLD_EVERY = 50_000
_MOST_CORRECTIONS = 50_000
"""More would outweigh the corpus, and train for hours."""


@dataclass(frozen=True, slots=True)
class ModelHosts:
    """Where the model stage asks, and what the operator set of it."""

    model: ChatModel
    name: str
    """Of the model that writes replies: asked where no other is set."""
    asked: AskedModel
    classifier: Classifier | None = None


Models: TypeAlias = Callable[[Path], AbstractAsyncContextManager[ModelHosts]]
"""Opens the hosts that an environment file names."""


def add_parser(
    subparsers: Any, *, kept: Callable[[Path], Path], models: Models | None = None
) -> Any:
    """Add `route` with its steps to the parser of the program; return the steps, to add to.

    `kept` tells the data folder that an environment file names. `models` serves
    `eval --stage full`.
    """
    route = subparsers.add_parser(
        "route", help="train and judge the router", description="Train and judge the router."
    )
    steps = route.add_subparsers(dest="step", required=True, metavar="step")
    train = steps.add_parser("train", help="train a table from the corpus and from corrections")
    train.add_argument("--data", type=Path, help="corrections as JSON lines: text, label")
    train.add_argument("--out", type=Path, help="where the table goes, without any promotion")
    train.add_argument(
        "--fixture", type=Path, help="judge the promotion on this, not on what comes along"
    )
    train.add_argument(
        "--check", action="store_true", help="only say whether it is the shipped one"
    )
    evaluate = steps.add_parser("eval", help="judge the router on labelled messages")
    evaluate.add_argument("file", type=Path, help="JSON lines: text, label, history, prev_route …")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.add_argument(
        "--stage",
        choices=("table", "accurate", "full"),
        default="table",
        help="the table alone; with the encoder; with encoder and language model",
    )
    evaluate.set_defaults(models=models)
    evaluate.add_argument("--plots", type=Path, metavar="DIR", help="write SVG pictures there")
    evaluate.add_argument("--misses", action="store_true", help="list the wrong decisions")
    evaluate.add_argument("--model", type=Path, help="a table file in place of the one in service")
    back = steps.add_parser("rollback", help="bring the previous table back")
    for step in (train, evaluate, back):
        step.add_argument("--data-dir", type=Path, help="default: DATA_DIR of the settings")
        step.set_defaults(run=run, kept=kept)
    return steps


def run(args: argparse.Namespace) -> int:
    """Run one step and return the exit code."""
    if args.step == "train":
        return _train(args)
    if args.step == "eval":
        return _evaluate(args)
    return _rollback(args)


def _data_dir(args: argparse.Namespace) -> Path:
    folder: Path = args.data_dir or args.kept(args.env_file)
    return folder


def _train(args: argparse.Namespace) -> int:
    from bot.routing.training import train

    corrections = _corrections(args.data) if args.data else []
    # What may be wrong is found out before the minutes of training, not after.
    fixture = read_labelled(args.fixture) if args.fixture else shipped_fixture()
    target: Path = args.out or place_of(_data_dir(args))
    if not args.check:
        make_ready(target)
    began = perf_counter()
    trained = train(Corpus.read(), corrections, pooled())
    _say(
        f"{trained.examples} messages, held-out accuracy {trained.accuracy:.3f}, "
        f"{len(trained.file)} bytes, {perf_counter() - began:.0f} s"
    )
    if args.check:
        same = trained.file == SHIPPED.read_bytes()
        _say("equals the shipped table" if same else "differs from the shipped table")
        return _OK if same else _PROBLEMS
    new = target.with_name(f"{target.name}.new")
    new.write_bytes(trained.file)
    if args.out is None:
        verdict = judgement(new, in_service(_data_dir(args)), fixture)
        _say(verdict.reason)
        if not verdict.promoted:
            new.unlink()
            _say("not promoted: the table in service stays")
            return _PROBLEMS
    promote(new, target)
    _say(f"wrote {target}")
    return _OK


def _corrections(file: Path) -> list[Example]:
    corrections = [
        Example(each.text, each.label.value, each.lang or "en", 1.0) for each in read_labelled(file)
    ]
    if len(corrections) > _MOST_CORRECTIONS:
        problem = f"{file.name}: {len(corrections)} corrections"
        raise InputRejected([f"{problem}; at most {_MOST_CORRECTIONS} are trained on"])
    return corrections


def _evaluate(args: argparse.Namespace) -> int:
    from bot.routing.judging_apart import WORTH_APART, judge_apart  # late: a bot needs no pool

    table = args.model or in_service(_data_dir(args))
    router = Router.load(table)
    if router.problem:
        raise InputRejected([router.problem])
    if args.plots is not None:
        make_ready_folder(args.plots)
    encoder = None if args.stage == "table" else _encoder()
    items: Sequence[Labelled] = read_labelled(args.file)
    if args.stage == "full":
        judged = asyncio.run(_in_full(args, router, items))
    elif len(items) >= WORTH_APART:
        judged = judge_apart(table, items, with_encoder=encoder is not None, progress=_count)
    else:
        with as_in_a_running_bot(router, encoder):
            judged = judge(router, items, encoder)
    figures = report(router, judged, encoder)
    if args.plots is not None:
        from bot.routing.plots import write_plots

        write_plots(judged, args.plots)
    if args.json:
        _say(json.dumps(figures, ensure_ascii=False))
    else:
        _say("\n".join(report_as_text(figures)))
    if args.misses:
        _say("\n".join(miss_as_text(each) for each in judged if not each.right))
    return _OK


async def _in_full(
    args: argparse.Namespace, router: Router, items: Sequence[Labelled]
) -> list[Judged]:
    """Judge with every stage; what the model stage made of its questions goes to stderr."""
    if args.models is None:
        raise InputRejected(["--stage full needs the whole program"])
    hosts: ModelHosts
    async with args.models(args.env_file) as hosts:
        outcomes = _Outcomes()
        accurate = AccurateStage(_encoder())
        name = hosts.asked.model or hosts.name
        second = ModelStage(
            hosts.model,
            name,
            classifier=hosts.classifier,
            deadline_s=hosts.asked.deadline_s,
            observer=outcomes,
        )
        try:
            dispatcher = Dispatcher(router, accurate=accurate, second=second)
            judged = await judge_in_service(dispatcher, items)
        finally:
            accurate.close()
    _tell(f"model stage ({name}): {dict(outcomes.counts)}")
    return judged


def _encoder() -> Encoder:
    try:
        return ready_encoder()
    except SettingsRejected as error:
        raise InputRejected([f"--stage: {problem}" for problem in error.problems]) from error


class _Outcomes:
    """Counts what came of the model stage's questions."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def asked_model(self, seconds: float, outcome: str) -> None:
        self.counts[outcome] += 1


def _rollback(args: argparse.Namespace) -> int:
    target = place_of(_data_dir(args))
    try:
        _say(rollback(target))
    except FileNotFoundError as error:
        _say(str(error))
    except (SettingsRejected, OSError, ValueError) as error:
        _say(f"not brought back: {error}")
        _say(
            f"the table in service stays; remove {kept_before(target)}, and the shipped one is next"
        )
    else:
        return _OK
    return _PROBLEMS


def _count(done: int) -> None:
    if done % _TOLD_EVERY == 0:
        _tell(f"{done} messages")


def _tell(news: str) -> None:
    """Say how it goes, beside the result."""
    sys.stderr.write(f"{news}\n")


def _say(text: str) -> None:
    # Messages may hold what no encoding writes; escaped, JSON stays JSON.
    written = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    sys.stdout.write(f"{written.decode(sys.stdout.encoding or 'utf-8')}\n")
