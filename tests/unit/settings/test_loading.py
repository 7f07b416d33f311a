"""Settings are checked whole, at start, one clear line for each problem; secrets stay secret."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.settings import SECTIONS, load_settings, names_of

ROOT = Path(__file__).resolve().parents[3]
NAMES = {name for section in SECTIONS.values() for name in names_of(section)}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def problems() -> list[str]:
    with pytest.raises(SettingsRejected) as refused:
        load_settings(None)
    return refused.value.problems


def test_everything_has_a_default() -> None:
    settings = load_settings(None)
    assert settings.discord.token is None
    assert settings.ollama.bases == ["http://127.0.0.1:11434"]
    assert not settings.ollama.hosts_configured
    assert settings.redis.url is None


def test_the_example_file_names_every_setting_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert named == NAMES


def test_the_example_file_itself_is_accepted(tmp_path: Path) -> None:
    example = tmp_path / "env"
    example.write_text((ROOT / ".env.example").read_text("utf-8"), "utf-8")
    assert load_settings(example).ollama.model == "llama3.2:3b"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_empty_value_is_the_same_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    empty, unset = load_settings(None), (monkeypatch.delenv(name), load_settings(None))[1]
    assert [getattr(empty, section) for section in SECTIONS] == [
        getattr(unset, section) for section in SECTIONS
    ]


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "localhost"])
def test_the_page_needs_no_token_on_loopback(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PLAY_HOST", host)
    assert load_settings(None).play.token is None


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "env"
    file.write_text("OLLAMA_MODEL=from-file\nOPS_PORT=1\n", "utf-8")
    monkeypatch.setenv("OLLAMA_MODEL", "from-environment")
    settings = load_settings(file)
    assert (settings.ollama.model, settings.ops.port) == ("from-environment", 1)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OLLAMA_NUM_CTX", "many", "OLLAMA_NUM_CTX: must be a whole number"),
        ("OLLAMA_NUM_CTX", "12", "OLLAMA_NUM_CTX: must be greater than"),
        ("LIMIT_WEIGHTS", "abc", "LIMIT_WEIGHTS: needs server ids with weights"),
        ("LIMIT_WEIGHTS", "12=x", "LIMIT_WEIGHTS: needs server ids with weights"),
        ("LIMIT_WEIGHTS", "12=nan", "LIMIT_WEIGHTS: needs server ids with weights"),
        ("LIMIT_WEIGHTS", "12=2=3", "LIMIT_WEIGHTS: needs server ids with weights"),
        ("LIMIT_WEIGHTS", "12=0", "LIMIT_WEIGHTS: needs server ids with weights"),
        ("LIMIT_GUILD", "lots", "LIMIT_GUILD: must be a number"),
        ("OLLAMA_HOSTS", "not a url", "OLLAMA_HOSTS: must be a valid URL"),
        ("OLLAMA_HOSTS", " , ", "OLLAMA_HOSTS: needs at least one URL"),
        ("OLLAMA_HOSTS", "https://anna:hunter2@gpu.example", "OLLAMA_HOSTS: must hold no login"),
        ("OLLAMA_TOKEN_TIMEOUT", "-1", "OLLAMA_TOKEN_TIMEOUT: must be greater than 0"),
        ("DISCORD_SHARD_IDS", "1", "DISCORD_SHARD_IDS must lie between"),
        ("DISCORD_GATEWAY_URL", "http://x", "DISCORD_GATEWAY_URL: must start with ws://"),
        ("DISCORD_SYNC_COMMANDS", "often", "DISCORD_SYNC_COMMANDS: must be 'changed'"),
        ("REDIS_URL", "http://x", "REDIS_URL: must start with one of"),
        ("OPS_PORT", "70000", "OPS_PORT: must be less than or equal to 65535"),
        ("PLAY_TOKEN", "short", "PLAY_TOKEN: needs at least 16 characters"),
        ("PLAY_HOST", "0.0.0.0", "PLAY_HOST is not loopback: set PLAY_TOKEN"),
        ("PLAY_HOST", "home.example", "PLAY_HOST is not loopback: set PLAY_TOKEN"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: must be 'DEBUG'"),
        ("DISCORD_TOKN", "x", "DISCORD_TOKN: unknown setting; did you mean DISCORD_TOKEN?"),
        ("DISCORD_SHARD_IDS", "0-3", "DISCORD_SHARD_IDS: must name each shard by its number"),
        ("DISCORD_SHARD_IDS", "0,x", "DISCORD_SHARD_IDS: must name each shard by its number"),
        ("DISCORD_SHARD_IDS", "0,0", "DISCORD_SHARD_IDS names a shard twice"),
        ("DISCORD_TOKEN", "a\r\nb", "DISCORD_TOKEN: is no bot token"),
        ("OLLAMA_TOKEN_TIMEOUT", "inf", "OLLAMA_TOKEN_TIMEOUT: must be"),
        ("OLLAMA_TOKEN_TIMEOUT", "nan", "OLLAMA_TOKEN_TIMEOUT: must be"),
        ("OLLAMA_FIRST_TOKEN_TIMEOUT", "1e9", "OLLAMA_FIRST_TOKEN_TIMEOUT: must be less"),
        ("OLLAMA_HEADERS", "{", "OLLAMA_HEADERS: must be JSON such as"),
        ("REDIS_URL", "redis://h /0", "REDIS_URL: must not hold spaces"),
        ("ENCRYPTION_KEYS", "k:AAAA", "ENCRYPTION_KEYS: key 1 must be base64 of 32 bytes"),
        ("ENCRYPTION_KEY", "x", "ENCRYPTION_KEY: unknown setting; did you mean ENCRYPTION_KEYS?"),
        ("LOG_LEVL", "x", "LOG_LEVL: unknown setting; did you mean LOG_LEVEL?"),
        ("DATA_DIRECTORY", "x", "DATA_DIRECTORY: unknown setting; did you mean DATA_DIR?"),
        ("PERSONAS_FOLDER", "x", "PERSONAS_FOLDER: unknown setting; did you mean PERSONAS_DIR?"),
        ("PERSONA_DIR", "x", "PERSONA_DIR: unknown setting; did you mean PERSONAS_DIR?"),
        ("DISCRD_TOKEN", "x", "DISCRD_TOKEN: unknown setting; did you mean DISCORD_TOKEN?"),
        ("DATA_ZZZZZZZZZZZZ", "x", "DATA_ZZZZZZZZZZZZ: unknown setting; unset or rename it"),
        ("OLLAMA_BAR", "x", "OLLAMA_BAR: unknown setting; unset or rename it"),
        ("DATA_DIR", "/dev/null", "DATA_DIR: is no folder"),
        ("DATA_DIR", "/dev/null/x", "DATA_DIR: can't be used: Not a directory"),
        ("DATA_DIR", "x" * 300, "DATA_DIR: can't be used: File name too long"),
        ("PERSONAS_DIR", "/dev/null", "PERSONAS_DIR: is no folder"),
        ("PERSONAS_DIR", "/no/such/folder", "PERSONAS_DIR: is missing"),
        ("OLLAMA_NUMCTX", "x", "OLLAMA_NUMCTX: unknown setting; did you mean OLLAMA_NUM_CTX?"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    (line,) = problems()
    assert line.startswith(says)
    assert "\n" not in line
    assert "hunter2" not in line


def test_a_line_of_the_file_that_says_nothing_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "bad.env"
    file.write_text("OPS_PORT=x\n\n# a note\n\nNONSENSE LINE\nLOG_LEVEL=INFO\n=x\n")
    with pytest.raises(SettingsRejected) as rejected:
        load_settings(file)
    assert rejected.value.problems == [
        f"{file}, line 5: is no NAME=value",
        f"{file}, line 7: is no NAME=value",
    ]
    assert caplog.records == []


def test_a_folder_that_no_system_can_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_bytes(b"DATA_DIR=a\0b\n")
    with pytest.raises(SettingsRejected, match="DATA_DIR: can't be used"):
        load_settings(file)


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_PORT", "x")
    monkeypatch.setenv("OLLAMA_NUM_CTX", "x")
    monkeypatch.setenv("PLAY_TOKN", "x")
    assert len(problems()) == 3


@pytest.mark.parametrize(
    "name",
    [
        "OLLAMA_KEEP_ALIVE",
        "OLLAMA_HOST",
        "REDIS_PORT",
        "REDIS_SERVICE_HOST",
        "DATA_PORT",
        "LOG_SERVICE_PORT_80_TCP",
        "MEMORY_PRESSURE_WATCH",
        "PATH",
        "LOGNAME",
    ],
)
def test_variables_of_other_programs_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:6379")
    load_settings(None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCORD_TOKEN", "very-secret-token"),
        ("PLAY_TOKEN", "very-secret-token"),
        ("REDIS_URL", "redis://:very-secret-token@h/0"),
        ("OLLAMA_HEADERS", '{"Authorization": "very-secret-token"}'),
        ("ENCRYPTION_KEYS", "k:" + base64.b64encode(b"very-secret-token".ljust(32)).decode()),
    ],
)
def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    settings = load_settings(None)
    shown = " ".join(repr(getattr(settings, section)) for section in SECTIONS)
    assert "very-secret" not in shown
    assert "dmVyeS1zZWNyZXQ" not in shown


def test_a_refused_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "http://:very-secret-token@h")
    assert "very-secret" not in " ".join(problems())


def test_a_settings_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"OPS_PORT=\xff\xfe")
    for name in ("missing", "", "binary"):
        with pytest.raises(SettingsRejected, match="can't be read"):
            load_settings(tmp_path / name)


def test_an_empty_token_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", " ")
    assert load_settings(None).discord.token is None
