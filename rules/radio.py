"""Outages of radio gateways: one alarm for the gateway, none for each device that only it can hear. Pure.

While all radio gateways that hear a device are out, nothing is expected of the device. Those that had fallen silent
because of that are folded: their own alarms end. When a gateway is back, its devices have their usual number of
intervals to be heard; who is not is silent on its own account. A bay behind it is unknown meanwhile, as any that is
not heard.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rules.city import City, Roll
from rules.effects import ClearAlarm, RaiseAlarm
from rules.memory import FOREVER_US, Bools, Rows, Times
from rules.silence import Presence
from telemetry.alarms import AlarmType, alarm_id, gateway_subject
from telemetry.clock import SECOND_US, to_rfc3339

OUT_S = 60
"""A radio gateway that is heard again within this time, in city seconds, is no alarm."""
NAMED_MAX = 100
"""So many devices an alarm names; the others it counts."""


@dataclass(frozen=True, slots=True)
class Radio:
    """What is known of a radio gateway (`telemetry.radio`): since when it is out or heard again, found `at_us`.

    `devices` can be heard by nobody while it is out; there are `more` whose names are not known.
    """

    online: bool
    network: str
    since_us: int
    at_us: int
    devices: frozenset[str] = frozenset()
    more: int = 0


Radios = Mapping[str, Radio]
"""All radio gateways, by name."""


def excuse(presence: Presence, roll: Roll, radios: Radios, patience: Times, now_us: int) -> Rows:
    """Expect nothing of the devices that nobody can hear, and again of those that somebody can.

    Returns the assets that had fallen silent just because of that, and are so no more: their last sign of life was
    within their `patience` `(n,)` of the gateway's.
    """
    since_us = _dark(roll, radios)
    dark = since_us != FOREVER_US
    presence.unheard_us[(presence.unheard_us == FOREVER_US) & ~dark] = now_us
    presence.unheard_us[dark] = FOREVER_US
    folded: Bools = dark & presence.silent & (presence.cause_us + patience > since_us)
    rows = np.flatnonzero(folded)
    presence.silent[rows] = False
    return rows


def _dark(roll: Roll, radios: Radios) -> Times:
    """Since when the gateways of each asset's device have been out, `(n,)`; never where it can be heard."""
    out = {device: each.since_us for each in radios.values() if not each.online for device in each.devices}
    if not out:
        return np.full(len(roll), FOREVER_US)
    return np.array([out.get(device, FOREVER_US) for device in roll.device.tolist()], np.int64)


def outages(city: City, standing: dict[str, int], radios: Radios, until_us: int) -> Iterator[RaiseAlarm | ClearAlarm]:
    """The alarms that come and go by a moment; `standing`, each with the time of its cause, is kept up to date.

    A gateway of which nothing is said any more is no alarm.
    """
    for name in [name for name in standing if name not in radios or radios[name].online]:
        subject, kind, cause_us = gateway_subject(name), AlarmType.GATEWAY_OUTAGE, standing.pop(name)
        at_us = min(radios[name].since_us, until_us) if name in radios else until_us
        yield ClearAlarm(alarm_id(subject, kind, cause_us), at_us, subject, kind)
    for name, radio in radios.items():
        if not radio.online and name not in standing and radio.at_us + OUT_S * SECOND_US <= until_us:
            standing[name] = radio.since_us
            yield _raised(city, name, radio)


def _raised(city: City, name: str, radio: Radio) -> RaiseAlarm:
    subject, kind = gateway_subject(name), AlarmType.GATEWAY_OUTAGE
    behind = sorted(radio.devices)
    inputs = {
        "gateway": name,
        "network": radio.network,
        "last_heard_at": to_rfc3339(radio.since_us),
        "devices": behind[:NAMED_MAX],
        "devices_behind": len(behind) + radio.more,
        "assets": [asset for _, asset in zip(range(NAMED_MAX), _assets(city, radio), strict=False)],
    }
    why = {"rule_version": city.thresholds.version, "inputs": inputs, "thresholds": {"out_s": OUT_S}}
    at_us = radio.at_us + OUT_S * SECOND_US
    return RaiseAlarm(alarm_id(subject, kind, radio.since_us), at_us, subject, None, kind, radio.since_us, why)


def _assets(city: City, radio: Radio) -> Iterator[str]:
    """The assets behind a radio gateway."""
    for roll in city.rolls.values():
        yield from (asset.asset for asset in roll.assets if asset.device in radio.devices)
