"""Settings that a command wants for longer than a device can keep them: told again, until the command ends.

A lamp that ends a dimming by itself after 255 min is told again at half of that, so that one lost downlink is no dark
lamp. After a restart of the gateway this is forgotten: the lamp then returns to its own default, and the rules see it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.notes import Note
from telemetry.clock import SECOND_US

KEPT_S_MAX = 255 * 60
"""The longest that a device keeps a setpoint (NAS UL20xx: 255 min)."""
AGAIN_US = KEPT_S_MAX * SECOND_US // 2
SETTING = "setpoint_pct"


@dataclass(slots=True)
class Stands:
    """What a device has acknowledged by a command `id` that ends at `until_us`; told again at `again_us`."""

    id: str
    note: Note
    device: str
    settings: dict[str, Any]
    until_us: int
    again_us: int
    times: int = 0

    def renewal(self) -> str:
        """The id of the next downlink, a UUID."""
        self.times += 1
        self.again_us += AGAIN_US
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:lamplighter:renewal:{self.id}:{self.times}"))


class Standing:
    """The settings that stand, one a device."""

    def __init__(self) -> None:
        self._of_device: dict[str, Stands] = {}

    def __len__(self) -> int:
        return len(self._of_device)

    def replaced(self, device: str, settings: Mapping[str, Any]) -> None:
        """A newer command is on its way: what stood is told no more."""
        if SETTING in settings:
            self._of_device.pop(device, None)

    def acknowledged(self, stands: Stands, now_us: int) -> None:
        """A device has acknowledged a command."""
        if SETTING in stands.settings and stands.until_us - now_us > KEPT_S_MAX * SECOND_US:
            stands.settings = {SETTING: stands.settings[SETTING]}
            self._of_device[stands.device] = stands

    def near(self, now_us: int) -> list[Stands]:
        """What `due` is going to give."""
        return [each for each in self._of_device.values() if each.again_us <= now_us < each.until_us]

    def due(self, now_us: int) -> list[Stands]:
        """What has to be told again now; what ends before the device would forget it is told for the last time."""
        found = [each for each in self._of_device.values() if each.again_us <= now_us]
        for each in found:
            if each.until_us - now_us <= KEPT_S_MAX * SECOND_US:
                del self._of_device[each.device]
        return [each for each in found if each.until_us > now_us]
