"""The alert rules for Prometheus: of figures that there are, explained, and as `promtool` wants them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamplighter.docs import metrics

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
_FIGURE = re.compile(r"\blamplighter_\w+")
_PARTS = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def known() -> set[str]:
    return metrics.names()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_figures_that_there_are_and_says_the_mend(rule: dict[str, Any], known: set[str]) -> None:
    asked = set(_FIGURE.findall(rule["expr"]))
    assert {figure for figure in asked if _PARTS.sub("", figure) not in known} == set()
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"].keys() == {"summary", "description"}
    assert f"\n| {rule['alert']} | {rule['labels']['severity']} |" in (ROOT / "docs/operations.md").read_text()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (on Debian: in prometheus)")
@pytest.mark.parametrize(
    "command", [["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]], ids=" ".join
)
def test_promtool_accepts_it(command: list[str]) -> None:
    done = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
