"""The samples for whoever runs this for others: each is read by what reads it in service, or by something as strict."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmsc.operations.reference import METRICS
from mmsc.settings import SettingsError, load

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "config" / "deploy"
OTHERS = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}  # Prometheus' own, and the process's
FUNCTIONS = {"sum", "max", "by", "le", "rate", "increase", "histogram_quantile", "on", "without", "avg", "min"}


def _exposed() -> dict[str, tuple[str, ...]]:
    """Each series with its labels."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(OTHERS, ())
    for metric in METRICS:
        if metric.type == "histogram":
            found |= {f"{metric.name}_{end}": metric.labels for end in ("count", "sum")}
            found[f"{metric.name}_bucket"] = (*metric.labels, "le")
        else:
            found[metric.name] = metric.labels
    return found


SERIES = _exposed()


def check(expression: str) -> None:
    """Every name is a series of ours, and every label one that it has."""
    plain = re.sub(r'"[^"]*"', '""', expression)
    names = re.findall(r"\b(?:mmsc|process)_[a-z0-9_]+|\bup\b", plain)
    assert names, expression
    assert set(names) <= SERIES.keys(), expression
    labels = {label for name in names for label in SERIES[name]} | {"instance", "job"}
    for inner in re.findall(r"\{([^}]*)\}", plain):
        assert set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", inner)) <= labels, expression
    for inner in re.findall(r"\bby\s*\(([^)]*)\)", plain):
        assert {one.strip() for one in inner.split(",")} <= labels, expression
    words = set(re.findall(r"\b[a-z_]+(?=\s*\()", plain))
    assert words <= FUNCTIONS, expression
    assert plain.count("(") == plain.count(")"), expression


def _panels() -> Iterator[dict[str, Any]]:
    yield from json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]


def test_the_dashboard_asks_for_what_there_is() -> None:
    panels = list(_panels())
    assert len({panel["id"] for panel in panels}) == len(panels)
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(asked) > 25
    for expression in asked:
        check(expression)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["type"] == "row" or panel["description"]


def test_the_dashboard_shows_rates_latencies_queues_lanes_store_and_errors() -> None:
    text = (DEPLOY / "grafana-dashboard.json").read_text()
    for name in (
        "mmsc_mm_accepted_total",
        "mmsc_step_seconds_bucket",
        "mmsc_lane_oldest_due_seconds",
        "mmsc_lane_paused",
        "mmsc_store_available",
        "mmsc_submissions_refused_total",
        "mmsc_tasks_given_up_total",
    ):
        assert name in text


def test_each_alert_asks_for_what_there_is_and_says_what_is_wrong() -> None:
    [group] = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    assert {"MmscQueueOld", "MmscStoreAway", "MmscNoBind", "MmscReportsGivenUp"} <= set(names)
    for rule in group["rules"]:
        check(rule["expr"])
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))


def test_prometheus_scrapes_the_port_of_the_settings() -> None:
    read = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    [job] = read["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["mmsc:8800"]}]
    for name in read["rule_files"]:
        assert (DEPLOY / name).is_file()


def test_the_settings_of_the_image_are_good_with_their_secrets_and_refused_without() -> None:
    settings = load(DEPLOY / "mmsc.toml", {"MMSC_CONSOLE__TOKEN": "0123456789abcdef"})
    assert settings.console.enabled
    with pytest.raises(SettingsError, match=r"console\.host = '0.0.0.0' is reachable from outside: set console\.token"):
        load(DEPLOY / "mmsc.toml", {})


# --- systemd


def _unit() -> dict[str, dict[str, list[str]]]:
    sections: dict[str, dict[str, list[str]]] = {}
    here: dict[str, list[str]] = {}
    for line in (DEPLOY / "mmsc.service").read_text().splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            here = sections.setdefault(found[1], {})
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            assert re.fullmatch(r"[A-Z][A-Za-z]+", key), line
            here.setdefault(key, []).append(value)
    return sections


def test_the_unit_says_what_the_server_does() -> None:
    unit = _unit()
    assert set(unit) == {"Unit", "Service", "Install"}
    service = unit["Service"]
    assert service["Type"] == ["notify"]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert service["StateDirectory"] == ["mmsc"]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["ProtectSystem"] == ["strict"]
    assert "serve --config" in service["ExecStart"][0]
    assert {"WatchdogSec", "Restart", "TimeoutStopSec", "LimitNOFILE"} <= service.keys()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_unit_without_a_word(tmp_path: Path) -> None:
    """With a program that is there in place of the installed one."""
    copy = tmp_path / "mmsc.service"
    copy.write_text((DEPLOY / "mmsc.service").read_text().replace("/opt/mmsc/bin/mmsc", sys.executable))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    assert "mmsc.service" not in told.stderr


# --- containers

INSTRUCTIONS = {
    *("ARG", "FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"),
    *("ENTRYPOINT", "CMD"),
}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions: comments out, continued lines joined (docs.docker.com/reference/dockerfile)."""
    text = "\n".join(
        line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")
    )
    lines = filter(None, re.sub(r"\\\n\s*", "", text).splitlines())
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_dockerfile_is_one_and_copies_what_is_there() -> None:
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert [name for name, _ in found][:2] == ["ARG", "FROM"]
    for name, rest in found:
        if name == "COPY" and not rest.startswith("--from=build"):
            for source in rest.split()[:-1]:
                assert (TOP / source).exists(), source
                assert f"!{source.split('/')[0]}" in (DEPLOY / "Dockerfile.dockerignore").read_text() or (
                    f"!{source}" in (DEPLOY / "Dockerfile.dockerignore").read_text()
                )
        if name in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list), "the exec form: signals reach the server"


def test_the_image_is_made_from_the_hashed_lock_runs_as_nobody_special_and_is_asked_for_its_health() -> None:
    found = instructions()
    told = dict(found)
    runs = " ".join(rest for name, rest in found if name == "RUN")
    assert "--require-hashes" in runs
    assert "--no-deps --no-build-isolation ." in runs
    last = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    assert ("USER", "mmsc") in found[last:]
    assert told["STOPSIGNAL"] == "SIGTERM"
    assert "/healthz" in told["HEALTHCHECK"]
    assert json.loads(told["ENTRYPOINT"]) == ["mmsc"]
    check_health = json.loads(told["HEALTHCHECK"].partition("CMD ")[2])
    compile(check_health[2], "HEALTHCHECK", "exec")


def test_compose_names_files_volumes_and_services_that_are_there() -> None:
    read = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = read["services"]
    assert set(services) == {"mmsc", "postgres", "prometheus", "grafana"}
    for name, service in services.items():
        assert "image" in service, name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith("./") else source in read["volumes"], volume
        for other in service.get("depends_on", ()):
            assert other in services
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "nothing is open to others by accident"
    build = services["mmsc"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    secrets = re.findall(r"\$\{(\w+)(:\?)?", (DEPLOY / "compose.yaml").read_text())
    assert {name for name, _ in secrets} == {"POSTGRES_PASSWORD", "MMSC_TOKEN", "GRAFANA_PASSWORD"}
    assert all(must for _, must in secrets), "a secret without a value stops compose"


def _compose_is_there() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30).returncode == 0


@pytest.mark.skipif(not _compose_is_there(), reason="no docker compose here")
def test_compose_reads_its_file(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    environment |= dict.fromkeys(("POSTGRES_PASSWORD", "GRAFANA_PASSWORD", "MMSC_TOKEN"), "0123456789abcdef")
    command = ["docker", "compose", "--file", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    told = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("name", ["grafana-datasources.yaml", "grafana-dashboards.yaml"])
def test_grafana_is_provisioned(name: str) -> None:
    assert yaml.safe_load((DEPLOY / name).read_text())["apiVersion"] == 1
