"""What is handed out: the same bytes from the same source, all that runs, and nothing else; its version is a tag's."""

import email
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.cli import run

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]
CHANGES = (ROOT / "CHANGELOG.md").read_text()
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

_LICENCE = re.compile(r"\.([A-Z][\w.-]+)\.txt$")
"""A licence's text beside what came from others bears its SPDX name: `leaflet.BSD-2-Clause.txt`."""


def build(source: Path, folder: Path) -> dict[str, Path]:
    """The distributions of a source tree, by what they are."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1790000000"}
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True, timeout=60)
    return {"".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def contents(built: dict[str, Path]) -> set[str]:
    with zipfile.ZipFile(built[".whl"]) as wheel:
        return set(wheel.namelist())


def test_the_same_source_gives_the_same_bytes_also_by_way_of_its_own_archive(
    built: dict[str, Path], tmp_path: Path
) -> None:
    with tarfile.open(built[".tar.gz"]) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = build(source, tmp_path / "dist")
    digests = [
        {kind: hashlib.sha256(path.read_bytes()).hexdigest() for kind, path in each.items()} for each in (built, again)
    ]
    assert digests[0].keys() == {".whl", ".tar.gz"}
    assert digests[0] == digests[1]


def tracked() -> Iterator[str]:
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    return (name for name in listed.stdout.splitlines() if (ROOT / name).exists())


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_a_wheel_has_all_files_of_the_packages_but_developers_tools(contents: set[str]) -> None:
    assert {name.split("/")[1] for name in tracked() if name not in contents} == {"preview"}


def test_a_wheel_has_nothing_but_the_packages(contents: set[str]) -> None:
    assert {name.split("/")[0] for name in contents} == {*PACKAGES, f"lamplighter-{VERSION}.dist-info"}
    assert not [name for name in contents if "__pycache__" in name or "node_modules" in name]


def test_what_is_handed_out_names_and_holds_the_licences_of_all_that_is_in_it(built: dict[str, Path]) -> None:
    info = f"lamplighter-{VERSION}.dist-info"
    with zipfile.ZipFile(built[".whl"]) as wheel:
        said = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
        texts = {name.removeprefix(f"{info}/licenses/") for name in wheel.namelist() if "/licenses/" in name}
        others = {name: _LICENCE.search(name) for name in wheel.namelist() if not name.startswith(info)}
    of_others = {name: found[1] for name, found in others.items() if found}
    assert len(of_others) == 2
    assert said["License-Expression"].split(" AND ") == ["Apache-2.0", *sorted(of_others.values())]
    assert set(said.get_all("License-File") or ()) == texts == {"LICENSE", *of_others}
    assert f'licenses="{said["License-Expression"]}"' in (ROOT / "deploy/Dockerfile").read_text()


def test_the_version_is_said_once(built: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capfd.readouterr().out.strip() == VERSION
    assert all(VERSION in path.name for path in built.values())
    assert re.search(rf"^## \[?({re.escape(VERSION)}|Unreleased)\b", CHANGES, re.MULTILINE)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_a_tag_is_the_version_and_stands_in_the_changelog_with_its_date() -> None:
    command = ["git", "tag", "--points-at", "HEAD", "v*"]
    for tag in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split():
        assert tag == f"v{VERSION}"
        assert re.search(rf"^## \[?{re.escape(VERSION)}\]? .*\d{{4}}-\d\d-\d\d", CHANGES, re.MULTILINE)
