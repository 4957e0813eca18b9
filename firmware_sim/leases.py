"""What a device was told and for how long: each setting is a lease, after which the device's own default holds again.

Contract §1: an expired command is ignored, and an `id` that was applied before is acknowledged again without effect.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from telemetry import commands, guards
from telemetry.clock import to_us
from telemetry.kind import Timestamp

IDS_MAX = 64
"""Applied ids that a device remembers; older ones are forgotten."""

_decode = msgspec.json.Decoder(commands.Command).decode
_decode_raw = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Lease:
    """A value that holds until `ends_us`."""

    value: float
    ends_us: int


class Leases:
    """The settings in force and the ids applied."""

    def __init__(self, dimmable: bool) -> None:
        self._dimmable = dimmable
        self._held: dict[str, Lease] = {}
        self._applied: dict[str, commands.Ack] = {}

    @property
    def setpoint_pct(self) -> float | None:
        """The light asked for, `None` where no lease holds."""
        lease = self._held.get("setpoint_pct")
        return lease.value if lease else None

    @property
    def report_every_s(self) -> int | None:
        """The report interval asked for, `None` where no lease holds."""
        lease = self._held.get("report_every_s")
        return int(lease.value) if lease else None

    @property
    def next_end_us(self) -> int | None:
        """When the next lease ends, `None` where there is none."""
        return min((lease.ends_us for lease in self._held.values()), default=None)

    def end(self, now_us: int) -> bool:
        """Give up the leases that have ended; whether there were any."""
        ended = [name for name, lease in self._held.items() if lease.ends_us <= now_us]
        for name in ended:
            del self._held[name]
        return bool(ended)

    def receive(self, payload: bytes, now_us: int) -> commands.Ack | None:
        """Take a command: the answer to it, `None` where it is ignored (expired, or no command at all)."""
        try:
            command = _decode(payload)
            expires_us = _moment_us(command.expires_at)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refused(_id(payload), f"not a command: {error}")
        if expires_us <= now_us:
            return None
        if command.id in self._applied:
            return self._applied[command.id]
        error_text = self._objection(command.settings)
        if error_text is not None:
            return _refused(command.id, error_text)
        applied = msgspec.to_builtins(command.settings)
        for name, value in applied.items():
            self._held[name] = Lease(value, expires_us)
        answer = commands.Ack(command.id, True, applied, None)
        self._remember(answer)
        return answer

    def _objection(self, settings: commands.Settings) -> str | None:
        if settings.setpoint_pct is None and settings.report_every_s is None:
            return "nothing is set"
        if settings.setpoint_pct is not None and not self._dimmable:
            return "setpoint_pct is not supported"
        if settings.setpoint_pct is not None and not 0 <= settings.setpoint_pct <= 100:
            return "setpoint_pct is not between 0 and 100"
        interval_s = settings.report_every_s
        if interval_s is not None and not guards.REPORT_EVERY_S_MIN <= interval_s <= guards.REPORT_EVERY_S_MAX:
            return f"report_every_s is not between {guards.REPORT_EVERY_S_MIN} and {guards.REPORT_EVERY_S_MAX}"
        return None

    def _remember(self, answer: commands.Ack) -> None:
        self._applied[answer.id] = answer
        if len(self._applied) > IDS_MAX:
            del self._applied[next(iter(self._applied))]


def _moment_us(text: str) -> int:
    """Microseconds of an RFC 3339 time; raises `msgspec.ValidationError` where it is none."""
    return to_us(msgspec.convert(text, Timestamp))


def _id(payload: bytes) -> str | None:
    try:
        name = _decode_raw(payload).get("id")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return name if isinstance(name, str) else None


def _refused(command_id: str | None, error: str) -> commands.Ack | None:
    return None if command_id is None else commands.Ack(command_id, False, None, error)
