"""The clustered deployment keeps to the code's bounds and rights, and has the form it should; nothing starts it."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bus import users
from gateway import broker_rules
from lamplighter.embedded.broker import PLATFORM_USER
from telemetry import limits

ROOT = Path(__file__).parents[3]
CLUSTER = ROOT / "deploy" / "cluster"
SERVERS = ("emqx1", "emqx2", "emqx3", "db1", "db2", "db3", "api")


def emqx(name: str) -> str:
    found = re.search(rf"^ *{name} = (\S+)", (CLUSTER / "emqx" / "emqx.conf").read_text(), re.MULTILINE)
    assert found, name
    return found[1]


def test_the_broker_has_the_codes_bounds() -> None:
    assert int(emqx("max_inflight")) >= limits.RECEIVE_MAXIMUM, "the smaller of the two holds"
    assert int(emqx("max_mqueue_len")) == limits.BROKER_QUEUE_MESSAGES_MAX
    assert emqx("max_packet_size") == f"{limits.PACKET_BYTES_MAX // 1024**2}MB"
    assert emqx("no_match") == "deny"


def test_everybody_has_the_rights_that_mosquitto_gives() -> None:
    """Printed anew: `python -c "from tests.unit.deploy.test_cluster import rules; print(rules(), end='')"`."""
    head, _, written = (CLUSTER / "emqx" / "acl.conf").read_text().partition("\n{")
    assert all(line.startswith("%%") for line in head.splitlines())
    assert "{" + written == rules()


def rules() -> str:
    """EMQX's access list for the members that the cluster has."""
    services = yaml.safe_load((CLUSTER / "compose.yaml").read_text())["services"]
    named = [each["command"] for each in services.values() if "--share" in each.get("command", [])]
    return broker_rules.emqx_access_list(PLATFORM_USER, [f"ingest-{share}-{n}" for _, _, share, _, n, *_ in named])


def test_what_runs_in_the_containers_is_well_formed() -> None:
    for script in CLUSTER.glob("postgres/*.sh"):
        subprocess.run(["sh", "-n", script], check=True)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((CLUSTER / "compose.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_every_image_is_pinned_and_every_server_watched(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", service["image"]), name
        assert name not in SERVERS or "test" in service["healthcheck"], name


def test_everything_named_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert {source(each) for each in service.get("secrets", [])} <= compose["secrets"].keys()
        assert {each["source"] for each in service.get("configs", [])} <= compose["configs"].keys()
        assert set(service.get("depends_on", {})) <= services.keys()
        assert set(service["networks"]) <= compose["networks"].keys()
        assert {each.split(":")[0] for each in service.get("volumes", [])} <= compose["volumes"].keys()
    assert all((CLUSTER / each["file"]).exists() for each in compose["configs"].values())


def test_each_service_comes_to_the_broker_by_its_own_passwords(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        own = {f"{each}_mqtt_url" for each in users.SESSIONS if name.rstrip("0123456789") == each}
        assert own == {source(each) for each in service.get("secrets", []) if source(each).endswith("_mqtt_url")}, name


def source(secret: str | dict[str, str]) -> str:
    return secret if isinstance(secret, str) else secret["source"]


def test_an_image_takes_the_packages_along_and_nothing_that_is_secret() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    licences = {name for name in project["project"]["license-files"] if name.split("/")[0] not in packages}
    files = {"requirements.lock", "pyproject.toml", project["project"]["readme"], *licences}
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == packages | files


def test_secrets_come_from_files_that_are_not_in_the_repository(compose: dict[str, Any]) -> None:
    assert all(each["file"].startswith("secrets/") for each in compose["secrets"].values())
    assert "secrets/" in (CLUSTER / ".gitignore").read_text()
    described = (CLUSTER / "README.md").read_text()
    assert all(name in described for name in compose["secrets"])
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("/run/secrets/")


def test_the_members_of_the_share_have_numbers_of_their_own(compose: dict[str, Any]) -> None:
    commands = [
        service["command"] for service in compose["services"].values() if "--share" in service.get("command", [])
    ]
    assert [command[:4] for command in commands] == [["ingest", "--share", "city", "--member"]] * 3
    assert len({command[4] for command in commands}) == 3
