"""Each observation has exactly one fate: stored, duplicate or quarantined; from a real broker to a real database."""

import base64

import pytest

from telemetry.limits import PAYLOAD_BYTES_MAX
from tests.integration.ingest.conftest import City, Ingest, now


async def test_an_observation_of_each_kind_is_stored(ingest: Ingest, city: City) -> None:
    ts = now() // 1000
    await city.telemetry("streetlight", "L1", {"ts": ts, "seq": 7, "level_pct": 40, "motion": 3.0, "lamp_fault": False})
    await city.telemetry("drain_level", "D1", {"ts": ts, "distance_m": 1.25})
    await city.telemetry("parking_bay", "B1", {"ts": ts, "occupied": True})
    account = await city.settled(3)
    assert account["stored"] == 3
    assert await city.rows(
        "SELECT seq, level_pct, motion, lamp_fault, power_w, time_from_receipt FROM streetlight"
    ) == [(7, 40.0, 3, False, None, False)]
    assert await city.rows("SELECT level_m, distance_m FROM drain_level") == [(1.75, 1.25)]
    assert await city.rows("SELECT occupied FROM parking_bay") == [(True,)]
