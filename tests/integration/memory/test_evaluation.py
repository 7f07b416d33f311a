"""`troupe memory eval --embeddings ollama` asks the Ollama of the settings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.cli import main
from tests.fakes.ollama import FakeOllama

SAMPLE = [
    {
        "conversation": {
            "session_1_date_time": "1:00 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ann", "dia_id": "D1:1", "text": "I bought a violin."},
                {"speaker": "Bo", "dia_id": "D1:2", "text": "My garden has tulips."},
            ],
        },
        "qa": [{"question": "What did Ann buy?", "evidence": ["D1:1"], "category": 4}],
    }
]


async def test_vectors_come_from_the_configured_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps(SAMPLE))
    async with FakeOllama(["nomic-embed-text"]) as ollama:
        env = tmp_path / "env"
        env.write_text(f"OLLAMA_HOSTS={ollama.url}\nOLLAMA_EMBED_MODEL=nomic-embed-text\n")
        monkeypatch.chdir(tmp_path)
        arguments = ["--env-file", str(env), "memory", "eval", "--locomo", str(file)]
        code = await asyncio.to_thread(main, [*arguments, "--embeddings", "ollama", "--json"])
        assert code == 0
        assert any(record.path == "/api/embed" for record in ollama.requests)
    told = json.loads(capsys.readouterr().out)
    assert told["recall"]["5"] == 100
    assert told["embeddings"] == "ollama"
