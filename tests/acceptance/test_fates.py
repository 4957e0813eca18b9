"""A foreign client publishes each case of contract §1 and sees the promised fate over the API."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.acceptance.city import City, demo, eventually


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("fates") / "data", "--devices", "40") as city:
        yield city


def asset_of(city: City, kind: str, **attributes: Any) -> dict[str, Any]:
    """A registered asset of a kind with certain attributes."""
    for asset in city.every("/ops/v1/assets", kind=kind):
        if all(asset["attributes"].get(name) == value for name, value in attributes.items()):
            return asset
    raise AssertionError(f"the demo has no {kind} with {attributes}")


def topic(asset: dict[str, Any]) -> str:
    return f"city/v1/{asset['kind']}/{asset['device']}/telemetry"


def past(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def observation_at(city: City, asset: dict[str, Any], moment: str) -> dict[str, Any] | None:
    rows = city.get(f"/ops/v1/assets/{asset['asset']}/observations", **{"from": moment, "limit": 1})["items"]
    return rows[0] if rows and _moment(rows[0]["observed_at"]) == _moment(moment) else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize(
    ("kind", "payload", "stored"),
    [
        ("streetlight", {"level_pct": 70, "power_w": 41.5, "motion": 3.0, "lamp_fault": False}, {"motion": 3}),
        ("drain_level", {"level_m": 0.25, "rain_mm_h": 1.5}, {"level_m": 0.25, "rain_mm_h": 1.5}),
        ("parking_bay", {"occupied": True, "battery_pct": 80}, {"occupied": True, "battery_pct": 80}),
    ],
)
def test_a_good_reading_is_stored(city: City, kind: str, payload: dict[str, Any], stored: dict[str, Any]) -> None:
    asset, moment = asset_of(city, kind), past(3_600 + len(kind))
    city.publish(topic(asset), json.dumps({"ts": moment, **payload}).encode())
    row = eventually(lambda: observation_at(city, asset, moment))
    assert stored.items() <= row.items()


def test_an_array_is_stored_element_by_element(city: City) -> None:
    asset, moments = asset_of(city, "streetlight"), [past(9_000 - n) for n in range(3)]
    readings: list[dict[str, Any]] = [{"ts": moment, "level_pct": 10} for moment in moments]
    readings[1]["level_pct"] = 900
    city.publish(topic(asset), json.dumps(readings).encode())
    eventually(lambda: observation_at(city, asset, moments[0]) and observation_at(city, asset, moments[2]))
    assert observation_at(city, asset, moments[1]) is None
    refused = quarantined(city, asset["device"], "out_of_range")
    assert json.loads(refused["bytes"]) == readings[1]


def test_a_repeat_is_a_duplicate_and_the_first_stays(city: City) -> None:
    asset, moment = asset_of(city, "drain_level"), past(7_200)
    city.publish(topic(asset), json.dumps({"ts": moment, "level_m": 0.1}).encode())
    eventually(lambda: observation_at(city, asset, moment))
    before = city.get("/ops/v1/ledger")["duplicate"]
    city.publish(topic(asset), json.dumps({"ts": moment, "level_m": 0.2}).encode())
    eventually(lambda: city.get("/ops/v1/ledger")["duplicate"] > before)
    row = observation_at(city, asset, moment)
    assert row
    assert row["level_m"] == 0.1


def quarantined(city: City, device: str, reason: str, payload: bytes | None = None) -> dict[str, Any]:
    """The newest quarantine row of a device and reason, and of a payload, with its bytes decoded."""

    def newest() -> dict[str, Any] | None:
        for row in city.every("/ops/v1/quarantine"):
            found = base64.b64decode(row["payload_base64"])
            if (row["device"], row["reason"]) == (device, reason) and payload in (None, found):
                return {**row, "bytes": found}
        return None

    row = eventually(newest)
    assert row
    return row


DEVICE_FAULTS = [
    (b'{"level_pct": 1, "x": "' + b"y" * 300_000 + b'"}', "too_large"),
    (b"not json", "malformed_json"),
    (json.dumps([{"level_pct": 1}] * 501).encode(), "too_many"),
    (b'"a string"', "not_an_object"),
    (b'{"power_w": 3}', "missing_field"),
    (b"[]", "missing_field"),
    (b'{"level_pct": "70"}', "wrong_type"),
    (b'{"level_pct": 1, "ts": "2026-11-22T20:15:00"}', "bad_timestamp"),
    (b'{"level_pct": 1, "ts": "%s"}' % past(-3_600).encode(), "future_timestamp"),
    (b'{"level_pct": 101}', "out_of_range"),
]


@pytest.mark.parametrize(("payload", "reason"), DEVICE_FAULTS, ids=[reason for _, reason in DEVICE_FAULTS])
def test_a_bad_reading_is_quarantined_with_its_bytes(city: City, payload: bytes, reason: str) -> None:
    asset = asset_of(city, "streetlight")
    city.publish(topic(asset), payload)
    row = quarantined(city, asset["device"], reason, None if reason == "too_large" else payload)
    assert row["detail"]


@pytest.mark.parametrize(
    ("topic_name", "device", "reason"),
    [
        ("city/v1/tram/some-tram/telemetry", "some-tram", "unknown_kind"),
        ("city/v1/streetlight/nobody/telemetry", "nobody", "unknown_device"),
    ],
)
def test_what_nobody_registered_is_quarantined(city: City, topic_name: str, device: str, reason: str) -> None:
    city.publish(topic_name, b'{"level_pct": 50}')
    assert quarantined(city, device, reason)["bytes"] == b'{"level_pct": 50}'


def test_a_known_device_of_another_kind_is_a_mismatch(city: City) -> None:
    lamp = asset_of(city, "streetlight")
    city.publish(f"city/v1/drain_level/{lamp['device']}/telemetry", b'{"level_m": 1}')
    quarantined(city, lamp["device"], "kind_mismatch")


def test_the_ledger_balances_after_all_this(city: City) -> None:
    def balanced() -> bool:
        ledger = city.get("/ops/v1/ledger")
        fates = ledger["stored"] + ledger["duplicate"] + ledger["quarantined"]
        return bool(ledger["received"] == fates + ledger["in_flight"])

    time.sleep(1)
    eventually(balanced)


def test_a_lost_row_is_an_alarm_until_it_is_back(city: City) -> None:
    def alarm() -> dict[str, Any]:
        return next((row for row in city.every("/ops/v1/alarms") if row["type"] == "ledger_imbalance"), {})

    assert set(city.proof().values()) == {"balances"}
    with psycopg.connect(city.ready["database"], autocommit=True) as database:
        database.execute("CREATE TABLE lost AS SELECT * FROM drain_level LIMIT 1")
        database.execute("DELETE FROM drain_level USING lost WHERE (drain_level.*) = (lost.*)")
        assert "differs" in city.proof().values()
        raised = eventually(alarm)
        assert (raised["subject"], raised["severity"], raised["state"]) == ("platform", "critical", "unacknowledged")
        missing = raised["why"]["inputs"]["rows_expected"] - raised["why"]["inputs"]["rows_found"]
        assert missing == 1
        assert eventually(lambda: city.retained(f"city/v1/alarms/{raised['id']}"))["why"] == raised["why"]
        database.execute("INSERT INTO drain_level SELECT * FROM lost")
        assert set(city.proof().values()) == {"balances"}
        eventually(lambda: alarm()["state"] == "returned_unacknowledged")
