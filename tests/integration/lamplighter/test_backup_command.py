"""`lamplighter backup` and `restore` as an operator types them."""

import os
import time
from pathlib import Path

import pytest

from lamplighter.cli import run
from lamplighter.embedded.postgres import RunningPostgres
from tests.parts.databases import fresh_database

SETTINGS = """
database_url = "{database}"
mqtt_url = "mqtt://platform:hunter%212@127.0.0.1:1883"
gateway_networks = "chirpstack=mqtt://gateway:gw-secret@127.0.0.1:1884"
grafana_token = "glsa_planted"
city_name = "Hohenruhr"
"""
SECRETS = ("hunter", "gw-secret", "glsa_planted")


@pytest.fixture
def town(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LAMPLIGHTER_")]:
        monkeypatch.delenv(name)
    Path("lamplighter.toml").write_text(SETTINGS.format(database=database))
    Path("rules.toml").write_text('version = "town"\n')
    Path("city.csv").write_text("asset,kind,name,zone,lat,lon,device\nlamp-1,streetlight,Lamp 1,,51.4,7.3,dev-1\n")
    Path("backups").mkdir()
    assert run(["registry", "import", "city.csv"]) == 0
    return database


def newest() -> Path:
    return max(Path("backups").glob("*.tar"))


def test_a_backup_with_its_files_is_restored_by_whoever_reads_what_it_says(
    town: str, postgres: RunningPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["backup", "backups", "--settings"]) == 0
    said = capfd.readouterr().err
    assert "with models.toml" not in said
    assert "rules.toml, settings.toml" in said
    assert "Passwords of the settings are not in it" in said
    assert newest().stat().st_mode & 0o777 == 0o600
    assert run(["restore", str(newest())]) == 1
    said = capfd.readouterr().err
    assert "The database is not empty" in said
    assert "doctor" not in said
    with fresh_database(postgres.url) as elsewhere:
        monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", elsewhere)
        assert run(["restore", str(newest()), "--files-to", "files"]) == 0
        said = capfd.readouterr().err
        assert "A whole backup of" in said
        assert "           1 asset" in said
        assert run(["registry", "export"]) == 0
        assert "lamp-1,streetlight,Lamp 1" in capfd.readouterr().out
    kept = Path("files/settings.toml").read_text()
    assert 'mqtt_url = "mqtt://platform:LEFT-OUT@127.0.0.1:1883"' in kept
    assert "Hohenruhr" in kept
    assert not any(secret in kept for secret in SECRETS)
    assert town.split(":")[2].split("@")[0] not in kept
    assert Path("files/rules.toml").read_text() == 'version = "town"\n'


def test_secrets_are_only_in_a_backup_that_says_so(town: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", "clear.tar", "--settings", "--secrets"]) == 0
    assert "IN CLEAR" in capfd.readouterr().err
    clear = Path("clear.tar").read_bytes()
    assert all(secret.encode() in clear for secret in SECRETS)
    assert run(["backup", "clear.tar"]) == 2
    assert "is there already" in capfd.readouterr().err


def test_the_newest_are_kept_and_nothing_else_is_touched(town: str, capfd: pytest.CaptureFixture[str]) -> None:
    for day in (20, 21, 22):
        Path(f"backups/lamplighter-202611{day}T030000Z.tar").touch()
    left = Path("backups/.lamplighter-20261119T030000Z.tar-1x2y")
    left.touch()
    os.utime(left, (time.time() - 90_000,) * 2)
    Path("backups/holiday.tar").touch()
    assert run(["backup", "backups", "--keep", "2"]) == 0
    assert "deleted backups/lamplighter-20261120T030000Z.tar" in capfd.readouterr().err
    kept = sorted(path.name for path in Path("backups").iterdir())
    assert kept == ["holiday.tar", "lamplighter-20261122T030000Z.tar", newest().name]
    assert run(["backup", "-", "--keep", "2"]) == 2


def test_a_backup_goes_by_standard_output_and_a_failed_one_leaves_nothing(
    town: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["backup", "-"]) == 0
    Path("piped.tar").write_bytes(capfdbinary.readouterr().out)
    assert run(["restore", "piped.tar", "--check"]) == 0
    Path("piped.tar").write_bytes(Path("piped.tar").read_bytes()[:20_000])
    assert run(["restore", "piped.tar", "--check"]) == 1
    assert b"piped.tar is no whole backup" in capfdbinary.readouterr().err
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert run(["backup", "backups"]) == 1
    assert list(Path("backups").iterdir()) == []
