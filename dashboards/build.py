"""Builds the dashboards' JSON from code, and checks that what is committed is just that and fit for Grafana."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import lint
from dashboards.overview import overview
from telemetry.thresholds import Thresholds

GENERATED = Path(__file__).parent / "generated"
"""Where Grafana's provisioning finds the dashboards."""


def documents(thresholds: Thresholds | None = None) -> dict[str, str]:
    """The JSON text of every dashboard by its file name; `None` means the default thresholds."""
    built = {"overview.json": overview(thresholds or Thresholds())}
    return {
        name: json.dumps(each, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n" for name, each in built.items()
    }


def build(folder: Path = GENERATED, thresholds: Thresholds | None = None) -> list[Path]:
    """Write every dashboard and return the files written. Raises `OSError` where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents(thresholds).items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def check(folder: Path = GENERATED, thresholds: Thresholds | None = None) -> list[str]:
    """What is wrong, one sentence each; empty when all is well.

    Looks at the dashboards as built, and at whether the files in `folder` are equal to them.
    """
    built = documents(thresholds)
    return [*_differences(folder, built), *_lint(built)]


def _lint(built: dict[str, str]) -> Iterator[str]:
    parsed: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in built.items()}
    known = {dashboard["uid"] for dashboard in parsed.values()}
    for name, dashboard in parsed.items():
        for finding in lint.findings(dashboard, known):
            yield f"{name}: {finding}"


def _differences(folder: Path, built: dict[str, str]) -> Iterator[str]:
    for name, text in built.items():
        path = folder / name
        if not path.exists():
            yield f"{name} has not been built: run `lamplighter dashboards build`"
        elif path.read_text(encoding="utf-8") != text:
            yield f"{name} differs from the code: run `lamplighter dashboards build`"
    for path in sorted(folder.glob("*.json")):
        if path.name not in built:
            yield f"{path.name} belongs to no dashboard of the code: remove it"
