"""Radio gateways: whether each is heard, and which devices nobody can hear while it is out.

A radio gateway is out where its network server says so (ChirpStack's `state/conn`), or where it has brought nothing,
neither statistics nor an uplink, for `STATISTICS_MISSED` times the longest of the last gaps between its statistics.
The Things Stack tells nothing of gateways over MQTT, so uplinks alone have to do: they come in bursts, and pause. Such
a gateway is out after `PAUSES_MISSED` times the pause that it has made in `PAUSES_USUAL` of the last 24 hours, and only
if `DEPENDENTS_MIN` devices hang on it alone, because one device may be silent by itself.

A device hangs on the radio gateways that brought one of its last `UPLINKS_LOOKED_AT` uplinks. All times are the city
clock's, of arrival: while we cannot hear a network server, nobody there is out.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.events import Message
from telemetry import radio, topics
from telemetry.clock import HOUR_US, SECOND_US, to_rfc3339
from telemetry.radio import RadioWord

STATISTICS_MISSED = 3
STATISTICS_LOOKED_AT = 16
STATISTICS_MIN = 4
"""Fewer gaps say nothing of a gateway's pace."""
PAUSES_MISSED = 2
PAUSES_USUAL = 3
HOURS_LOOKED_AT = 24
HOURS_MIN = 6
"""A gateway that has brought uplinks in fewer of them has no usual pause yet."""
SILENT_S_MIN = 60
"""Nobody is out after a shorter silence."""
DEPENDENTS_MIN = 2
UPLINKS_LOOKED_AT = 10
PATHS_MAX = 8
"""So many radio gateways of a device are remembered."""
DEVICES_MAX = 200_000
"""Devices whose radio gateways are remembered; beyond it the one silent for longest is forgotten."""
RADIOS_MAX = 10_000
FORGOTTEN_S = 7 * 24 * 3_600
"""A radio gateway that has been silent for so long is no more."""
NAMED_MAX = 5_000
"""Devices that one word names; further ones are counted."""
AGAIN_S = 10
"""So often devices are gone through, which is some work."""


@dataclass(slots=True)
class _Radio:
    """`gone`: the network server says so. `pauses_us`: the longest of each hour, with the hour's number."""

    network: str
    heard_us: int
    online: bool = True
    gone: bool = False
    said: RadioWord | None = None
    statistics_us: int | None = None
    gaps_us: deque[int] = field(default_factory=lambda: deque(maxlen=STATISTICS_LOOKED_AT))
    pauses_us: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=HOURS_LOOKED_AT))

    def pause(self, now_us: int) -> None:
        """It is heard after a pause."""
        hour, longest_us = now_us // HOUR_US, now_us - self.heard_us
        if self.pauses_us and self.pauses_us[-1][0] == hour:
            longest_us = max(longest_us, self.pauses_us.pop()[1])
        self.pauses_us.append((hour, longest_us))

    @property
    def tolerated_us(self) -> int | None:
        """How long it may be silent; `None`: nobody knows."""
        if len(self.gaps_us) >= STATISTICS_MIN:
            usual_us = STATISTICS_MISSED * max(self.gaps_us)
        elif len(self.pauses_us) >= HOURS_MIN:
            usual_us = PAUSES_MISSED * sorted(pause for _, pause in self.pauses_us)[-PAUSES_USUAL]
        else:
            return None
        return max(usual_us, SILENT_S_MIN * SECOND_US)


@dataclass(slots=True)
class _Paths:
    """A device's radio gateways, each with the number of the last uplink that it brought; `uplinks` in all."""

    uplinks: int = 0
    last: dict[str, int] = field(default_factory=dict)


class Radios:
    """Follows all radio gateways of all network servers."""

    def __init__(self) -> None:
        self._radios: OrderedDict[str, _Radio] = OrderedDict()
        self._devices: OrderedDict[str, _Paths] = OrderedDict()
        self._looked_us = 0
        self._alone: Counter[str] | None = None

    def recall(self, gateway: str, word: RadioWord, now_us: int) -> None:
        """What was retained before our start: who was out is so until it is heard."""
        known = self._radios[gateway] = _Radio(word.network, now_us, online=word.online, said=word)
        known.gone = not word.online
        for device in word.devices:
            self._devices.setdefault(device, _Paths(1)).last[gateway] = 1

    def brought(self, network: str, device: str, gateways: Iterable[str], now_us: int) -> None:
        """An uplink of a registered device, and who brought it."""
        paths = self._devices.get(device)
        if paths is None:
            paths = self._devices[device] = _Paths()
            if len(self._devices) > DEVICES_MAX:
                self._devices.popitem(last=False)
        paths.uplinks += 1
        for gateway in gateways:
            self._alive(network, gateway, now_us)
            paths.last[gateway] = paths.uplinks
        self._devices.move_to_end(device)
        long_ago = [name for name, last in paths.last.items() if paths.uplinks - last >= UPLINKS_LOOKED_AT]
        for name in long_ago + sorted(paths.last, key=paths.last.__getitem__)[:-PATHS_MAX]:
            paths.last.pop(name, None)

    def told(self, network: str, gateway: str, online: bool | None, now_us: int) -> None:
        """The network server speaks of a radio gateway: it is there, is gone, or (`None`) has sent its statistics."""
        if online is False:
            if gateway in self._radios:  # one that we have never heard is none of today's
                self._radios[gateway].gone = True
            return
        known = self._alive(network, gateway, now_us)
        if online is None:
            if known.statistics_us is not None and now_us > known.statistics_us:
                known.gaps_us.append(now_us - known.statistics_us)
            known.statistics_us = now_us

    def deaf(self, network: str, now_us: int) -> None:
        """A network server cannot be heard: nothing is said of the silence of its radio gateways."""
        for each in self._radios.values():
            if each.network == network and each.online:
                each.heard_us = max(each.heard_us, now_us)
                each.statistics_us = None

    def words(self, now_us: int) -> Iterator[Message]:
        """What has to be retained anew; devices are gone through when a gateway is out anew, else every `AGAIN_S`."""
        thorough = now_us - self._looked_us >= AGAIN_S * SECOND_US
        self._alone = None
        for name, each in list(self._radios.items()):
            silent_us = now_us - each.heard_us
            if silent_us > FORGOTTEN_S * SECOND_US:
                del self._radios[name]
                yield Message(topics.radio_gateway(name), b"", retain=True)
            elif each.online and (each.gone or self._silent(name, each, silent_us, thorough)):
                each.online, each.statistics_us, thorough = False, None, True
        dark = self._dark() if thorough else {}
        self._looked_us = now_us if thorough else self._looked_us
        for name, each in self._radios.items():
            devices, said = dark.get(name, []), each.said
            turned = said is None or said.online != each.online
            moved = thorough and not each.online and said is not None and said.devices != devices[:NAMED_MAX]
            if turned or moved:
                yield self._say(name, each, devices, now_us)

    def _alive(self, network: str, gateway: str, now_us: int) -> _Radio:
        known = self._radios.get(gateway)
        if known is None:
            known = self._radios[gateway] = _Radio(network, now_us)
            if len(self._radios) > RADIOS_MAX:
                self._radios.popitem(last=False)
        elif known.online and now_us > known.heard_us:
            known.pause(now_us)
        known.network, known.online, known.gone = network, True, False
        known.heard_us = max(known.heard_us, now_us)
        return known

    def _silent(self, name: str, each: _Radio, silent_us: int, thorough: bool) -> bool:
        tolerated_us = each.tolerated_us
        if tolerated_us is None or silent_us <= tolerated_us:
            return False
        return bool(each.gaps_us) or (thorough and self._dependents()[name] >= DEPENDENTS_MIN)

    def _dependents(self) -> Counter[str]:
        """How many devices hang on each radio gateway alone."""
        if self._alone is None:
            self._alone = Counter(next(iter(each.last)) for each in self._devices.values() if len(each.last) == 1)
        return self._alone

    def _dark(self) -> dict[str, list[str]]:
        """The devices all of whose radio gateways are out, in order, under the one that went last."""
        out = {name: each.heard_us for name, each in self._radios.items() if not each.online}
        if not out:
            return {}
        found: dict[str, list[str]] = {}
        for device, paths in self._devices.items():
            if paths.last and all(name in out for name in paths.last):
                found.setdefault(max(paths.last, key=out.__getitem__), []).append(device)
        return {name: sorted(devices) for name, devices in found.items()}

    def _say(self, name: str, each: _Radio, devices: list[str], now_us: int) -> Message:
        turned = each.said is None or each.said.online != each.online
        since = to_rfc3339(each.heard_us) if turned or each.said is None else each.said.since
        at = to_rfc3339(now_us) if turned or each.said is None else each.said.at
        more = max(0, len(devices) - NAMED_MAX)
        each.said = RadioWord(each.online, each.network, since, at, devices[:NAMED_MAX], more)
        return Message(topics.radio_gateway(name), radio.encode(each.said), retain=True)
