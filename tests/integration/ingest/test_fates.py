"""Each observation has exactly one fate: stored, duplicate or quarantined; from a real broker to a real database."""

import json

import pytest

from ingest.replay import Replayed, replay
from storage import registry
from storage.pool import Pool
from telemetry.limits import QUARANTINE_BYTES_MAX
from telemetry.refusals import Reason
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


async def test_times_are_kept_to_the_microsecond_and_receipt_stands_beside_them(ingest: Ingest, city: City) -> None:
    before = now()
    await city.telemetry("streetlight", "L1", {"ts": "2026-01-02T03:04:05.678901+01:00", "level_pct": 1})
    await city.settled(1)
    ((observed, received),) = await city.rows("SELECT observed_at, received_at FROM streetlight")
    assert observed.isoformat() == "2026-01-02T02:04:05.678901+00:00"
    assert before <= received.timestamp() * 1e6 <= now()


@pytest.mark.parametrize("ts", [0, 86_400_000, 946_684_800_000, 1_500_000_000_000])
async def test_however_old_an_observation_is_it_has_a_place(ingest: Ingest, city: City, ts: int) -> None:
    await city.telemetry("streetlight", "L1", {"ts": ts, "level_pct": 1})
    assert (await city.settled(1))["stored"] == 1


async def test_each_element_of_an_array_has_its_own_fate(ingest: Ingest, city: City) -> None:
    ts = now() // 1000
    elements = [{"ts": ts - i, "level_pct": i} for i in range(10)]
    elements += [elements[0], {"ts": ts - 3, "level_pct": 99}, {"level_pct": 101}, {"seq": 1}]
    await city.telemetry("streetlight", "L1", elements)
    account = await city.settled(14)
    fates = (account["stored"], account["duplicate"], account["conflicting"], account["quarantined"])
    assert fates == (10, 2, 1, 2)
    assert await city.rows("SELECT element, reason FROM quarantine ORDER BY element") == [
        (12, "out_of_range"),
        (13, "missing_field"),
    ]
    assert await city.rows(
        "SELECT level_pct FROM streetlight WHERE observed_at = to_timestamp(%s)", (ts - 3) / 1000
    ) == [(3.0,)], "the first stays"


async def test_a_repeat_is_a_duplicate_and_the_first_stays(ingest: Ingest, city: City) -> None:
    ts = now() // 1000
    await city.telemetry("streetlight", "L1", {"ts": ts, "level_pct": 1})
    await city.settled(1)
    await city.telemetry("streetlight", "L1", {"ts": ts, "level_pct": 1})
    await city.settled(2)
    await city.telemetry("streetlight", "L1", {"ts": ts, "level_pct": 2})
    await city.telemetry("streetlight", "L1", {"ts": ts + 1, "level_pct": 3})
    account = await city.settled(4)
    assert (account["stored"], account["duplicate"], account["conflicting"]) == (2, 2, 1)
    assert await city.rows("SELECT level_pct FROM streetlight ORDER BY observed_at") == [(1.0,), (3.0,)]


async def test_a_redelivery_without_time_is_recognised_by_its_seq(ingest: Ingest, city: City) -> None:
    await city.telemetry("streetlight", "L1", {"seq": 1, "level_pct": 1})
    await city.settled(1)
    await city.telemetry("streetlight", "L1", {"seq": 1, "level_pct": 1})
    await city.telemetry("streetlight", "L1", {"seq": 2, "level_pct": 1})
    await city.telemetry("streetlight", "L2", {"seq": 1, "level_pct": 1})
    await city.telemetry("streetlight", "L1", {"seq": 2, "level_pct": 9})
    account = await city.settled(5)
    assert (account["stored"], account["duplicate"], account["conflicting"]) == (3, 2, 1)
    assert await city.rows("SELECT bool_and(time_from_receipt) FROM streetlight") == [(True,)]


async def test_a_seq_is_forgotten_after_a_day(ingest: Ingest, city: City) -> None:
    await city.telemetry("streetlight", "L1", {"seq": 1, "level_pct": 1})
    await city.settled(1)
    await city.rows("UPDATE streetlight SET observed_at = observed_at - interval '25 hours' RETURNING 1")
    await city.telemetry("streetlight", "L1", {"seq": 1, "level_pct": 1})
    assert (await city.settled(2))["stored"] == 2


async def test_without_time_and_seq_every_uplink_is_stored(ingest: Ingest, city: City) -> None:
    for _ in range(3):
        await city.telemetry("streetlight", "L1", [{"level_pct": 1}, {"level_pct": 1}])
    assert (await city.settled(6))["stored"] == 6


REFUSED: list[tuple[Reason, str, str, bytes]] = [
    (Reason.TOO_LARGE, "streetlight", "L1", b'{"level_pct": 1' + b" " * (QUARANTINE_BYTES_MAX + 10) + b"}"),
    (Reason.UNKNOWN_KIND, "air_quality", "L1", b'{"level_pct": 1}'),
    (Reason.MALFORMED_JSON, "streetlight", "L1", b'{"level_pct": '),
    (Reason.MALFORMED_JSON, "streetlight", "L1", b"\xff\xfe"),
    (Reason.TOO_MANY, "streetlight", "L1", b"[" + b'{"level_pct": 1},' * 500 + b'{"level_pct": 1}]'),
    (Reason.NOT_AN_OBJECT, "streetlight", "L1", b'"on"'),
    (Reason.NOT_AN_OBJECT, "streetlight", "L1", b'[{"level_pct": 1}, 2]'),
    (Reason.UNKNOWN_DEVICE, "streetlight", "stranger", b'{"level_pct": 1}'),
    (Reason.KIND_MISMATCH, "parking_bay", "L1", b'{"occupied": true}'),
    (Reason.MISSING_FIELD, "streetlight", "L1", b'{"power_w": 1}'),
    (Reason.MISSING_FIELD, "streetlight", "L1", b"[]"),
    (Reason.MISSING_FIELD, "drain_level", "D2", b'{"distance_m": 1}'),
    (Reason.WRONG_TYPE, "streetlight", "L1", b'{"level_pct": "1"}'),
    (Reason.BAD_TIMESTAMP, "streetlight", "L1", b'{"ts": "yesterday\\u0000", "level_pct": 1}'),
    (Reason.FUTURE_TIMESTAMP, "streetlight", "L1", b'{"ts": 4102444800000, "level_pct": 1}'),
    (Reason.OUT_OF_RANGE, "streetlight", "L1", b'{"level_pct": 100.5}'),
]


@pytest.mark.parametrize(
    ("reason", "kind", "device", "payload"), REFUSED, ids=[f"{row[0]}-{i}" for i, row in enumerate(REFUSED)]
)
async def test_what_is_refused_is_kept_with_its_reason(
    ingest: Ingest, city: City, reason: Reason, kind: str, device: str, payload: bytes
) -> None:
    await city.telemetry(kind, device, payload)
    await city.telemetry("streetlight", "L2", {"level_pct": 1})
    account = await city.settled(2)
    assert (account["stored"], account["quarantined"]) == (1, 1)
    ((topic, of, why, kept, day, received),) = await city.rows(
        "SELECT topic, device, reason, payload, day, received_at FROM quarantine"
    )
    assert (topic, of, why) == (f"city/v1/{kind}/{device}/telemetry", device, reason.value)
    assert kept == payload[:QUARANTINE_BYTES_MAX]
    assert day == received.date()
    assert ingest.ledger.total.quarantined == {reason: 1}


async def test_a_repeated_refusal_is_a_duplicate(ingest: Ingest, city: City) -> None:
    for _ in range(3):
        await city.telemetry("streetlight", "L1", b"nonsense")
    await city.settled(3)
    await city.telemetry("streetlight", "L1", b"nonsense")
    account = await city.settled(4)
    assert (account["quarantined"], account["duplicate"]) == (1, 3)
    assert len(await city.rows("SELECT 1 FROM quarantine")) == 1


async def test_beyond_a_thousand_a_device_and_day_refusals_are_only_counted(ingest: Ingest, city: City) -> None:
    await city.telemetry("streetlight", "stranger", [{"level_pct": 1, "ts": i} for i in range(500)])
    await city.telemetry("streetlight", "stranger", [{"level_pct": 2, "ts": i} for i in range(500)])
    await city.telemetry("streetlight", "stranger", [{"level_pct": 3, "ts": i} for i in range(500)])
    await city.telemetry("streetlight", "other", {"level_pct": 3})
    account = await city.settled(1501)
    assert (account["quarantined"], account["unkept"]) == (1501, 500)
    assert await city.rows("SELECT device, count(*) FROM quarantine GROUP BY device ORDER BY device") == [
        ("other", 1),
        ("stranger", 1000),
    ]


async def test_a_topic_of_any_length_and_name_finds_its_place(ingest: Ingest, city: City) -> None:
    await city.telemetry("k" * 20_000, "L1", {"level_pct": 1})
    await city.telemetry("streetlight", "a b c", {"level_pct": 1})
    account = await city.settled(2)
    assert account["quarantined"] == 2
    refused = await city.rows("SELECT device, reason FROM quarantine")
    assert set(refused) == {("L1", "unknown_kind"), ("a b c", "unknown_device")}


async def test_unknown_fields_are_ignored_and_counted(ingest: Ingest, city: City) -> None:
    await city.telemetry("streetlight", "L1", {"level_pct": 1, "colour": "red", "mood": 3})
    account = await city.settled(1)
    assert (account["stored"], account["unknown_fields"]) == (1, 2)


async def test_the_waiting_room_of_an_unknown_device(ingest: Ingest, city: City, pool: Pool) -> None:
    ts = now() // 1000 - 60_000
    await city.telemetry("streetlight", "L9", [{"ts": ts, "level_pct": 1}, {"level_pct": 2}, {"level_pct": 3}])
    await city.telemetry("streetlight", "L9", b"[{")
    before = await city.settled(4)
    ((received,),) = await city.rows("SELECT min(received_at) FROM quarantine")
    await registry.import_csv(city.conn, "asset,kind,name,zone,lat,lon,device\nlamp-9,streetlight,,,,,L9\n", now())
    assert await replay(pool, await registry.load(city.conn), now()) == Replayed(4, 3, 0, 1)
    rows = await city.rows("SELECT level_pct, received_at, time_from_receipt FROM streetlight ORDER BY level_pct")
    assert [(level, from_receipt) for level, _, from_receipt in rows] == [(1.0, False), (2.0, True), (3.0, True)]
    assert {row[1] for row in rows} == {received}
    assert await city.ledger() == before | {"replayed": 3}
    assert await city.rows("SELECT count(*) FROM quarantine WHERE replayed_at IS NULL") == [(1,)]
    assert await replay(pool, await registry.load(city.conn), now()) == Replayed(1, 0, 0, 1), "nothing is stored twice"


async def test_a_newly_registered_device_is_known_within_ten_seconds(ingest: Ingest, city: City) -> None:
    await registry.import_csv(city.conn, "asset,kind,name,zone,lat,lon,device\nlamp-8,streetlight,,,,,L8\n", now())
    sent = 0

    async def stored() -> bool:
        nonlocal sent
        sent += 1
        await city.telemetry("streetlight", "L8", {"ts": sent, "level_pct": 1})
        return (await city.settled(sent))["stored"] > 0

    for _ in range(100):
        if await stored():
            break
    assert ingest.ledger.total.stored["streetlight"] == 1


async def test_the_latest_is_the_newest_and_never_a_late_one(ingest: Ingest, city: City) -> None:
    ts = now() // 1000
    await city.telemetry("streetlight", "L1", [{"ts": ts - 5, "level_pct": 1}, {"ts": ts, "level_pct": 2, "motion": 1}])
    await city.settled(2)
    await city.telemetry("streetlight", "L1", {"ts": ts - 1, "level_pct": 3})
    await city.settled(3)
    assert await city.rows(
        "SELECT kind, (extract(epoch FROM observed_at) * 1000)::bigint, fields FROM latest_observation"
    ) == [("streetlight", ts, {"level_pct": 2.0, "motion": 1})]


async def test_hours_with_new_rows_are_marked_for_their_rollups(ingest: Ingest, city: City) -> None:
    hour = 3_600_000
    await city.telemetry("streetlight", "L1", [{"ts": hour * 480_000 + i, "level_pct": 1} for i in (0, 1, hour)])
    await city.telemetry("parking_bay", "B1", {"ts": hour * 480_000, "occupied": True})
    await city.settled(4)
    marked = await city.rows(
        "SELECT DISTINCT kind, (extract(epoch FROM hour) / 3600)::int FROM rollup_dirty ORDER BY 1, 2"
    )
    assert marked == [("parking_bay", 480_000), ("streetlight", 480_000), ("streetlight", 480_001)]


async def test_json_shows_what_it_was(ingest: Ingest, city: City) -> None:
    text = json.dumps({"level_pct": 50, "note": "grün"}, ensure_ascii=False).encode()
    await city.telemetry("streetlight", "stranger", b"[" + text + b', {"level_pct":  7 }]')
    await city.settled(2)
    assert await city.rows("SELECT payload FROM quarantine ORDER BY element") == [(text,), (b'{"level_pct":  7 }',)]
