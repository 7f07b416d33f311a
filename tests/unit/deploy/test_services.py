"""Kubernetes and systemd: shard ranges without gaps, settings that exist, no privileges."""

from __future__ import annotations

import base64
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from bot.errors import SettingsRejected
from bot.settings import load_settings
from tests.unit.deploy.conftest import DEPLOY, NEEDED_TO_END

FOLDER = DEPLOY / "kubernetes"
STATEFULSET, BUDGET = yaml.safe_load_all((FOLDER / "statefulset.yaml").read_text())
SERVICE: dict[str, Any] = yaml.safe_load((FOLDER / "service.yaml").read_text())
CONFIG: dict[str, str] = yaml.safe_load((FOLDER / "configmap.yaml").read_text())["data"]
SECRET: dict[str, str] = yaml.safe_load((FOLDER / "secret.yaml.example").read_text())["stringData"]
POD: dict[str, Any] = STATEFULSET["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]


def shards_of(ordinal: int) -> list[int]:
    """Run the pod's own command, with `python` replaced by what prints the shards."""
    (script,) = CONTAINER["args"]
    script = script.replace("exec python -m bot run", 'echo "$DISCORD_SHARD_IDS"')
    shell, options = CONTAINER["command"]
    env = {**CONFIG, "POD_NAME": f"troupe-{ordinal}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [shell, options, script], env=env, capture_output=True, text=True, check=True, timeout=10
    )
    return [int(each) for each in done.stdout.strip().split(",")]


def test_the_ordinals_share_all_shards_without_gap_or_overlap() -> None:
    replicas = STATEFULSET["spec"]["replicas"]
    shards = [shard for ordinal in range(replicas) for shard in shards_of(ordinal)]
    assert shards == list(range(int(CONFIG["DISCORD_SHARD_COUNT"])))


def test_a_two_digit_ordinal_counts_in_decimal() -> None:
    assert shards_of(10) == [20, 21]


def test_the_command_ends_as_the_bot_itself() -> None:
    # Without exec the shell would keep SIGTERM to itself, and nothing would drain.
    assert CONTAINER["args"][0].strip().endswith("exec python -m bot run")


def test_the_settings_exist_and_are_accepted(
    settings_names: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**CONFIG, **SECRET}
    assert set(given) - settings_names == {"SHARDS_PER_POD"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DISCORD_SHARD_IDS", "2,3")
    with pytest.raises(SettingsRejected, match="ENCRYPTION_KEYS: key 1") as refused:
        load_settings(env_file=None)
    assert len(refused.value.problems) == 1  # only what is to be replaced
    monkeypatch.setenv("ENCRYPTION_KEYS", f"k1:{base64.b64encode(bytes(32)).decode()}")
    settings = load_settings(env_file=None)
    assert settings.discord.shard_ids == [2, 3]
    assert len(settings.ollama.bases) == 2


def test_secrets_are_not_in_the_config_map() -> None:
    assert not {name for name in CONFIG if name.endswith(("TOKEN", "KEYS", "URL"))}
    assert all(
        "REPLACE" in value for name, value in SECRET.items() if name.endswith(("TOKEN", "KEYS"))
    )


def test_the_example_is_not_applied_with_its_folder() -> None:
    # kubectl takes .json, .yaml and .yml of a folder.
    assert not list(FOLDER.glob("secret*.y*ml"))


def test_the_parts_find_each_other() -> None:
    labels = STATEFULSET["spec"]["template"]["metadata"]["labels"]
    assert STATEFULSET["spec"]["serviceName"] == SERVICE["metadata"]["name"]
    assert SERVICE["spec"]["clusterIP"] == "None"
    for selector in (
        STATEFULSET["spec"]["selector"]["matchLabels"],
        BUDGET["spec"]["selector"]["matchLabels"],
        SERVICE["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == int(CONFIG["OPS_PORT"])
    assert SERVICE["spec"]["ports"][0]["targetPort"] == port["name"]
    mounts = {mount["name"] for mount in CONTAINER["volumeMounts"]}
    assert mounts == {volume["name"] for volume in POD["volumes"]}


def test_the_probes_ask_what_they_should() -> None:
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert CONFIG["OPS_HOST"] == "0.0.0.0"  # the kubelet asks from outside the pod


def test_a_pod_has_no_privileges_and_time_to_drain() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == 10001
    inside = CONTAINER["securityContext"]
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"]["drop"] == ["ALL"]
    assert POD["terminationGracePeriodSeconds"] >= NEEDED_TO_END
    assert POD["enableServiceLinks"] is False


# ── systemd ─────────────────────────────────────────────────────────────────────────────────


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd/troupe.service").read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_sets_only_settings_that_exist(settings_names: frozenset[str]) -> None:
    pairs = " ".join(unit()["Environment"]).split()
    names = {pair.split("=")[0] for pair in pairs}
    assert {name for name in names if not name.startswith("PYTHON")} <= settings_names
    assert f"DATA_DIR=/var/lib/{unit()['StateDirectory'][0]}" in pairs


def test_the_unit_drains_and_comes_back() -> None:
    assert unit()["KillSignal"] == ["SIGTERM"]
    assert int(unit()["TimeoutStopSec"][0]) >= NEEDED_TO_END
    assert unit()["Restart"] == ["always"]
    assert unit()["DynamicUser"] == ["yes"]
    assert unit()["ExecStart"][0].endswith("-m bot run")


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
def test_systemd_reads_the_unit() -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(DEPLOY / "systemd/troupe.service")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Unknown" not in done.stderr
    assert "Failed to parse" not in done.stderr
