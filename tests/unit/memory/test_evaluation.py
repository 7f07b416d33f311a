"""The evaluation counts evidence as LoCoMo annotates it."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.errors import InputRejected, SettingsRejected
from bot.memory import commandline
from bot.memory.locomo import first_person, read_cases

SAMPLE: list[dict[str, Any]] = [
    {
        "conversation": {
            "speaker_a": "Ann",
            "speaker_b": "Bo",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ann", "dia_id": "D1:1", "text": "I bought a violin."},
                {"speaker": "Bo", "dia_id": "D1:2", "text": "My garden has tulips."},
            ],
            "session_2_date_time": "2:00 pm on 1 June, 2023",
            "session_2": [
                {"speaker": "Ann", "dia_id": "D2:1", "text": "It sounds lovely."},
                {"speaker": "Bo", "dia_id": "D2:2", "text": "Look!", "blip_caption": "a kayak"},
            ],
        },
        "observation": {"session_2_observation": {"Ann": [["Ann plays music", "D2:1"]]}},
        "qa": [
            {"question": "What did Ann buy?", "evidence": ["D1:1"], "category": 4},
            {
                "question": "What was in the picture of a kayak?",
                "evidence": ["D2:2"],
                "category": 1,
            },
            {"question": "Which music does Ann play?", "evidence": ["D1:1; D2:1"], "category": 1},
            {"question": "Nothing known", "evidence": ["D"], "category": 3},
        ],
    }
]


@pytest.fixture
def locomo(tmp_path: Path) -> Path:
    path = tmp_path / "locomo.json"
    path.write_text(json.dumps(SAMPLE))
    return path


def figures(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    commandline.add_parser(parser.add_subparsers())
    args = parser.parse_args(["memory", "eval", *arguments])
    assert args.run(args) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_recall_is_the_share_of_the_evidence(
    locomo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = figures(capsys, "--locomo", str(locomo), "--json")
    assert told["n"] == 3, "a question without evidence does not count"
    assert told["by_category"]["single-hop"]["recall"]["5"] == 100
    assert told["macro"]["5"] == pytest.approx(
        (told["by_category"]["single-hop"]["recall"]["5"]
         + told["by_category"]["multi-hop"]["recall"]["5"]) / 2
    )  # fmt: skip
    assert set(told["latency_ms"]) == {"p50", "p99"}


def test_facts_are_keys_only_when_asked_for(
    locomo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = read_cases(locomo)[0]
    with_facts = read_cases(locomo, facts=True)[0]
    assert not any(passage.facts for passage in plain.passages)
    assert with_facts.passages[2].facts == ("Ann plays music",)


def test_the_own_view_holds_one_person_s_turns_and_questions(locomo: Path) -> None:
    ann, bo = read_cases(locomo, view="user")
    assert [p.id for p in ann.passages] == ["D1:1", "D2:1"]
    assert [q.text for q in ann.questions] == ["What did I buy?", "Which music do I play?"]
    assert bo.questions == ()


def test_first_person() -> None:
    assert first_person("When did Ann's dog see Ann?", "Ann") == "When did my dog see I?"
    assert first_person("Does Ann like Anna?", "Ann") == "Do I like Anna?"


def test_vectors_come_from_a_file(
    locomo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "texts.jsonl"
    parser = argparse.ArgumentParser()
    commandline.add_parser(parser.add_subparsers())
    common = ["memory", "eval", "--locomo", str(locomo)]
    args = parser.parse_args([*common, "--list-texts", str(listed)])
    assert args.run(args) == 0
    capsys.readouterr()
    texts = [json.loads(line) for line in listed.read_text().splitlines()]
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    rng = np.random.default_rng(1)
    file = tmp_path / "v.npz"
    np.savez(file, keys=np.array(keys), vectors=rng.normal(size=(len(keys), 8)))
    named = tmp_path / "texts.npz"
    np.savez(named, texts=np.array(texts), vectors=rng.normal(size=(len(keys), 8)))
    assert figures(capsys, *common[2:], "--embeddings", str(named), "--json")["n"] == 3
    for view in ("all", "user"):
        told = figures(capsys, *common[2:], "--embeddings", str(file), "--view", view, "--json")
        assert told["embeddings"] == str(file)
        assert told["n"] > 0


ENDLESS = json.dumps(SAMPLE).replace('"category": 4', '"category": 1e999')


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"a": 1}', '[{"conversation": {}}]', "[" * 9999, ENDLESS]
)
def test_what_is_no_locomo_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(SettingsRejected):
        read_cases(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"vectors": np.zeros((2, 2))},
        {"keys": np.array(["a"]), "vectors": np.zeros((2, 2))},
        {"keys": np.array(["a"]), "vectors": np.zeros((1, 2))},
        {"keys": np.array(["a"]), "vectors": np.array([["b", "c"]])},
    ],
)
def test_vectors_of_another_form_are_refused(
    locomo: Path, tmp_path: Path, arrays: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "v.npz"
    np.savez(file, **arrays)
    with pytest.raises(SettingsRejected):
        figures(capsys, "--locomo", str(locomo), "--embeddings", str(file), "--json")


def test_a_single_array_is_no_file_of_vectors(
    locomo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "v.npy", np.zeros((2, 2)))
    with pytest.raises(SettingsRejected, match=r"no \.npz with"):
        figures(capsys, "--locomo", str(locomo), "--embeddings", str(tmp_path / "v.npy"), "--json")


def test_texts_that_can_not_be_written_are_told_in_one_line(
    locomo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    nowhere = str(tmp_path / "taken" / "texts")
    with pytest.raises(InputRejected, match="taken: "):
        figures(capsys, "--locomo", str(locomo), "--list-texts", nowhere)
