"""What comes from others is pinned, hashed, and listed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PINNED = re.compile(r"^[\w.-]+(\[[\w,-]+\])?==\S+", re.MULTILINE)


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_is_pinned_and_hashed(file: str) -> None:
    text = (ROOT / file).read_text()
    entries = [part for part in re.split(r"^(?=\w)", text, flags=re.MULTILINE) if part.strip()]
    assert len(entries) > 20
    assert [entry[:60] for entry in entries if not (PINNED.match(entry) and "--hash=sha256:" in entry)] == []
    assert "://" not in text, "no index of one's own, no package from elsewhere"


def test_whatever_installs_from_the_lock_files_checks_the_hashes() -> None:
    for file in ("Makefile", "deploy/Dockerfile"):
        installing = [line for line in (ROOT / file).read_text().splitlines() if "--requirement" in line]
        assert installing
        assert all("--require-hashes" in line for line in installing)


def test_the_bill_of_materials_names_every_pinned_package_with_its_hashes() -> None:
    said = subprocess.run([sys.executable, ROOT / "deploy" / "sbom.py"], capture_output=True, text=True, check=True)
    bill = json.loads(said.stdout)
    text = (ROOT / "requirements.lock").read_text()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert len(bill["components"]) == len(PINNED.findall(text))
    assert len({each["bom-ref"] for each in bill["components"]}) == len(bill["components"])
    hashes = {file["hashes"][0]["content"] for each in bill["components"] for file in each["externalReferences"]}
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", text))
