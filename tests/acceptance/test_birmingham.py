"""Birmingham's car parks of 2016 replayed bay by bay: the published availability is the recorded one."""

import csv
import itertools
import json
import threading
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import paho.mqtt.client as mqtt

from tests.acceptance.city import City, demo, eventually
from tests.parts.recordings import series

RECORDING = "parking_birmingham_2016_14_car_parks.csv"
CAR_PARKS = ("BHMBCCMKT01", "BHMEURBRD01", "BHMNCPNST01")
DAYS = ("2016-10-28", "2016-11-01")
"""Four days of three car parks: a weekend, and the end of summer time."""


def excerpt(recording: Path, target: Path) -> dict[str, list[tuple[datetime, int]]]:
    """Write the days' rows to a file of the same format; returns free bays by car park and time."""
    wanted: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    with recording.open() as source, target.open("w") as out:
        reader = csv.DictReader(source)
        writer = csv.DictWriter(out, reader.fieldnames or [])
        writer.writeheader()
        for row in reader:
            if row["SystemCodeNumber"] in CAR_PARKS and DAYS[0] <= row["Timestamp"] < DAYS[1]:
                writer.writerow(row)
                local = datetime.fromisoformat(row["Timestamp"]).replace(tzinfo=ZoneInfo("Europe/London"))
                capacity = int(row["Capacity"])
                occupied = min(max(int(row["Occupancy"]), 0), capacity)
                wanted[row["SystemCodeNumber"]].append((local.astimezone(UTC), capacity - occupied))
    return wanted


class ZoneListener:
    """Every availability published while it listens, by zone in order."""

    def __init__(self, city: City) -> None:
        self.heard: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self._subscribed = threading.Event()
        url = urlsplit(city.ready["mqtt"])
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(url.username, url.password)
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect(url.hostname or "", url.port or 1883)
        self.client.subscribe("city/v1/zones/+/parking", qos=1)
        self.client.loop_start()
        assert self._subscribed.wait(10)

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        zone = json.loads(message.payload)
        at = datetime.fromisoformat(zone["updated_at"].replace("Z", "+00:00"))
        assert 0 <= zone["free_min"] <= zone["free"] <= zone["free_max"] <= zone["capacity"]
        self.heard[zone["zone"]].append((at, zone["free"]))

    def free_before(self, zone: str, moment: datetime) -> int | None:
        """Free bays as last published for a time before the moment."""
        known = [free for at, free in self.heard[zone] if at < moment]
        return known[-1] if known else None


def test_zone_availability_equals_the_recording_at_every_sampled_time(tmp_path: Path) -> None:
    file = tmp_path / "birmingham.csv"
    wanted = excerpt(series(RECORDING), file)
    with demo(tmp_path / "data", "--replay", str(file), "--speed", "3000") as city:
        listener = ZoneListener(city)
        end = max(samples[-1][0] for samples in wanted.values())
        eventually(
            lambda: all(listener.heard[z] and listener.heard[z][-1][0] > end for z in wanted), seconds=240, every=1
        )
        listener.client.loop_stop()
    for zone, samples in wanted.items():
        changes = dict(samples)  # of two rows for one minute the later one stays
        times = sorted(changes)[1:]  # the first is heard of while the city starts: 40 min of its time are 0.8 s
        for moment, following in itertools.pairwise(times):
            assert listener.free_before(zone, following) == changes[moment], f"{zone} at {moment}"
