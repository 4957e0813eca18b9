"""Builds the dashboards' JSON from code, and checks that what is committed is just that and fit for Grafana."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import lint
from dashboards.alarms import alarms
from dashboards.alerts import alerting
from dashboards.choices import Town
from dashboards.drain import drain
from dashboards.health import platform
from dashboards.overview import overview
from dashboards.parking import parking
from dashboards.streetlight import streetlight
from dashboards.zone import zone

GENERATED = Path(__file__).parent / "generated"
"""Where Grafana's provisioning finds the dashboards."""
ALERTS = Path(__file__).parent / "provisioning" / "alerting" / "rules.json"
"""Where Grafana's provisioning finds the alert rules."""


BOARDS: Mapping[str, Callable[[Town], Dashboard]] = MappingProxyType(
    {
        "overview": overview,
        "zone": zone,
        "streetlight": streetlight,
        "drain": drain,
        "parking": parking,
        "alarms": alarms,
        "platform": platform,
    }
)
"""Every dashboard by the name of its file, in the order in which one looks at them."""


def documents(town: Town | None = None) -> dict[str, str]:
    """The JSON text of every dashboard by its file name; `None` means the default figures."""
    built = {f"{name}.json": make(town or Town()) for name, make in BOARDS.items()}
    return {
        name: json.dumps(each, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n" for name, each in built.items()
    }


def build(folder: Path = GENERATED, town: Town | None = None) -> list[Path]:
    """Write every dashboard and return the files written. Raises `OSError` where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents(town).items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def build_alerts(file: Path = ALERTS, town: Town | None = None) -> Path:
    """Write the alert rules and return their file. Raises `OSError` where it cannot be written."""
    file.write_text(alert_rules(town), encoding="utf-8")
    return file


def alert_rules(town: Town | None = None) -> str:
    """The provisioning file of the alert rules; `None` means the default figures."""
    return json.dumps(alerting(town or Town()), indent=2, ensure_ascii=False) + "\n"


def check(folder: Path = GENERATED, town: Town | None = None) -> list[str]:
    """What is wrong, one sentence each; empty when all is well.

    Looks at the dashboards as built, and at whether the files in `folder` are equal to them.
    """
    built = documents(town)
    found = [*_differences(folder, built), *_lint(built)]
    if folder == GENERATED and (not ALERTS.exists() or ALERTS.read_text(encoding="utf-8") != alert_rules(town)):
        found.append("provisioning/alerting/rules.json differs from the code: run `lamplighter dashboards build`")
    return found


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
