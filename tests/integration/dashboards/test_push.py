"""A push brings Grafana to what the code says, and does nothing where that holds already."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.build import documents
from dashboards.preview.document import Look
from lamplighter.cli import preview, run
from lamplighter.settings import PREFIX, Settings
from storage import rule_versions
from storage.pool import connect
from storage.rule_versions import RuleVersion
from tests.integration.dashboards import grafana

pytestmark = pytest.mark.skipif(
    not grafana.SCHEMA.exists(),
    reason=f"Grafana's API schema is not at {grafana.SCHEMA}: set LAMPLIGHTER_SHARED to the folder with data/",
)
UIDS = [json.loads(text)["uid"] for text in documents().values()]
FIRST = ["folder lamplighter", *(f"save {uid}" for uid in UIDS)]


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[grafana.Town]:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    with grafana.running() as server:
        monkeypatch.setenv("LAMPLIGHTER_GRAFANA_URL", server.url)
        monkeypatch.setenv("LAMPLIGHTER_GRAFANA_TOKEN", grafana.TOKEN)
        yield server
        assert server.violations == []


def push(*options: str) -> int:
    return run(["dashboards", "push", *options])


def test_an_empty_grafana_gets_the_folder_and_every_dashboard(town: grafana.Town) -> None:
    assert push() == 0
    assert town.writes == FIRST
    assert {uid: kept["body"] | {"id": 0} for uid, kept in town.dashboards.items()} == {
        each["uid"]: each | {"id": 0} for each in map(json.loads, documents().values())
    }


def test_a_second_push_changes_nothing(town: grafana.Town, capfd: pytest.CaptureFixture[str]) -> None:
    push()
    capfd.readouterr()
    assert push() == 0
    assert town.writes == FIRST
    assert capfd.readouterr().out.count("unchanged") == len(UIDS)


def test_a_dry_run_shows_the_difference_and_changes_nothing(
    town: grafana.Town, capfd: pytest.CaptureFixture[str]
) -> None:
    assert push("--dry-run") == 0
    assert town.writes == []
    push()
    town.dashboards[UIDS[0]]["body"]["panels"][0]["title"] = "Changed by hand"
    capfd.readouterr()
    assert push("--dry-run") == 0
    said = capfd.readouterr().out
    assert town.writes == FIRST
    assert '-      "title": "Changed by hand"' in said
    assert '+      "title": "Online"' in said
    assert "1 of 7 dashboards would change." in said


def test_only_what_differs_is_saved_and_what_is_ours_no_more_deleted(town: grafana.Town) -> None:
    push()
    town.dashboards[UIDS[3]]["body"]["refresh"] = "5s"
    for uid in ("lamplighter-old", "somebody-elses"):
        town.dashboards[uid] = {"body": {"uid": uid, "title": uid}, "folder": "lamplighter", "version": 1}
    town.writes.clear()
    assert push() == 0
    assert town.writes == [f"save {UIDS[3]}", "delete lamplighter-old"]
    assert "somebody-elses" in town.dashboards


def test_a_dashboard_in_another_folder_comes_home(town: grafana.Town) -> None:
    push()
    town.dashboards[UIDS[1]]["folder"] = "elsewhere"
    assert push() == 0
    assert town.dashboards[UIDS[1]]["folder"] == "lamplighter"


def test_another_folder_can_be_chosen(town: grafana.Town) -> None:
    assert push("--into", "town") == 0
    assert {kept["folder"] for kept in town.dashboards.values()} == {"town"}


def test_the_token_may_stand_in_a_file(
    town: grafana.Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAMPLIGHTER_GRAFANA_TOKEN")
    file = tmp_path / "token"
    monkeypatch.setenv("LAMPLIGHTER_GRAFANA_TOKEN_FILE", str(file))
    assert push() == 2
    assert "token cannot be read" in capfd.readouterr().err
    file.write_text(f"{grafana.TOKEN}\n")
    assert push() == 0
    assert grafana.TOKEN not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ((403, '{"message": "no"}', "application/json"), "give its service account the role Editor"),
        ((412, '{"message": "The dashboard\\nwas changed"}', "application/json"), "refused: Client Error 412: The"),
        ((500, '{"message": "broken"}', "application/json"), "fails: Server Error 500: broken"),
        ((200, "<html>welcome</html>", "text/html"), "is no Grafana"),
        ((200, "hello", "application/json"), "is no Grafana"),
    ],
)
def test_what_grafana_refuses_is_one_sentence(
    town: grafana.Town, refusal: tuple[int, str, str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    town.refusal = refusal
    assert push() == 1
    said = capfd.readouterr().err.splitlines()
    assert sentence in said[-1]
    assert "Traceback" not in "".join(said)
    assert grafana.TOKEN not in "".join(said)


def test_a_wrong_token_and_an_address_where_nobody_is_are_one_sentence_each(
    town: grafana.Town, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_GRAFANA_TOKEN", "glsa_wrong")
    assert push() == 1
    assert "does not accept the token" in capfd.readouterr().err
    monkeypatch.setenv("LAMPLIGHTER_GRAFANA_URL", "http://admin:secret@127.0.0.1:1")
    assert push() == 1
    said = capfd.readouterr().err
    assert "http://127.0.0.1:1 cannot be reached" in said
    assert "secret" not in said
    assert "glsa_wrong" not in said


def test_without_an_address_push_says_which_setting_is_missing(
    town: grafana.Town, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAMPLIGHTER_GRAFANA_URL")
    assert push() == 2
    assert "LAMPLIGHTER_GRAFANA_URL" in capfd.readouterr().err


def test_the_active_rules_give_the_limits(town: grafana.Town, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    async def activate() -> None:
        content = json.dumps({"version": "town-1", "drainage": {"pre_alarm_below_crown_m": 0.33}})
        async with await connect(database, application="test") as connection:
            await rule_versions.activate(connection, RuleVersion("town-1", content, "", "", "Tiefbauamt"), 0)

    asyncio.run(activate())
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.setenv("LAMPLIGHTER_PLATFORM_URL", "https://lamplighter.example/")
    assert push() == 0
    previewed = asyncio.run(preview._documents(Settings.read(), ["overview"], Look(0, "UTC"), {}, demo=False))
    for overview in (town.dashboards["lamplighter-overview"]["body"], previewed["overview"]["dashboard"]):
        water = next(panel for panel in overview["panels"] if panel["title"] == "Water against the crown")
        steps = water["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [step.get("value") for step in steps] == [None, -0.33, 0]
        assert overview["templating"]["list"][-1]["query"] == "https://lamplighter.example"
