"""`lamplighter doctor` finds what is wrong with real parts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.session import Publisher
from gateway.broker_rules import BrokerFiles, configuration
from lamplighter.clock import real_now
from lamplighter.doctor import backlog as backlog_checks
from lamplighter.doctor import broker as broker_checks
from lamplighter.doctor import broker_file, door, queue
from lamplighter.doctor import networks as network_checks
from lamplighter.doctor.findings import Finding
from lamplighter.settings import Settings
from rules.soundings import QueueBound
from telemetry import topics
from telemetry.backlog import Backlog
from telemetry.clock import to_rfc3339
from tests.parts.broker import BrokerPart


async def collect(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


def wrongs(findings: list[Finding]) -> list[str]:
    return [finding.sentence for finding in findings if finding.weight == "wrong"]


async def test_a_broker_that_sends_little_ahead_is_told(weak_broker: BrokerPart) -> None:
    trial = queue.examine(weak_broker.url)
    kept, ahead = await anext(trial), await anext(trial)
    await trial.aclose()
    assert kept.weight == "ok"
    assert "set `max_inflight_messages 1000`" in ahead.sentence


async def test_a_filling_queue_and_a_dropping_broker_are_told_as_the_platform_says(own_broker: BrokerPart) -> None:
    word = Backlog(
        age_s=812.4,
        messages=1_260_000,
        bytes=10**9,
        filled_pct=63.0,
        lost_probes=3,
        dropped_messages=20_000,
        at=to_rfc3339(real_now()),
        slowest="ingest-2",
    )
    (unwatched,) = await collect(backlog_checks.examine(own_broker.url))
    assert "start `lamplighter rules`" in unwatched.sentence
    async with Publisher(own_broker.url, "rules-out") as publisher:
        await publisher.publish(topics.BACKLOG, msgspec.json.encode(word), retain=True)
        filling, dropping = wrongs(await collect(backlog_checks.examine(own_broker.url)))
        assert "63 % full" in filling
        assert "1260000 messages wait for ingest, the oldest for 812 s (process ingest-2)" in filling
        assert "3 of our probes, 20000 messages" in dropping
        calm = msgspec.structs.replace(word, age_s=0, messages=0, filled_pct=0, lost_probes=0, dropped_messages=0)
        await publisher.publish(topics.BACKLOG, msgspec.json.encode(calm), retain=True)
        (fine,) = await collect(backlog_checks.examine(own_broker.url))
        assert fine.weight == "ok"


def test_what_cannot_be_seen_from_outside_is_read_from_the_broker_s_file(tmp_path: Path) -> None:
    file = tmp_path / "mosquitto.conf"

    def said(*lines: str) -> list[str]:
        file.write_text("\n".join(lines))
        return wrongs(list(broker_file.examine(file, QueueBound())))

    files = BrokerFiles(tmp_path / "access", tmp_path / "passwords", tmp_path)
    assert said(configuration(files, 1883)) == []
    good = ["persistence true", "autosave_interval 30", "max_queued_messages 0"]
    assert said(*good) == []
    assert "`persistence true`" in said(*good[1:])[0]
    assert "`autosave_interval 30`" in said(good[0], good[2])[0]
    assert "LAMPLIGHTER_BROKER_QUEUE_MESSAGES says 2000000" in said(*good[:2])[0]
    assert "LAMPLIGHTER_BROKER_QUEUE_BYTES" in said(*good, "max_queued_bytes 1000000")[0]
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("persistence false")
    assert "`persistence true`" in said(*good, f"include_dir {tmp_path / 'more'}")[0]
    assert said("persistence 1", *good[1:], f"include_dir {tmp_path}") == [], "a folder that holds the file itself"
    assert "cannot be read" in wrongs(list(broker_file.examine(tmp_path / "none.conf", QueueBound())))[0]


async def test_the_probe_leaves_no_session_behind(own_broker: BrokerPart) -> None:
    await collect(broker_checks.examine(own_broker.url))
    own_broker.stop()
    assert b"lamplighter-doctor" not in (own_broker.folder / "mosquitto.db").read_bytes()
    own_broker.start()


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("CITY_LAT", "CITY_LON"):
        monkeypatch.delenv(f"LAMPLIGHTER_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def networks_at(url: str, **more: Any) -> Settings:
    return Settings.read().model_copy(update={"gateway_networks": (f"chirpstack={url}",), **more})


async def test_a_network_server_that_lets_us_hear_is_all_right(
    no_settings: pytest.MonkeyPatch, broker: BrokerPart, database: str
) -> None:
    findings = await collect(network_checks.examine(networks_at(broker.url, database_url=database)))
    assert [finding.weight for finding in findings] == ["ok", "ok"]


async def test_a_network_server_that_is_away_or_refuses_us_is_told(
    no_settings: pytest.MonkeyPatch, broker: BrokerPart
) -> None:
    (away,) = wrongs(await collect(network_checks.examine(networks_at("mqtt://127.0.0.1:1"))))
    assert "start it, or mend LAMPLIGHTER_GATEWAY_NETWORKS" in away
    (refused,) = wrongs(await collect(network_checks.examine(networks_at(f"mqtt://me:no@127.0.0.1:{broker.port}"))))
    assert "user name or password" in refused or "LAMPLIGHTER_GATEWAY_NETWORKS" in refused


async def test_who_may_enter_is_read_from_the_files_that_the_configuration_names(
    own_broker: BrokerPart, database: str
) -> None:
    file = own_broker.folder / "mosquitto.conf"
    findings = await collect(door.examine(file, database, own_broker.url))
    assert [finding.weight for finding in findings] == ["ok", "note", "ok"], findings
    assert findings[1].sentence.startswith("Without a user of its own at the broker")
