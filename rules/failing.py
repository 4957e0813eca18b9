"""`command_failed`: a device lets its commands come to nothing: it reports and acknowledges none, or rejects one.

Over once it acknowledges a command again, or another device serves the asset. A lamp that acknowledges and gives other
light is `lamp_not_following`; a device that is not heard is `device_silent`.
"""

from collections.abc import Iterable, Iterator

import msgspec

from rules import alarming
from rules.book import Open
from rules.city import City, Roll
from rules.effects import ClearAlarm, RaiseAlarm
from rules.memory import NEVER_US
from rules.silence import Presence
from telemetry.alarms import AlarmType


def begin(city: City, command: Open, row: int, presence: Presence, error: str, at_us: int) -> Iterator[RaiseAlarm]:
    """A command to an asset has come to nothing. A wish for more reports is no alarm: not every device can."""
    wished = command.reason == "sensor" and command.settings.setpoint_pct is None
    if wished or presence.failing_us[row] != NEVER_US:
        return
    presence.failing_us[row] = at_us
    inputs = {
        "command": command.id,
        "set": msgspec.to_builtins(command.settings),
        "reason": command.reason,
        "device": command.device,
        "sends": command.sends,
        "error": error,
    }
    limits = {"sends_max": city.thresholds.commanding.sends_max}
    roll = city.rolls[command.kind]
    yield alarming.raised(city, roll, row, AlarmType.COMMAND_FAILED, at_us, at_us, inputs, limits)


def end(roll: Roll, presence: Presence, rows: Iterable[int], at_us: int) -> Iterator[ClearAlarm]:
    """These assets' devices do as they are told again, or are others."""
    for row in rows:
        cause_us = int(presence.failing_us[row])
        if cause_us != NEVER_US:
            presence.failing_us[row] = NEVER_US
            yield alarming.cleared(roll.assets[row].asset, AlarmType.COMMAND_FAILED, at_us, cause_us)
