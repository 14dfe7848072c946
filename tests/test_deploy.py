"""The files of deploy/ say what is true: of the command line, of the metrics, of compose."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from belfry.cli.program import COMMANDS, main
from belfry.notifiers.provider import PROVIDERS
from belfry.runtime.metrics import METRICS

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
IMAGES = ROOT / "deploy" / "images.env"
RULES = ROOT / "deploy" / "prometheus" / "rules" / "belfry.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?][^}]*)?\}")


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))


def services() -> dict[str, Any]:
    return dict(compose()["services"])


def assigned(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics_of(expression: str) -> set[str]:
    return set(re.findall(r"\bbelfry_\w+", expression))


def known_metrics() -> set[str]:
    names = set()
    for one in METRICS:
        names.add(one.name)
        if one.kind == "histogram":
            names |= {f"{one.name}_{part}" for part in ("bucket", "count", "sum")}
    return names


def against_the_schema(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    return subprocess.run(
        [*command, "vendor.compose-spec", str(path)], capture_output=True, text=True, check=False
    )


def test_compose_follows_the_compose_specification() -> None:
    said = against_the_schema(COMPOSE)
    assert said.returncode == 0, said.stdout


def test_the_check_of_compose_can_fail(tmp_path: Path) -> None:
    faulty = tmp_path / "docker-compose.yml"
    faulty.write_text("services: {serve: {image: x, portz: [1]}}")
    assert against_the_schema(faulty).returncode == 1


def test_every_command_and_option_of_belfrys_services_exists() -> None:
    own = {name: one for name, one in services().items() if one["image"] == "${BELFRY_IMAGE}"}
    assert own
    for one in own.values():
        command, *words = one["command"]
        assert command in COMMANDS
        found = main.get_command(None, command)  # type: ignore[arg-type]
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_provider_settings_name_providers_that_exist() -> None:
    prefix = "BELFRY_PROVIDER_"
    names = {
        name.removeprefix(prefix).split("_")[0].lower()
        for one in services().values()
        for name in one.get("environment", {})
        if name.startswith(prefix)
    }
    assert names
    assert names <= set(PROVIDERS)


def test_every_image_is_pinned_in_one_place_and_used() -> None:
    images = assigned(IMAGES)
    for name, image in images.items():
        assert re.search(r":(v?\d+\.\d+\.\d+|local)", image), name
    used = {one["image"] for one in services().values()} | {"${PYTHON_IMAGE}"}
    assert used == {f"${{{name}}}" for name in images}
    stages = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(stages) == {"${PYTHON_IMAGE}"}


def test_every_variable_of_compose_is_in_the_example_or_among_the_images() -> None:
    asked = {found[1] for found in VARIABLE.finditer(COMPOSE.read_text(encoding="utf-8"))}
    assert asked == (assigned(ROOT / ".env.example") | assigned(IMAGES)).keys()


@pytest.mark.parametrize("name", sorted(services()))
def test_each_service_is_watched_restarts_and_is_reached_from_this_machine_only(name: str) -> None:
    one = services()[name]
    assert one["healthcheck"]["test"]
    assert one["restart"] == "unless-stopped"
    assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))


def test_no_image_of_ours_and_no_service_that_can_choose_runs_as_root() -> None:
    last = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    assert last.split(":")[0] != "0"
    # Kafka's image has its own user; the others are told.
    for name, one in services().items():
        if one["image"] not in ("${KAFKA_IMAGE}", "${BELFRY_IMAGE}"):
            assert one["user"].split(":")[0] != "0", name


def test_every_file_that_compose_and_dockerfile_take_from_here_exists() -> None:
    mounted = [
        volume.split(":")[0]
        for one in services().values()
        for volume in one.get("volumes", ())
        if volume.startswith("./")
    ]
    text = (ROOT / "Dockerfile").read_text()
    copied = [
        path
        for words in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE)
        for path in words.split()[:-1]
    ]
    assert [path for path in mounted + copied if not (ROOT / path).exists()] == []
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert set(copied) == sent


def test_prometheus_scrapes_services_at_the_port_where_they_listen() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    targets = {
        target
        for job in config["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }
    assert "serve:8750" in targets
    assert services()["serve"]["command"][-1].endswith(":8750")


def test_every_alert_is_about_metrics_that_exist() -> None:
    for rule in alerts():
        names = metrics_of(rule["expr"])
        assert names <= known_metrics(), rule["alert"]
        assert names or "up{" in rule["expr"], rule["alert"]


def test_the_check_of_metrics_can_fail() -> None:
    assert not metrics_of("rate(belfry_events_lost_total[5m]) > 0") <= known_metrics()


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_each_alert_says_how_urgent_it_is_what_is_wrong_and_what_to_do(rule: Any) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"]
