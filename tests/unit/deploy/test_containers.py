"""The containers keep to the compose specification, to the rules of hadolint, and to what docs/deploy.md promises.

Nothing starts them: see the note at the top of deploy/compose.yaml.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from lamplighter.install import containers, town
from storage import roles

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
OF_THE_LOOPBACK = re.compile(r"(127\.0\.0\.1|\$\{CITY_(MQTT|HTTPS)_ADDRESS:-127\.0\.0\.1\}):")
TOWN = town.Town(
    Path("/opt/lamplighter/bin/lamplighter"), 51.4, 6.9, "Europe/Berlin", "broker.example", "0.0.0.0", 8883
)


@pytest.fixture(scope="module")
def text() -> str:
    return (DEPLOY / "compose.yaml").read_text()


@pytest.fixture(scope="module")
def compose(text: str) -> Any:
    return yaml.safe_load(text)


@pytest.fixture(scope="module")
def services(compose: Any) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


@pytest.mark.parametrize("file", ["compose.yaml", "cluster/compose.yaml"])
def test_the_specification_of_compose_is_kept(file: str) -> None:
    filled = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / file).read_text())
    parsed = compose_spec.PyCompose.from_json(json.dumps(yaml.safe_load(filled)))
    parsed.validate_networks()
    parsed.validate_secrets()
    parsed.validate_volumes()
    parsed.validate_configs()


def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_an_ordinary_user_and_leaves_its_tools_behind() -> None:
    stages = (DEPLOY / "Dockerfile").read_text().split("\nFROM ")
    assert len(stages) == 1 + 2, "the head, and two stages"
    assert "\nUSER 10001:10001\n" in stages[-1]
    assert "pip" not in stages[-1]


def test_every_container_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in ("0", "root"), name
        assert {"mem_limit", "cpus", "pids_limit"} <= service.keys(), name
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", service["image"]), name
        assert "healthcheck" in service or "ports" not in service, name


def test_nothing_is_published_beyond_this_machine_unless_the_operator_says_so(services: dict[str, Any]) -> None:
    published = {port for service in services.values() for port in service.get("ports", [])}
    assert {port.rsplit(":", 1)[1] for port in published} == {"8883", "8080", "3000", "443", "80"}
    assert all(OF_THE_LOOPBACK.match(port) for port in published)


def test_each_service_gets_the_secrets_of_its_own_role_and_the_owner_stays_away_from_the_world(
    compose: Any, services: dict[str, Any]
) -> None:
    for name in roles.RIGHTS:
        urls = {each["source"] for each in services[name]["secrets"] if isinstance(each, dict)}
        assert urls == {f"{name}_database_url", f"{name}_mqtt_url"}
    for name, service in services.items():
        assert name == "doctor" or "mqtt_url" not in service.get("secrets", []), "of who may do everything"
    for name in ("migrate", "upkeep", "backup", "database"):
        assert services[name]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}
    assert compose["networks"]["pages"]["ipam"]["config"] == [{"subnet": containers.PAGES}]


def test_the_secrets_are_those_that_install_makes_and_none_is_in_the_file(
    compose: Any, text: str, tmp_path: Path
) -> None:
    made = {path.name for step in containers.steps(TOWN, tmp_path) for path in _makes(step)}
    wanted = {each["file"].removeprefix("secrets/") for each in compose["secrets"].values()}
    assert wanted <= made
    used = {name for service in compose["services"].values() for name in _names(service.get("secrets", []))}
    assert used == wanted
    assert not re.search(r"PASSWORD: (?!/run/secrets)", text)
    assert "secrets/" in (DEPLOY / ".gitignore").read_text()


def _makes(step: Any) -> list[Path]:
    return [step.path] if hasattr(step, "path") else [path for path, _, _ in step.made]


def _names(secrets: list[Any]) -> set[str]:
    return {each if isinstance(each, str) else each["source"] for each in secrets}


@pytest.mark.parametrize("file", ["compose.yaml", "cluster/compose.yaml"])
def test_the_file_is_tidy(file: str) -> None:
    rules = YamlLintConfig(
        "{extends: default, rules: {line-length: {max: 120}, document-start: disable, braces: {max-spaces-inside: 1}}}"
    )
    assert [str(problem) for problem in linter.run((DEPLOY / file).read_text(), rules)] == []


def test_what_runs_in_the_database_is_well_formed() -> None:
    subprocess.run(["sh", "-n", DEPLOY / "postgres" / "roles.sh"], check=True)
