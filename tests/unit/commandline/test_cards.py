"""`troupe cards`: check, show, convert and prompt, as an operator types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from tests.unit.personas.files import as_json, book, charx, entry, packed, png, text_chunk, v2, v3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lore = book(entry(keys=["dragon"], content="Dragons sleep."))
    (tmp_path / "sera.json").write_bytes(as_json(v3(character_book=lore)))
    (tmp_path / "odd.png").write_bytes(png(text_chunk("chara", packed(v2(tags="a")))))
    (tmp_path / "bad.charx").write_bytes(charx({"x": 1}))
    (tmp_path / "world.json").write_bytes(
        as_json({"entries": {"0": {"key": ["a"], "content": "b"}}})
    )
    return tmp_path


def test_check_prints_what_is_odd_and_fails_on_a_refusal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cards", "check", str(folder), "--json"]) == 1
    found = {Path(each["file"]).name: each for each in json.loads(capsys.readouterr().out)}
    assert found["sera.json"] == {
        "file": str(folder / "sera.json"), "ok": True, "spec": "chara_card_v3", "name": "Sera",
        "warnings": [], "error": None,
    }  # fmt: skip
    assert found["odd.png"]["ok"]
    assert len(found["odd.png"]["warnings"]) == 1
    assert not found["bad.charx"]["ok"]
    assert "not a card" in found["bad.charx"]["error"]
    assert found["world.json"]["spec"] == "world_info"
    assert main(["cards", "check", str(folder / "sera.json")]) == 0
    assert "✓" in capsys.readouterr().out
    missing = folder / "none.json"
    assert main(["cards", "check", str(missing)]) == 1
    assert capsys.readouterr().out == f"✗ {missing}: No such file or directory.\n"


def test_check_says_what_is_wrong_with_a_card_s_own_lorebook(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = folder / "large.json"
    card.write_bytes(as_json(v3(character_book=book(*[entry()] * 10_001))))
    assert main(["cards", "check", str(card)]) == 1
    assert "The lorebook has more than 10,000 entries." in capsys.readouterr().out


def test_check_does_not_wait_for_what_is_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(pipe := folder / "pipe")
    assert main(["cards", "check", str(pipe)]) == 1
    assert capsys.readouterr().out == f"✗ {pipe}: not a file.\n"


@pytest.mark.parametrize("name", ["Clyde", "The discordant one"])
def test_check_tells_of_names_that_discord_refuses(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = folder / "named.json"
    path.write_bytes(as_json(v3(name=name)))
    assert main(["cards", "check", str(path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert line.startswith("  - Discord refuses a name with '")


def test_check_tells_of_names_that_are_cut_and_of_patterns_that_will_not_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finds = {"broken": "/(a/g", "slow": "/(a+)+$/", "off": "/(b/", "good": "/a+/g"}
    scripts = [
        {"scriptName": name, "findRegex": find, "placement": [2], "disabled": name == "off"}
        for name, find in finds.items()
    ]
    pattern = r"/(\w+\s?)*;/"
    lore = book(entry(keys=[pattern], content="x"))
    card = v3(name="x" * 5_000, character_book=lore, extensions={"regex_scripts": scripts})
    path = folder / "long.json"
    path.write_bytes(as_json(card))
    assert main(["cards", "check", str(path)]) == 0
    lines = [line.strip(" -") for line in capsys.readouterr().out.splitlines()[1:]]
    slow = "takes too long on some texts: it is passed over there"
    assert lines == [
        "the name has 5,000 characters: Discord shows 80 of them",
        "the card holds regex scripts: kept, and off until somebody allows them",
        "the regex script 'broken' has no pattern that can be read: it never runs",
        f"the regex script 'slow' {slow}",
        f"the lorebook's key {pattern!r} {slow}",
    ]


@pytest.mark.parametrize("target", ["out.json", "out.png", "out.charx"])
def test_convert_round_trips(folder: Path, target: str) -> None:
    source, there, back = folder / "sera.json", folder / target, folder / "back.json"
    assert main(["cards", "convert", str(source), str(there)]) == 0
    assert main(["cards", "convert", str(there), str(back)]) == 0
    made = json.loads(back.read_text("utf-8"))
    assert made["data"].pop("modification_date") > 1_600_000_000
    if target == "out.png":
        assert made["data"].pop("assets", None) is None
    assert made == json.loads(source.read_text("utf-8"))
    assert not list(folder.glob("*.tmp"))


def test_convert_tells_what_it_can_not_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cards", "convert", str(folder / "odd.png"), str(folder / "o.json")]) == 0
    assert "left out: the picture" in capsys.readouterr().err
    assert main(["cards", "convert", str(folder / "sera.json"), str(folder / "o.gif")]) == 2
    assert main(["cards", "convert", str(folder / "bad.charx"), str(folder / "o.json")]) == 1
    assert main(["cards", "convert", str(folder / "sera.json"), str(folder / "o.charx"),
                 "--spec", "v2"]) == 2  # fmt: skip
    assert main(["cards", "convert", str(folder / "world.json"), str(folder / "w.json")]) == 0
    assert json.loads((folder / "w.json").read_text())["spec"] == "lorebook_v3"


def test_convert_takes_a_lorebook_that_names_its_form_and_does_not_keep_it(folder: Path) -> None:
    source, target = folder / "world.json", folder / "w.json"
    world = json.loads(source.read_text())
    source.write_text(json.dumps({"spec": "lorebook_v3", **world}))
    assert main(["cards", "convert", str(source), str(target)]) == 0
    assert json.loads(target.read_text())["data"]["entries"][0]["content"] == "b"


def test_show_prints_the_fields(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cards", "show", str(folder / "sera.json")]) == 0
    shown = capsys.readouterr().out
    assert "An elf." in shown
    assert "1 entries" in shown
    assert main(["cards", "show", "--json", str(folder / "sera.json")]) == 0
    assert json.loads(capsys.readouterr().out)["spec"] == "chara_card_v3"


def test_prompt_prints_what_a_model_would_get(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cards", "prompt", str(folder / "sera.json"), "a dragon?", "--user", "Ann"]
    assert main([*command, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["role"] for each in shown["messages"]] == ["system", "user", "assistant", "user"]
    assert shown["messages"][2]["content"] == "Hello, Ann."
    assert "Dragons sleep." in shown["messages"][3]["content"]
    assert "An elf." in shown["messages"][0]["content"]
    assert shown["report"]["lore"] == ["dragon"]
    assert main([*command, "--greeting", "0", "--route", "factual"]) == 0
    assert "── user ──" in capsys.readouterr().out
    assert main([*command, "--greeting", "9"]) == 2
    assert main([*command, "--num-ctx", "5"]) == 2


def test_an_empty_folder_is_told_and_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = folder / "empty"
    empty.mkdir()
    assert main(["cards", "check", str(empty)]) == 1
    assert "no card files here" in capsys.readouterr().out
    assert main(["cards", "check", str(empty), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert "no card files" in found["error"]


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    """As in `troupe cards show … | head`: the pipe is closed before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "cards", "show", str(folder / "sera.json")],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_prompt_whose_macros_are_too_many_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bomb = v3(description="{{scenario}}" * 100, scenario="{{char}}" * 100)
    (folder / "bomb.json").write_bytes(as_json(bomb))
    prompt = ["cards", "prompt", str(folder / "bomb.json"), "Hi", "--num-ctx", "65536"]
    assert main(prompt) == 0
    assert "more macros than one prompt may" in capsys.readouterr().err
