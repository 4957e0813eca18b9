"""One network server's side of the gateway: what its messages bring about, whatever they are."""

import time

from structlog.testing import capture_logs

from bus import inbox, packets
from gateway.chirpstack import ChirpStack
from gateway.downlink import Courier
from gateway.figures import Figures
from gateway.models import Models
from gateway.station import Station
from gateway.uplink import Translator

TOPIC = b"application/a/device/70b3d5e75e003f41/event/up"


def heard(*payloads: bytes) -> inbox.Batch:
    arrivals = packets.Arrivals(
        [TOPIC] * len(payloads), list(payloads), bytearray(len(payloads)), [b""] * len(payloads)
    )
    return inbox.Batch([inbox.Read(arrivals, 1_790_000_000_000_000, time.monotonic(), None)])


async def test_what_is_not_understood_is_booked_each_time_and_fills_no_log() -> None:
    figures, server = Figures(), ChirpStack()
    translator = Translator("chirpstack", Models(), {})
    station = Station("chirpstack", server, translator, Courier({"chirpstack": server}), figures, lambda: 0)
    with capture_logs() as said:
        work = await station.translate(heard(*[b"not JSON"] * 100))
    assert len(work.unreadable) == figures.totals["chirpstack", "misspoken"] == 100
    assert [each["event"] for each in said] == ["a network server is not understood"]
