"""What the gateway service retains of radio gateways, put together; known once the broker has repeated it all."""

from datetime import datetime

from rules.radio import Radio, Radios
from telemetry import radio, topics
from telemetry.clock import to_us

COLLECT_S = 1.5
"""Real seconds after a connection in which the broker repeats what it retains."""


class RadioWords:
    """Collects words. Times are real monotonic seconds."""

    def __init__(self) -> None:
        self._known: Radios | None = None
        self._collected: dict[str, Radio] = {}
        self._until_s: float | None = None

    def connected(self, real_s: float) -> None:
        """The broker is about to repeat what it retains; until it has, what was known holds."""
        self._collected, self._until_s = {}, real_s + COLLECT_S

    def heard(self, topic: str, payload: bytes) -> None:
        """A word; an empty one takes the gateway from the list."""
        name = topics.parse_radio_gateway(topic)
        if name is None:
            return
        said = _understood(payload)
        words = {each: word for each, word in self._collected.items() if each != name}
        self._collected = words if said is None else words | {name: said}

    def radios(self, real_s: float) -> Radios | None:
        """All radio gateways, the same object until anything is said anew; `None`: not known yet."""
        if self._until_s is not None and real_s >= self._until_s:
            self._known = self._collected
        return self._known


def _understood(payload: bytes) -> Radio | None:
    said = radio.decode(payload)
    try:
        since, at = (to_us(datetime.fromisoformat(each)) for each in (said.since, said.at)) if said else (0, 0)
    except (ValueError, TypeError, OverflowError):
        return None
    if said is None:
        return None
    return Radio(said.online, said.network, since, at, frozenset(said.devices), max(0, said.devices_more))
