"""Every type of alarm has its page, and the index leads to it."""

import pytest

from telemetry.alarms import AlarmType
from tests.docs.pages import ROOT

RUNBOOK = ROOT / "docs" / "runbook"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]


@pytest.mark.parametrize("kind", [each.value for each in AlarmType])
def test_a_type_of_alarm_has_its_page(kind: str) -> None:
    lines = (RUNBOOK / f"{kind}.md").read_text().splitlines()
    assert lines[0] == f"# {kind}"
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == SECTIONS
    assert f"[{kind}]({kind}.md)" in (RUNBOOK / "index.md").read_text()


def test_no_page_is_of_an_alarm_that_is_no_more() -> None:
    assert {path.stem for path in RUNBOOK.glob("*.md")} == {each.value for each in AlarmType} | {"index"}
