"""Replays against a real broker: in the order of their time, whatever the pace and whatever happens to the broker."""

import asyncio
import itertools
import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from bus.session import Publisher
from firmware_sim import replay as replays
from firmware_sim.elsewhere import ClockElsewhere, platform_clock
from firmware_sim.replay import Progress, Replay, open_replay
from telemetry import topics
from telemetry.clock import MINUTE_US, SECOND_US, CityClock, to_rfc3339
from tests.integration.firmware_sim.conftest import Ear, city_clock, ear_at, real_us, remembered
from tests.parts.broker import BrokerPart

START_US = 1_527_825_600_000_000
_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    return f"replay-{os.getpid()}-{next(_numbers)}"


def series(folder: Path, name: str, count: int, every_us: int = MINUTE_US, assets: int = 3) -> Replay:
    """A plain series of some drains in turn."""
    lines = [f"{to_rfc3339(START_US + n * every_us)},{name}-{n % assets},{n / 10_000}" for n in range(count)]
    path = folder / f"{name}.csv"
    path.write_text("\n".join(["time,asset,level_m", *lines]) + "\n")
    return open_replay(path)


def heard(ear: Ear, name: str) -> list[tuple[str, int, float]]:
    """(device, ts in ms, level) of this test's observations in order of arrival."""
    return [
        (device, each["ts"], each["level_m"]) for device, each in ear.observations() if device.startswith(f"{name}-")
    ]


async def test_observations_come_with_their_own_times_in_their_order(
    broker: BrokerPart, tmp_path: Path, name: str
) -> None:
    replay = series(tmp_path, name, 5_000)
    now = city_clock(replay.start_us - MINUTE_US, 1e6)
    async with ear_at(broker.url, f"{name}-ear") as ear:
        progress = await replays.run(replay, broker.url, now, speed=1e6)
        await ear.until(lambda: len(heard(ear, name)) == 5_000)
        assert heard(ear, name) == [
            (f"{name}-{n % 3}", (START_US + n * MINUTE_US) // 1000, n / 10_000) for n in range(5_000)
        ]
    assert (progress.published, progress.in_flight, progress.resent) == (5_000, 0, 0)
    assert progress.position_us == replay.end_us


async def test_nothing_comes_before_its_time(broker: BrokerPart, tmp_path: Path, name: str) -> None:
    replay = series(tmp_path, name, 20, every_us=6 * SECOND_US)
    now = city_clock(replay.start_us - 12 * SECOND_US, 60)
    early: list[int] = []

    async with ear_at(broker.url, f"{name}-ear") as ear:
        began = time.monotonic()
        running = asyncio.create_task(replays.run(replay, broker.url, now, speed=60))
        while not running.done():
            early += [ts for _, ts, _ in heard(ear, name) if ts > now() // 1000]
            await asyncio.sleep(0.01)
        await running
        took_s = time.monotonic() - began
    assert early == []
    assert 2.0 <= took_s < 4.0


async def test_a_clock_elsewhere_is_refused_before_anything_is_sent(
    broker: BrokerPart, tmp_path: Path, name: str
) -> None:
    replay = series(tmp_path, name, 5)
    async with ear_at(broker.url, f"{name}-ear") as ear:
        with pytest.raises(ClockElsewhere, match="--shift-to-now"):
            await replays.run(replay, broker.url, real_us)
        await asyncio.sleep(0.2)
        assert heard(ear, name) == []


async def test_shifted_to_now_the_first_observation_is_of_this_moment(
    broker: BrokerPart, tmp_path: Path, name: str
) -> None:
    replay = series(tmp_path, name, 5, every_us=100_000)
    began_ms = real_us() // 1000
    async with ear_at(broker.url, f"{name}-ear") as ear:
        await replays.run(replay, broker.url, real_us, shift_to_now=True)
        await ear.until(lambda: len(heard(ear, name)) == 5)
        stamps = [_ms(ts) for _, ts, _ in heard(ear, name)]
    assert abs(stamps[0] - began_ms) < 2_000
    assert [round(after - before) for before, after in itertools.pairwise(stamps)] == [100] * 4


def _ms(stamp: int | str) -> float:
    """`ts` as milliseconds: a shift by microseconds makes it text."""
    return stamp if isinstance(stamp, int) else datetime.fromisoformat(stamp).timestamp() * 1000


async def test_it_stops_when_told(broker: BrokerPart, tmp_path: Path, name: str, stop: asyncio.Event) -> None:
    replay = series(tmp_path, name, 1_000)
    now = city_clock(replay.start_us, 60)
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        if progress.published >= 2:
            stop.set()

    await replays.run(replay, broker.url, now, speed=60, stop=stop, on_progress=tell, progress_every_s=0.1)
    assert 2 <= told[-1].published < 1_000


async def test_a_stop_is_obeyed_though_the_broker_is_away(tmp_path: Path, name: str, stop: asyncio.Event) -> None:
    replay = series(tmp_path, name, 10)
    asyncio.get_running_loop().call_later(0.3, stop.set)
    now = city_clock(replay.start_us, 60)
    async with asyncio.timeout(replays.DRAIN_S + 3):
        progress = await replays.run(replay, "mqtt://127.0.0.1:1", now, speed=60, stop=stop)
    assert progress.published == 0


async def test_a_killed_broker_loses_nothing_and_what_is_new_still_comes_in_order(
    own_broker: BrokerPart, tmp_path: Path, name: str
) -> None:
    replay = series(tmp_path, name, 6_000)
    speed = 60_000.0
    async with ear_at(own_broker.url, "ear", clean=False) as ear:
        await remembered(own_broker)
        now = city_clock(replay.start_us, speed)
        running = asyncio.create_task(replays.run(replay, own_broker.url, now, speed=speed))
        await ear.until(lambda: len(heard(ear, name)) > 1_000)
        await asyncio.to_thread(own_broker.kill)
        await asyncio.to_thread(own_broker.start)
        progress = await asyncio.wait_for(running, 40)
        await ear.until(lambda: heard(ear, name)[-1][2] == 5_999 / 10_000)
        first_heard = list(dict.fromkeys(heard(ear, name)))
    assert [level for *_, level in first_heard] == [n / 10_000 for n in range(6_000)]
    assert progress.published == 6_000
    assert progress.reconnects == 1
    assert progress.resent > 0


async def test_the_platforms_clock_is_found_at_its_broker(own_broker: BrokerPart) -> None:
    assert await platform_clock(own_broker.url, answer_s=0.5) is None
    retained = {"start": "2018-06-01T03:59:00Z", "anchor": "2026-11-22T12:00:00Z", "speed": 600.0}
    async with Publisher(own_broker.url, "platform") as platform:
        await platform.publish(topics.CLOCK, json.dumps(retained).encode(), retain=True)
    assert await platform_clock(own_broker.url) == CityClock(START_US - MINUTE_US, 1_795_348_800_000_000, 600.0)
