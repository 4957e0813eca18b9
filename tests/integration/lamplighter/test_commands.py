"""Commands against a real database."""

import re
from pathlib import Path

import psycopg
import pytest

from lamplighter.cli import run

REGISTRY = """asset,kind,name,zone,lat,lon,device,min_level_pct
market,zone,Marktplatz,,51.4,7.3,,
lamp-1,streetlight,Markt 1,market,51.4,7.3,dev-1,30
lamp-2,streetlight,Markt 2,market,51.4,7.3,dev-2,30
"""


LATE_DEVICE = """
INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)
VALUES ('2026-11-22', '2026-11-22T20:15:00Z', 'city/v1/streetlight/dev-1/telemetry', 'dev-1',
        sha256('{"level_pct": 70}'), 0, 'unknown_device', 'nobody knows dev-1', '{"level_pct": 70}')
"""
TOO_LARGE = """
INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)
VALUES ('2026-11-22', '2026-11-22T20:15:00Z', 'city/v1/streetlight/dev-2/telemetry', 'dev-2', sha256(''), 0,
        'too_large', '', '')
"""


@pytest.fixture
def city(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    Path("city.csv").write_text(REGISTRY)


def test_migrate_creates_the_schema_and_does_no_harm_twice(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", empty_database)
    assert run(["migrate"]) == 0
    assert "applied 0001_" in capfd.readouterr().out
    assert run(["migrate"]) == 0
    assert capfd.readouterr().out == "The schema is up to date, on plain PostgreSQL.\n"


@pytest.mark.usefixtures("city")
def test_a_registry_is_imported_once_and_then_changes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["registry", "import", "city.csv"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "+ zone market",
        "+ lamp-1 with device dev-1",
        "+ lamp-2 with device dev-2",
    ]
    assert run(["registry", "import", "city.csv"]) == 0
    assert capfd.readouterr() == ("", "0 added, 0 changed, 0 retired, 3 unchanged.\n")


@pytest.mark.usefixtures("city")
def test_a_dry_run_changes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["registry", "import", "city.csv", "--dry-run"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 3
    run(["registry", "export"])
    assert len(capfd.readouterr().out.splitlines()) == 1


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_what_is_exported_can_be_imported(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    run(["registry", "import", "city.csv"])
    capfd.readouterr()
    assert run(["registry", "export", "--format", form]) == 0
    Path("export").write_text(capfd.readouterr().out)
    assert run(["registry", "import", "export", "--retire-missing"]) == 0
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("city")
def test_every_mistake_in_a_registry_is_named_with_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    Path("city.csv").write_text(
        REGISTRY.replace(",streetlight,Markt 2", ",streetlite,Markt 2").replace(",30", ",a lot")
    )
    assert run(["registry", "import", "city.csv"]) == 1
    err = capfd.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in err] == ["city.csv, line 3", "city.csv, line 4"]


@pytest.mark.usefixtures("city")
def test_geojson_changes_what_the_same_csv_would(capfd: pytest.CaptureFixture[str]) -> None:
    run(["registry", "import", "city.csv"])
    capfd.readouterr()
    Path("city.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature",'
        ' "geometry": {"type": "Point", "coordinates": [7.3, 51.5]},'
        ' "properties": {"asset": "lamp-1", "kind": "streetlight", "device": "dev-1", "name": null}}]}'
    )
    for options in (["--dry-run"], [], []):
        assert run(["registry", "import", "city.geojson", *options]) == 0
    change = "~ lamp-1: name Markt 1 → (none), lat 51.4 → 51.5\n"
    assert capfd.readouterr().out == change * 2
    Path("city.geojson").write_text('{"type": "FeatureCollection", "features": [7]}')
    assert run(["registry", "import", "city.geojson"]) == 1
    assert capfd.readouterr().err.endswith("city.geojson, line 1, feature 1: it is no Feature with properties\n")


@pytest.mark.usefixtures("city")
def test_a_device_is_swapped_and_an_asset_retired_at_a_moment(capfd: pytest.CaptureFixture[str]) -> None:
    run(["registry", "import", "city.csv"])
    capfd.readouterr()
    assert run(["registry", "swap", "lamp-1", "dev-9", "--at", "2026-11-01T12:00:00+01:00"]) == 0
    assert capfd.readouterr().out == "~ lamp-1: device dev-1 swapped for dev-9 at 2026-11-01T11:00:00Z\n"
    model = ["--model", "NAS/UL20xx-1.1"]
    assert run(["registry", "swap", "lamp-1", "dev-8", "--at", "2026-11-01T12:30:00Z", *model]) == 0
    assert run(["registry", "swap", "lamp-1", "dev-7", "--at", "2026-11-01T13:00:00Z", "--model", "nas/lamp"]) == 2
    out, err = capfd.readouterr()
    assert out == "~ lamp-1: device dev-9 swapped for dev-8 at 2026-11-01T12:30:00Z\n"
    assert err.endswith("There is no codec for the model 'nas/lamp': see docs/devices.md and `codec list`.\n")
    run(["registry", "export"])
    assert "lamp-1,streetlight,Markt 1,market,51.4,7.3,dev-8,nas/ul20xx-1.1," in capfd.readouterr().out
    assert run(["registry", "retire", "lamp-2", "--at", "2026-11-01T11:00:00Z"]) == 0
    assert capfd.readouterr().out == "- lamp-2 retired at 2026-11-01T11:00:00Z, device dev-2 is free\n"
    assert run(["registry", "retire", "lamp-9", "--at", "2026-11-01T11:00:00Z"]) == 1
    assert capfd.readouterr().err == "There is no asset 'lamp-9'.\n"


def audited(database: str) -> list[tuple[str, str]]:
    """What the audit says that was done, and to what."""
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT action, subject FROM audit ORDER BY id").fetchall()


@pytest.mark.usefixtures("city")
def test_a_token_is_issued_listed_and_revoked(database: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["token", "issue", "--role", "operator", "--expires", "90d", "--name", "Grafana"]) == 0
    secret, words = capfd.readouterr()
    assert re.fullmatch(r"ll_\S{40,}\n", secret)
    found = re.match(r"Token (\w+) \(operator\) is valid until", words)
    assert found
    run(["token", "list"])
    listed = capfd.readouterr().out
    assert re.search(rf"{found[1]} +operator +Grafana +valid", listed)
    assert secret.strip() not in listed
    assert run(["token", "revoke", found[1]]) == 0
    run(["token", "list"])
    assert " revoked " in capfd.readouterr().out
    assert run(["token", "revoke", found[1]]) == 1
    assert audited(database) == [("issue_token", f"token:{found[1]}"), ("revoke_token", f"token:{found[1]}")]


@pytest.mark.usefixtures("city")
def test_what_a_device_sent_before_it_was_registered_is_stored_by_a_replay(
    database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(LATE_DEVICE)
        connection.execute(TOO_LARGE)
    assert run(["quarantine", "list"]) == 0
    found = re.search(r"^(\d+) +2026-11-22 20:15:00Z +unknown_device", capfd.readouterr().out, re.MULTILINE)
    assert found
    assert run(["quarantine", "show", found[1]]) == 0
    assert '{"level_pct": 70}' in capfd.readouterr().out
    run(["quarantine", "replay"])
    assert capfd.readouterr().out == (
        "0 stored, 0 there already, 1 still refused.\n"
        "1 not looked at: too large to be kept whole, so only their devices can send them again.\n"
    )
    run(["registry", "import", "city.csv"])
    capfd.readouterr()
    assert run(["quarantine", "replay", "--device", "dev-1"]) == 0
    assert capfd.readouterr().out == "1 stored, 0 there already, 0 still refused.\n"
    assert audited(database).count(("replay_quarantine", "platform")) == 2
    assert run(["quarantine", "show", "999"]) == 1


def test_dashboards_are_built_and_checked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "dashboards")
    assert run(["dashboards", "check", "--folder", folder]) == 1
    assert "has not been built" in capfd.readouterr().out
    assert run(["dashboards", "build", "--folder", folder]) == 0
    assert run(["dashboards", "check", "--folder", folder]) == 0


@pytest.mark.usefixtures("city")
def test_the_ledgers_report_compares_what_it_says_with_the_rows_as_they_are(
    database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO ledger (day) VALUES ('2026-11-21')")
        connection.execute("INSERT INTO ledger (day, received, stored) VALUES ('2026-11-22', 1, 1)")
    days = ["report", "ledger", "--from", "2026-11-21", "--to", "2026-11-22"]
    assert run(days) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.rpartition(",")[0] for line in lines[1:]] == [
        "2026-11-21,0,0,0,0,0,0,0,0,0,0,balances",
        "2026-11-22,1,1,0,0,0,0,1,0,0,0,differs",
    ]
    assert run([*days, "--check", "--language", "de"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("tag,empfangen,gespeichert,doppelt,abgewiesen,")
    assert [line.split(",")[-2] for line in lines[1:]] == ["stimmt", "weicht ab"]
    assert run([*days, "--format", "html"]) == 0
    assert "The account does not balance on 2026-11-22." in capfd.readouterr().out
    assert run(["report", "ledger", "--from", "2026-11-23", "--to", "2026-11-22"]) == 2
    assert "name the earlier day first" in capfd.readouterr().err
    assert run(["report", "ledger", "--from", "yesterday"]) == 2
    assert "'yesterday' is no day such as 2026-11-22" in capfd.readouterr().err


@pytest.mark.usefixtures("city")
def test_who_may_only_read_has_the_ledgers_report_of_the_last_check(
    database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO ledger (day) VALUES ('2026-11-21')")
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET role = 'lamplighter_reader'")
    days = ["report", "ledger", "--from", "2026-11-21", "--to", "2026-11-21"]
    assert run(days) == 0
    assert capfd.readouterr().out.splitlines()[1] == "2026-11-21,0,0,0,0,0,0,,,,,not checked,"
    assert run([*days, "--check"]) == 1
    assert "permission denied" in capfd.readouterr().err
