"""A day of a whole town, read by the platform's own decoder: nothing that a well device says is refused."""

import heapq
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from firmware_sim.chance import Chance
from firmware_sim.city import City
from firmware_sim.faults import DeviceFaults, Faults
from firmware_sim.firmware import Firmware, acknowledged
from telemetry.clock import DAY_US, HOUR_US, SECOND_US, to_us
from telemetry.columns import Columns, join
from telemetry.decoding import Decoded, Decoder
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Installation, Registry

START_US = to_us(datetime(2026, 6, 12, 4, tzinfo=UTC))
CLOUDBURST_US = START_US + 8 * HOUR_US
BATCH = 100
TOWN = City(devices=80, seed=5, cloudbursts_us=(CLOUDBURST_US,))


def registry() -> Registry:
    assets, installations = [], []
    truth = {"true": True, "false": False}
    for number, row in enumerate((row for row in TOWN.rows() if row["kind"] != "zone"), 1):
        kind = KINDS[row["kind"]]
        given = {name: truth.get(row[name], row[name]) for name in kind.attribute_names if row[name]}
        attributes = msgspec.convert(given, kind.wire.attributes, strict=False)
        name, device = row["asset"], row["device"]
        assets.append(Asset(number, name, kind.name, row["name"], row["zone"], None, None, attributes, device))
        installations.append(Installation(device, kind.name, number))
    return Registry.build(1, [], assets, installations)


@pytest.fixture(scope="module")
def day() -> tuple[Registry, dict[str, Columns], list[Decoded]]:
    """One day of all devices, decoded in batches as they come."""
    devices = [
        Firmware(member, TOWN.town, DeviceFaults(Faults(), Chance.seeded("f", member.device)), START_US, 60 * SECOND_US)
        for member in TOWN.members()
    ]
    for each in devices:
        each.connected(START_US, torn=False)
    heap = [(each.next_us, number) for number, each in enumerate(devices)]
    heapq.heapify(heap)
    known = registry()
    came: list[tuple[bytes, bytes, int]] = []
    while heap[0][0] < START_US + DAY_US:
        now_us, number = heapq.heappop(heap)
        for uplink in devices[number].wake(now_us):
            if uplink.kept:
                acknowledged(uplink)
                came.append((uplink.topic.encode(), uplink.payload, now_us))
        heapq.heappush(heap, (devices[number].next_us, number))
    decoder, results = Decoder(known), []
    for begin in range(0, len(came), BATCH):
        names, payloads, received_us = zip(*came[begin : begin + BATCH], strict=True)
        results.append(decoder.decode(names, payloads, np.array(received_us, np.int64)))
    columns = {kind: join([r.columns[kind] for r in results if kind in r.columns]) for kind in KINDS}
    return known, columns, results


def test_nothing_is_refused_and_no_field_unknown(day: tuple[Registry, dict[str, Columns], list[Decoded]]) -> None:
    _, _, results = day
    assert [refused for each in results for refused in each.refused] == []
    assert sum(each.unknown_fields for each in results) == 0


def test_every_kind_speaks_about_as_often_as_it_should(
    day: tuple[Registry, dict[str, Columns], list[Decoded]],
) -> None:
    _, columns, _ = day
    assert 0.9 < len(columns["streetlight"]) / (44 * 144) < 1.2
    assert 0.9 < len(columns["drain_level"]) / (8 * 288) < 1.2
    assert 1.0 < len(columns["parking_bay"]) / (28 * 96) < 1.5


def test_a_cloudburst_brings_einstau(day: tuple[Registry, dict[str, Columns], list[Decoded]]) -> None:
    known, columns, _ = day
    drains = columns["drain_level"]
    crown = np.array(
        [
            known.assets[int(number)].attributes.crown_m  # type: ignore[attr-defined]
            for number in drains.asset_id
        ]
    )
    high = drains.fields["level_m"] >= crown
    assert high.any()
    first_us = int(drains.observed_us[high].min())
    assert CLOUDBURST_US < first_us < CLOUDBURST_US + HOUR_US


def test_the_streets_are_lit_at_night_alone(day: tuple[Registry, dict[str, Columns], list[Decoded]]) -> None:
    _, columns, _ = day
    lamps = columns["streetlight"]
    hour = (lamps.observed_us // HOUR_US) % 24
    level = lamps.fields["level_pct"]
    assert level[(hour >= 22) | (hour < 2)].min() == 100
    assert level[(hour >= 5) & (hour < 19)].max() == 0
