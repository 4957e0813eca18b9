"""What the demo says of itself: where it answers, how it goes, and how it went."""

from dataclasses import dataclass
from typing import Any, Protocol

from storage.figures import Figures
from telemetry.clock import to_rfc3339


@dataclass(frozen=True)
class Ready:
    """Where the city answers.

    `mqtt` logs in as the platform's user, who can publish as any device; `ops_token` is an admin's. `missing` is one
    sentence on what the embedded broker does not promise, None where it keeps all.
    """

    http: str
    mqtt: str
    database: str
    ops_token: str
    missing: str | None = None

    def document(self) -> dict[str, Any]:
        """The first line of `--json`."""
        links = {"http": self.http, "mqtt": self.mqtt, "database": self.database, "ops_token": self.ops_token}
        return {"ready": True, **links, **({"missing": self.missing} if self.missing else {})}


@dataclass(frozen=True)
class Glance:
    """The city at a moment: `city_us` is its own time, `per_s` the observations received a real second just now."""

    city_us: int
    speed: float
    per_s: float
    figures: Figures
    devices: int
    lag_s: float


@dataclass(frozen=True)
class Summary:
    """How a run went: `seconds` of real time with `received` observations, and the city's figures at its end."""

    seconds: float
    received: int
    devices: int
    city_us: int
    figures: Figures

    def document(self) -> dict[str, Any]:
        """The last line of `--json`."""
        figures = self.figures
        return {
            "ledger": figures.ledger.document(),
            "messages_per_s": round(self.received / self.seconds, 1) if self.seconds else 0.0,
            "seconds": round(self.seconds, 1),
            "devices": self.devices,
            "city_time": to_rfc3339(self.city_us),
            "alarms_raised": figures.alarms_raised,
            "alarms_active": figures.alarms_active,
            "commands_queued": figures.commands_queued,
            "commands_verified": figures.commands_verified,
            "commands_lost": figures.commands_lost,
            "lamps_lit": figures.lamps_lit,
            "bays_free": figures.bays_free,
        }


class View(Protocol):
    """Where the demo says it."""

    is_live: bool
    """Whether glances are wanted about once a second."""

    def ready(self, ready: Ready) -> None:
        """Everything answers."""

    def glance(self, glance: Glance) -> None:
        """So it goes."""

    def finished(self, summary: Summary) -> None:
        """So it went."""
