"""The platform's sounding of its own queue at the broker: probes, what ingest says of them, and how much waits.

A probe goes the way of every uplink, through the very queue of each ingest process, and is no observation: no ledger
counts it. Times are the machine's real clock, microseconds since 1970 UTC: a queue's age is no matter of city time.
"""

import msgspec

PROBE_EVERY_S = 1.0
"""So often a probe is sent, in real seconds."""
READING_EVERY = 5
"""Every so many probes one is also a reading of the platform's own device, which ingest stores and the API shows."""
IN_TIME_S = 10.0
"""A reading that is not shown within this time, in real seconds, is late."""


class Probe(msgspec.Struct, frozen=True):
    """One probe. Within a `run` the numbers begin at 1 and have no gap: the next is sent once the broker has the last.

    A run ends with the connection of who probes, so that a broker's restart is no gap.
    """

    run: str
    number: int
    sent_us: int

    @property
    def is_reading(self) -> bool:
        """Whether it is to be stored and shown; the first of a run is."""
        return self.number % READING_EVERY == 1


class Settled(msgspec.Struct, frozen=True):
    """The newest probe that one ingest process has settled: everything that came before it is durable.

    `first` is the number with which the process began to hear this run. `missed` counts the numbers that never came
    since: the broker has acknowledged them and dropped them.
    """

    run: str
    number: int
    sent_us: int
    first: int
    missed: int


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits for ingest.

    `age_s`: for how long the oldest unsettled probe has waited, of all ingest processes. `messages` and `bytes` wait in
    all queues together, an estimate; `filled_pct` is how full the fullest queue is. `lost_probes` and
    `dropped_messages` count what the broker has dropped since the watch began, as probes prove it and as the broker
    itself says (`None` where it does not). `at`: RFC 3339, real time. `slowest` is the ingest process with that age.
    """

    age_s: float
    messages: int
    bytes: int
    filled_pct: float
    lost_probes: int
    dropped_messages: int | None
    at: str
    slowest: str = ""


encode = msgspec.json.Encoder().encode
"""JSON bytes of any of them."""
decode_probe = msgspec.json.Decoder(Probe).decode
decode_settled = msgspec.json.Decoder(Settled).decode
decode_backlog = msgspec.json.Decoder(Backlog).decode
