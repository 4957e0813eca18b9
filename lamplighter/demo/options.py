"""What may be asked of the demo."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim.speech import Speech

HTTP_PORT = 8080
MQTT_PORT = 1883
DEVICES = 300
SEED = 1


@dataclass(frozen=True)
class Options:
    """The options of `lamplighter demo`.

    Attributes:
        for_s: real seconds after which it stops by itself; None runs until a signal.
        devices: simulated devices; None means 300, or none beside a replay.
        seed: what they are drawn from.
        start: city time at the start; None means real time, or just before a replay begins.
        speed: of the city clock.
        speech: what the devices speak; for network servers the gateway runs too.
        replay: a recorded series to play; None plays none.
        http_port: 0 any free one, None the first free one from the usual one upwards.
        mqtt_port: the same.
        data: where everything is kept; None means a temporary folder.
    """

    for_s: float | None = None
    devices: int | None = None
    seed: int = SEED
    start: dt.datetime | None = None
    speed: float = 1.0
    speech: Speech = field(default_factory=Speech)
    replay: Path | None = None
    http_port: int | None = None
    mqtt_port: int | None = None
    data: Path | None = None

    @property
    def simulated(self) -> int:
        """How many devices are simulated."""
        if self.devices is not None:
            return self.devices
        return 0 if self.replay is not None else DEVICES
