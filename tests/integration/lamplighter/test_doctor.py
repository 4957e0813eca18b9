"""`lamplighter doctor` finds what is wrong with real parts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter.doctor import broker as broker_checks
from lamplighter.doctor import database as database_checks
from lamplighter.doctor import machine
from lamplighter.doctor.findings import Finding
from lamplighter.settings import Settings
from tests.parts.broker import BrokerPart


async def collect(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


def wrongs(findings: list[Finding]) -> list[str]:
    return [finding.sentence for finding in findings if finding.weight == "wrong"]


async def test_our_own_broker_is_all_right(broker: BrokerPart) -> None:
    assert wrongs(await collect(broker_checks.examine(broker.url))) == []


async def test_a_broker_that_loses_what_it_acknowledged_is_found_out(mosquitto_as_delivered: str) -> None:
    sentences = wrongs(await collect(broker_checks.examine(mosquitto_as_delivered)))
    assert any("kept 1000: set `max_queued_messages 2000000`" in sentence for sentence in sentences)


async def test_a_broker_that_is_open_to_anybody_is_found_out(mosquitto_as_delivered: str) -> None:
    sentences = wrongs(await collect(broker_checks.examine(mosquitto_as_delivered)))
    assert any("allow_anonymous false" in sentence for sentence in sentences)


async def test_the_probe_leaves_no_session_behind(own_broker: BrokerPart) -> None:
    await collect(broker_checks.examine(own_broker.url))
    own_broker.stop()
    assert b"lamplighter-doctor" not in (own_broker.folder / "mosquitto.db").read_bytes()
    own_broker.start()


async def test_a_broker_that_is_away_or_refuses_us_is_told_with_the_mend(broker: BrokerPart) -> None:
    (away,) = wrongs(await collect(broker_checks.examine("mqtt://127.0.0.1:1")))
    assert "start it, or mend LAMPLIGHTER_MQTT_URL" in away
    (refused,) = wrongs(await collect(broker_checks.examine(f"mqtt://me:wrong@127.0.0.1:{broker.port}")))
    assert "LAMPLIGHTER_MQTT_URL" in refused


async def test_a_migrated_database_is_all_right(any_database: str) -> None:
    findings = await collect(database_checks.examine(any_database))
    assert [sentence for sentence in wrongs(findings) if "power cut" not in sentence] == []
    assert any("No asset is registered" in finding.sentence for finding in findings)
    assert any("No API token" in finding.sentence for finding in findings)


async def test_a_database_without_schema_is_told_to_migrate(empty_database: str) -> None:
    assert any("run `lamplighter migrate`" in sentence for sentence in wrongs(await examine(empty_database)))


async def examine(url: str) -> list[Finding]:
    return await collect(database_checks.examine(url))


async def test_a_database_that_may_lose_commits_is_found_out(database: str) -> None:
    """The server of these tests is careless, for speed."""
    assert any("power cut" in sentence for sentence in wrongs(await examine(database)))


async def test_a_database_that_is_away_is_told_with_the_mend() -> None:
    (sentence,) = wrongs(await examine("postgresql://127.0.0.1:1/city"))
    assert "start it, or mend LAMPLIGHTER_DATABASE_URL" in sentence


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("CITY_LAT", "CITY_LON"):
        monkeypatch.delenv(f"LAMPLIGHTER_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_a_misspelt_setting_and_an_unknown_place_are_found(no_settings: pytest.MonkeyPatch) -> None:
    no_settings.setenv("LAMPLIGHTER_CITYLAT", "51")
    sentences = wrongs(list(machine.examine(Settings.read())))
    assert any("LAMPLIGHTER_CITYLAT is no setting" in sentence for sentence in sentences)
    assert any("Where the city lies is not set" in sentence for sentence in sentences)


def test_a_full_disk_is_found(no_settings: pytest.MonkeyPatch) -> None:
    no_settings.setattr(machine, "FREE_BYTES_WRONG", 1 << 80)
    assert any("make room" in sentence for sentence in wrongs(list(machine.examine(Settings.read()))))
