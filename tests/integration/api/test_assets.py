"""Assets with their latest state, and their observations raw, in buckets and as CSV."""

import csv
import datetime as dt
import io

import httpx
import msgspec
import pytest

from api import shapes
from storage import rule_state
from storage.pool import Connection
from telemetry.clock import to_us
from tests.integration.api.conftest import ago, asset_id, observe, text
from tests.integration.storage.rows import at, store

ASSETS = "/ops/v1/assets"


async def test_the_registry_with_the_latest_state(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await observe(conn, "lamp-1", "streetlight", (ago(30), {"level_pct": 70.0, "motion": 3}))
    answer = (await viewer.get(ASSETS)).json()
    shapes.Assets.model_validate(answer)
    names = [item["asset"] for item in answer["items"]]
    assert names == ["bay-1", "drain-1", "lamp-1", "lamp-2", "lamp-3", "lamp-4"]
    assert answer["next"] is None
    lamp = answer["items"][2]
    assert (lamp["kind"], lamp["zone"], lamp["device"], lamp["online"]) == ("streetlight", "market", "L1", True)
    assert lamp["latest"] == {"level_pct": 70.0, "motion": 3}
    assert lamp["attributes"] == {"ring_sign": True}
    assert 29 < lamp["age_s"] < 60


async def test_an_asset_never_heard_has_no_latest(viewer: httpx.AsyncClient) -> None:
    lamp = (await viewer.get(f"{ASSETS}/lamp-4")).json()
    assert (lamp["device"], lamp["observed_at"], lamp["age_s"], lamp["latest"]) == (None, None, None, {})
    assert lamp["online"] is False


async def test_a_drain_says_where_its_water_goes(viewer: httpx.AsyncClient, conn: Connection) -> None:
    async def outlook() -> shapes.Outlook | None:
        return shapes.Asset.model_validate((await viewer.get(f"{ASSETS}/drain-1")).json()).outlook

    assert await outlook() is None
    await observe(conn, "drain-1", "drain_level", (ago(30), {"level_m": 0.7}))
    assert await outlook() == shapes.Outlook(
        stage="normal", at_least=False, rate_m_h=None, observed_at=None, overflow=None
    )
    times = {"observed_us": ago(30), "earliest_us": ago(-600), "likely_us": ago(-1200), "until_us": ago(-570)}
    kept = {name: to_us(moment) for name, moment in times.items()} | {"stage": 1, "rate_m_h": 1.2, "at_least": True}
    drain = await asset_id(conn, "drain-1")
    await rule_state.save(conn, [rule_state.Kept(drain, "drain_outlook", None, msgspec.json.encode(kept))])
    told = await outlook()
    assert told is not None
    assert (told.stage, told.rate_m_h) == ("pre_alarm", 1.2)
    assert told.overflow is not None
    assert told.overflow.latest_at is None
    stale = kept | {"until_us": to_us(ago(1))}
    await rule_state.save(conn, [rule_state.Kept(drain, "drain_outlook", None, msgspec.json.encode(stale))])
    assert await outlook() == shapes.Outlook(
        stage="pre_alarm", at_least=True, rate_m_h=None, observed_at=None, overflow=None
    )
    assert shapes.Asset.model_validate((await viewer.get(f"{ASSETS}/lamp-1")).json()).outlook is None


async def test_assets_of_a_kind_and_of_a_zone(viewer: httpx.AsyncClient) -> None:
    async def names(**filters: str) -> list[str]:
        return [item["asset"] for item in (await viewer.get(ASSETS, params=filters)).json()["items"]]

    assert await names(kind="streetlight") == ["lamp-1", "lamp-2", "lamp-3", "lamp-4"]
    assert await names(zone="station") == ["lamp-3", "lamp-4"]
    assert await names(kind="drain_level", zone="market") == ["drain-1"]


@pytest.mark.parametrize(("query", "status"), [("kind=tram", 422), ("zone=atlantis", 404)])
async def test_a_kind_or_zone_that_there_is_not_is_said_to_be(
    viewer: httpx.AsyncClient, query: str, status: int
) -> None:
    assert (await viewer.get(f"{ASSETS}?{query}")).status_code == status


async def test_page_after_page_is_everything(viewer: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await viewer.get(ASSETS, params={"limit": "4", **cursor})).json()
        seen += [item["asset"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["bay-1", "drain-1", "lamp-1", "lamp-2", "lamp-3", "lamp-4"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=junk"])
async def test_a_page_that_cannot_be_is_refused(viewer: httpx.AsyncClient, query: str) -> None:
    assert (await viewer.get(f"{ASSETS}?{query}")).status_code in (400, 422)


async def test_a_retired_asset_is_listed_no_more_but_still_known(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await conn.execute("UPDATE asset SET retired_at = %s WHERE asset = 'lamp-1'", (ago(60),))
    assert "lamp-1" not in [item["asset"] for item in (await viewer.get(ASSETS)).json()["items"]]
    assert (await viewer.get(f"{ASSETS}/lamp-1")).status_code == 200


@pytest.mark.parametrize("path", ["nobody", "nobody/observations", "a'b"])
async def test_an_unknown_asset_is_not_found(viewer: httpx.AsyncClient, path: str) -> None:
    assert (await viewer.get(f"{ASSETS}/{path}")).status_code == 404


async def test_observations_oldest_first_within_a_span(viewer: httpx.AsyncClient, conn: Connection) -> None:
    moments = [ago(s) for s in (400, 300, 200, 100)]
    await observe(conn, "lamp-1", "streetlight", *((m, {"level_pct": float(n)}) for n, m in enumerate(moments)))
    params = {"from": text(moments[1]), "to": text(moments[3])}
    items = (await viewer.get(f"{ASSETS}/lamp-1/observations", params=params)).json()["items"]
    assert [item["observed_at"] for item in items] == [text(m) for m in moments[1:3]]
    assert [item["level_pct"] for item in items] == [1.0, 2.0]
    assert items[0]["received_at"] == text(moments[1])
    assert items[0]["power_w"] is None


async def test_without_a_span_the_last_day_counts(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await observe(conn, "lamp-1", "streetlight", (ago(90_000), {"level_pct": 1.0}), (ago(80_000), {"level_pct": 2.0}))
    items = (await viewer.get(f"{ASSETS}/lamp-1/observations")).json()["items"]
    assert [item["level_pct"] for item in items] == [2.0]


async def test_pages_of_observations(viewer: httpx.AsyncClient, conn: Connection) -> None:
    moments = [ago(s) + dt.timedelta(microseconds=s) for s in range(50, 0, -1)]
    await observe(conn, "lamp-1", "streetlight", *((m, {"level_pct": float(n)}) for n, m in enumerate(moments)))
    seen: list[float] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await viewer.get(f"{ASSETS}/lamp-1/observations", params={"limit": "20", **cursor})).json()
        seen += [item["level_pct"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [float(n) for n in range(50)]


async def test_buckets(viewer: httpx.AsyncClient, conn: Connection) -> None:
    rows = [("2026-11-20 12:01", 10.0, 1), ("2026-11-20 12:14", 30.0, 4), ("2026-11-20 12:16", 50.0, None)]
    lamp = await asset_id(conn, "lamp-1")
    fields = [
        (lamp, at(m), {"level_pct": level, "motion": motion, "lamp_fault": level > 20}) for m, level, motion in rows
    ]
    await store(conn, "streetlight", fields)
    params = {"from": "2026-11-20T12:00:00Z", "to": "2026-11-20T13:00:00Z", "every": "15m"}
    first, second = (await viewer.get(f"{ASSETS}/lamp-1/observations", params=params)).json()["items"]
    assert (first["bucket"], first["count"]) == ("2026-11-20T12:00:00Z", 2)
    assert (first["level_pct_avg"], first["level_pct_min"], first["level_pct_max"]) == (20.0, 10.0, 30.0)
    assert (first["motion_avg"], first["motion_sum"]) == (2.5, 5)
    assert (first["lamp_fault_avg"], first["lamp_fault_true_count"]) == (0.5, 1)
    assert (second["bucket"], second["count"], second["motion_avg"]) == ("2026-11-20T12:15:00Z", 1, None)


async def test_daily_buckets_are_local_days(viewer: httpx.AsyncClient, conn: Connection) -> None:
    lamp = await asset_id(conn, "lamp-1")
    moments = ["2026-10-24 22:30", "2026-10-25 21:30", "2026-10-25 22:59", "2026-10-25 23:00"]
    await store(conn, "streetlight", [(lamp, at(m), {"level_pct": 1.0}) for m in moments])
    params = {"from": "2026-10-24T00:00:00Z", "to": "2026-10-27T00:00:00Z", "every": "1d"}
    items = (await viewer.get(f"{ASSETS}/lamp-1/observations", params=params)).json()["items"]
    found = [(item["bucket"], item["count"]) for item in items]
    assert found == [("2026-10-24T22:00:00Z", 3), ("2026-10-25T23:00:00Z", 1)]


async def test_pages_of_buckets(viewer: httpx.AsyncClient, conn: Connection) -> None:
    lamp = await asset_id(conn, "lamp-1")
    rows = [(lamp, at("2026-11-20 12:00") + dt.timedelta(minutes=7 * n), {"level_pct": float(n)}) for n in range(20)]
    await store(conn, "streetlight", rows)
    path = f"{ASSETS}/lamp-1/observations"
    params = {"from": "2026-11-20T12:00:00Z", "to": "2026-11-21T00:00:00Z", "every": "10m"}
    whole = (await viewer.get(path, params=params)).json()["items"]
    first = (await viewer.get(path, params={**params, "limit": "5"})).json()
    rest = (await viewer.get(path, params={**params, "cursor": first["next"]})).json()
    assert first["items"] + rest["items"] == whole
    assert sum(item["count"] for item in whole) == 20


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-11-22", "every=5", "every=0h"])
async def test_a_span_that_cannot_be_is_refused_by_name(viewer: httpx.AsyncClient, query: str) -> None:
    answer = await viewer.get(f"{ASSETS}/lamp-1/observations?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == query.split("=")[0]


async def test_csv_is_the_whole_span(viewer: httpx.AsyncClient, conn: Connection) -> None:
    lamp = await asset_id(conn, "lamp-1")
    begin = at("2026-11-20 00:00")
    rows = [(lamp, begin + dt.timedelta(seconds=n), {"level_pct": 1.5, "lamp_fault": n == 0}) for n in range(4_500)]
    await store(conn, "streetlight", rows)
    params = {"from": text(begin), "to": "2026-11-21T00:00:00Z"}
    answer = await viewer.get(f"{ASSETS}/lamp-1/observations", params=params, headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(found) == 4_500
    assert found[0]["observed_at"] == "2026-11-20T00:00:00Z"
    assert (found[0]["level_pct"], found[0]["power_w"], found[0]["lamp_fault"]) == ("1.5", "", "true")
    limited = await viewer.get(
        f"{ASSETS}/lamp-1/observations", params={**params, "limit": "3"}, headers={"accept": "text/csv"}
    )
    assert len(limited.text.splitlines()) == 4


async def test_times_are_written_alike_as_csv_and_as_json(viewer: httpx.AsyncClient, conn: Connection) -> None:
    moments = [at("2026-11-20 12:00"), at("2026-11-20 12:01") + dt.timedelta(microseconds=120)]
    await observe(conn, "drain-1", "drain_level", *((moment, {"level_m": 0.5}) for moment in moments))
    path, params = f"{ASSETS}/drain-1/observations", {"from": "2026-11-20T00:00:00Z"}
    items = (await viewer.get(path, params=params)).json()["items"]
    table = await viewer.get(path, params=params, headers={"accept": "text/csv"})
    cells = [row["observed_at"] for row in csv.DictReader(io.StringIO(table.text))]
    assert cells == [item["observed_at"] for item in items] == ["2026-11-20T12:00:00Z", "2026-11-20T12:01:00.000120Z"]


async def test_buckets_as_csv(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await observe(conn, "drain-1", "drain_level", (at("2026-11-20 12:00"), {"level_m": 0.5}))
    params = {"from": "2026-11-20T00:00:00Z", "every": "1h"}
    answer = await viewer.get(f"{ASSETS}/drain-1/observations", params=params, headers={"accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["bucket"], row["count"], row["level_m_avg"]) == ("2026-11-20T12:00:00Z", "1", "0.5")
