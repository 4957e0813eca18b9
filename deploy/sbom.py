"""The software bill of materials of a release: `python deploy/sbom.py > lamplighter.cdx.json` (CycloneDX 1.6).

Every package that the lock file pins, with the hashes by which pip accepts it. Written from `requirements.lock`, so it
names what an installation has, and on which platforms where that depends. Source: cyclonedx.org/docs/1.6/json.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).parents[1]
_PINNED = r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[^\s;\\]+)"
_ENTRY = re.compile(_PINNED + r"(?: ;(?P<where>[^\\\n]+))?", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(lock: str, project: dict[str, Any]) -> dict[str, Any]:
    """The bill of what a lock file pins; `project` is the table of that name in pyproject.toml."""
    root = f"pkg:pypi/{project['name']}@{project['version']}"
    parts = re.split(r"^(?=[\w])", lock, flags=re.MULTILINE)
    components = [_component(part) for part in parts if _ENTRY.match(part)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, root + lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": project["name"],
                "version": project["version"],
                "purl": root,
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _component(entry: str) -> dict[str, Any]:
    """One pinned package; each of its files is accepted by a hash of its own."""
    found = _ENTRY.match(entry)
    assert found is not None
    name, version = re.sub(r"[-_.]+", "-", found["name"]).lower(), found["version"]
    purl = f"pkg:pypi/{name}@{version}"
    files = [{"alg": "SHA-256", "content": digest} for digest in _HASH.findall(entry)]
    where = [{"name": "lamplighter:only-where", "value": found["where"].strip()}] if found["where"] else []
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "externalReferences": [
            {"type": "distribution", "url": f"https://pypi.org/project/{name}/{version}/", "hashes": [each]}
            for each in files
        ],
        **({"properties": where} if where else {}),
    }


if __name__ == "__main__":
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    json.dump(bill(lock, pyproject["project"]), sys.stdout, indent=1)
