"""The image and the composition, as far as they can be judged without an engine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import OllamaSettings, load_settings
from bot.settings.names import OLLAMA_SERVER_NAMES
from tests.unit.deploy.conftest import DEPLOY, NEEDED_TO_END, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each on one line."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        (name, rest.strip())
        for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


def last_stage() -> list[tuple[str, str]]:
    every = instructions()
    start = max(i for i, (name, _) in enumerate(every) if name == "FROM")
    return every[start:]


def env_of_image() -> dict[str, str]:
    pairs = " ".join(rest for name, rest in last_stage() if name == "ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)


def test_every_instruction_is_one() -> None:
    known = {"FROM", "ENV", "RUN", "COPY", "LABEL", "WORKDIR", "USER", "VOLUME", "EXPOSE"}
    known |= {"STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} <= known


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    sources = [
        source
        for name, rest in instructions()
        if name == "COPY" and "--from=" not in rest
        for source in rest.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignore


def test_what_a_stage_takes_from_another_was_made_there() -> None:
    made = {rest.split()[-1] for name, rest in instructions() if name == "FROM" and " AS " in rest}
    for name, rest in instructions():
        if name == "COPY" and (stage := re.search(r"--from=(\S+)", rest)):
            assert stage.group(1) in made


def test_packages_come_from_the_lock_with_their_hashes() -> None:
    (install,) = [rest for _, rest in instructions() if "pip install" in rest]
    assert "--require-hashes" in install
    assert "requirements.lock" in install
    lock = (ROOT / "requirements.lock").read_text()
    assert lock.count("--hash=sha256:") >= lock.count("==")


def test_it_runs_without_privileges() -> None:
    (user,) = [rest for name, rest in last_stage() if name == "USER"]
    number, _, group = user.partition(":")
    assert int(number) > 0
    assert int(group) > 0
    after = last_stage()[last_stage().index(("USER", user)) :]
    assert "RUN" not in {name for name, _ in after}


def test_nothing_secret_and_nothing_unknown_is_baked_in(settings_names: frozenset[str]) -> None:
    env = env_of_image()
    own = {name for name in env if not name.startswith(("PATH", "PYTHON"))}
    assert own <= settings_names
    assert not {name for name in env if re.search("TOKEN|KEY|SECRET|PASSWORD", name)}


def test_it_starts_stops_and_says_how_it_is() -> None:
    last = dict(last_stage())
    assert json.loads(last["ENTRYPOINT"]) == ["python", "-m", "bot"]
    assert json.loads(last["CMD"]) == ["run"]
    assert last["STOPSIGNAL"] == "SIGTERM"
    check = json.loads(last["HEALTHCHECK"].split("CMD ", 1)[1])
    compile(check[2], "healthcheck", "exec")
    assert "/livez" in check[2]
    assert set(last["EXPOSE"].split()) >= {env_of_image()["OPS_PORT"]}


# ── compose ─────────────────────────────────────────────────────────────────────────────────


def filled(value: Any) -> str:
    """Return a value with its variables replaced by their defaults, or by something plausible."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
    return re.sub(r"\$\{\w+:\?[^}]*\}", "a-plausible-secret", text)


@pytest.mark.parametrize("name", ["troupe", "playground"])
def test_our_settings_are_known_and_accepted(
    name: str, settings_names: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**SERVICES[name]["environment"]}
    assert set(environment) <= settings_names
    if name == "playground":
        # Off loopback only with a token: the operator gives it, and nobody else could.
        assert filled(environment.pop("PLAY_TOKEN")) == ""
        monkeypatch.setenv("PLAY_TOKEN", "a-token-of-an-operator")
    for setting, value in environment.items():
        monkeypatch.setenv(setting, filled(value))
    settings = load_settings(env_file=None)
    assert settings.ollama.bases == ["http://ollama:11434"]


def test_the_page_is_served_where_it_is_published() -> None:
    page = SERVICES["playground"]
    assert page["command"] == ["play"]
    (port,) = page["ports"]
    assert port.endswith(":" + page["environment"]["PLAY_PORT"])
    assert "ports" not in SERVICES["troupe"]


def test_ollama_is_given_its_own_settings() -> None:
    for name in ("ollama-nvidia", "ollama-cpu"):
        assert set(SERVICES[name]["environment"]) <= OLLAMA_SERVER_NAMES | {
            "OLLAMA_NUM_PARALLEL",
            "OLLAMA_NO_CLOUD",
        }


def test_variables_of_the_operator_are_settings(settings_names: frozenset[str]) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    named = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert named - settings_names == {"GRAFANA_PASSWORD"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_and_stays_within_this_machine(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":(?!latest$)[\w.-]+$", service["image"])
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
    for network in service.get("networks", []):
        assert network in COMPOSE["networks"]
    for other in service.get("depends_on", []):
        assert other in SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists()
        else:
            assert source in COMPOSE["volumes"]


def test_who_is_waited_for_to_be_healthy_can_say_so() -> None:
    for service in SERVICES.values():
        waits = service.get("depends_on", {})
        for other, how in waits.items() if isinstance(waits, dict) else ():
            if how["condition"] == "service_healthy":
                assert SERVICES[other]["healthcheck"]["test"]


def test_the_store_keeps_what_it_is_told() -> None:
    command = " ".join(SERVICES["valkey"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert SERVICES["valkey"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert "ports" not in SERVICES["valkey"]


def test_one_profile_has_the_gpu_and_both_pull_the_models() -> None:
    (device,) = SERVICES["ollama-nvidia"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert "deploy" not in SERVICES["ollama-cpu"]
    for name in ("ollama-nvidia", "ollama-cpu"):
        assert SERVICES[name]["networks"]["outside"]["aliases"] == ["ollama"]
    pull = SERVICES["pull-models"]
    assert set(pull["profiles"]) == {"nvidia", "cpu"}
    assert all(not how["required"] for how in pull["depends_on"].values())


def test_every_model_of_the_settings_is_pulled() -> None:
    pull = SERVICES["pull-models"]
    settings = OllamaSettings(embed_model="e", guard_model="g", channel_models="a:1,b:2, c")  # type: ignore[arg-type]  # split
    written = {"OLLAMA_CHANNEL_MODELS": "a:1,b:2, c", "OLLAMA_EMBED_MODEL": "e"}
    written |= {"OLLAMA_GUARD_MODEL": "g", "OLLAMA_MODEL": settings.model}
    models = re.sub(
        r"\$\{(\w+):-[^}]*\}", lambda name: written[name[1]], pull["environment"]["MODELS"]
    )
    script = pull["command"][0].replace("$$", "$").replace("ollama pull", "echo")
    told = subprocess.run(
        [*pull["entrypoint"], script], env={"MODELS": models}, capture_output=True, text=True
    )
    assert sorted(told.stdout.split()) == sorted(settings.wanted_models)


@pytest.mark.parametrize("name", ["troupe", "playground"])
def test_our_services_have_time_to_drain(name: str) -> None:
    grace = SERVICES[name]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= NEEDED_TO_END


def test_the_build_finds_its_files() -> None:
    build = SERVICES["troupe"]["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert (context / Path(build["dockerfile"])).is_file()
    assert "../.env" in {entry["path"] for entry in SERVICES["troupe"]["env_file"]}
