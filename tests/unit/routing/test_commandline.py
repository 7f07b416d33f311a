"""`troupe route`, from its arguments to what it prints."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bot.errors import InputRejected
from bot.routing import commandline
from bot.routing.promotion import CANARY
from bot.routing.router import SHIPPED


def ran(*words: str, kept: Path = Path("data")) -> int:
    parser = argparse.ArgumentParser()
    parser.set_defaults(env_file=Path(".env"))
    commandline.add_parser(parser.add_subparsers(dest="command"), kept=lambda env_file: kept)
    args = parser.parse_args(["route", *words])
    code: int = args.run(args)
    return code


def test_eval_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("eval", str(CANARY), "--json", "--data-dir", str(tmp_path)) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["n"] == 72
    assert figures["macro_f1"] >= 0.97


def test_eval_prints_a_table_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plots = tmp_path / "plots"
    assert ran("eval", str(CANARY), "--plots", str(plots), "--data-dir", str(tmp_path)) == 0
    assert "macro-F1" in capsys.readouterr().out
    assert {each.name for each in plots.iterdir()} == {"confusion.svg", "reliability.svg"}


def test_eval_prints_what_no_encoding_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "odd.jsonl"
    line = {"text": "a \ud800", "label": "factual", "lang": "\ud801", "kind": "\ud802"}
    file.write_text(json.dumps(line), encoding="ascii")
    assert ran("eval", str(file), "--misses", "--json", "--data-dir", str(tmp_path)) == 0
    assert "\\ud801" in capsys.readouterr().out


def test_eval_says_where_it_can_not_draw_before_it_reads(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(InputRejected, match="taken"):
        ran("eval", "none", "--plots", str(tmp_path / "taken"), "--data-dir", str(tmp_path))


def test_eval_of_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputRejected):
        ran("eval", str(tmp_path / "none.jsonl"))


def test_eval_with_a_broken_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "route.table").write_bytes(b"junk")
    with pytest.raises(InputRejected, match="header"):
        ran("eval", str(CANARY), "--data-dir", str(tmp_path))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "holds no message"),
        (b"hello\n", ":1: "),
        (b'{"text": "a", "label": "banana"}', "`label` is none of factual, creative, companion"),
        (b'{"text": "a"}', "the field 'label' is missing"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "recursion"),
        (b'{"text": "a", "label": "factual"}\n' * 50_001, "at most 50000"),
    ],
)
def test_bad_corrections_are_refused_before_the_training(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    data = tmp_path / "corrections.jsonl"
    data.write_bytes(content)
    with pytest.raises(InputRejected, match=problem):
        ran("train", "--data", str(data), "--data-dir", str(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == [data.name]


def test_of_a_file_full_of_errors_is_said_how_far_it_was_read(tmp_path: Path) -> None:
    data = tmp_path / "wrong.jsonl"
    data.write_text('{"text": "a", "label": "factual"}\n' + "hello\n" * 100)
    with pytest.raises(InputRejected) as caught:
        ran("eval", str(data), "--data-dir", str(tmp_path))
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "wrong.jsonl: nothing was read beyond line 21"


def test_what_can_not_be_read_or_written_is_refused_before_the_training(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    for words in (
        ("--data", str(tmp_path)),
        ("--data", str(tmp_path / "none.jsonl")),
        ("--data", "/dev/zero"),
        ("--fixture", str(tmp_path / "none.jsonl")),
        ("--out", str(taken / "below" / "route.table")),
        ("--out", str(tmp_path)),
        ("--data-dir", str(taken)),
    ):
        with pytest.raises(InputRejected):
            ran("train", "--data-dir", str(tmp_path), *words)
    assert [each.name for each in tmp_path.iterdir()] == ["file"], "nothing is left behind"


def test_rollback_without_a_table_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("rollback", "--data-dir", str(tmp_path)) == 1
    assert "no table of your own" in capsys.readouterr().out


@pytest.mark.parametrize("other", ["garbage", "another version"])
def test_rollback_brings_no_table_back_that_would_not_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    own, previous = tmp_path / "route.table", tmp_path / "route.table.previous"
    own.write_bytes(SHIPPED.read_bytes())
    older = SHIPPED.read_bytes().replace(b'"features":', b'"features":7', 1)
    previous.write_bytes(b"junk" if other == "garbage" else older)
    kept = previous.read_bytes()
    assert ran("rollback", "--data-dir", str(tmp_path)) == 1
    assert "not brought back: route table: route.table.previous" in capsys.readouterr().out
    assert own.read_bytes() == SHIPPED.read_bytes()
    assert previous.read_bytes() == kept


def test_the_table_is_kept_where_the_settings_say(tmp_path: Path) -> None:
    own = tmp_path / "route.table"
    own.write_bytes(b"junk")
    with pytest.raises(InputRejected, match="header"):
        ran("eval", str(CANARY), kept=tmp_path)
    assert ran("rollback", kept=tmp_path) == 0
    assert not own.exists()


def test_eval_of_the_accurate_stage_is_no_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("eval", str(CANARY), "--stage", "accurate", "--json", "--data-dir", str(tmp_path))
    assert ran(*words) == 0
    assert json.loads(capsys.readouterr().out)["macro_f1"] >= 0.97


def test_eval_in_full_needs_the_program(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="whole program"):
        ran("eval", str(CANARY), "--stage", "full", "--data-dir", str(tmp_path))
