"""ChirpStack over MQTT (JSON): events of devices in version 4, uplinks in version 3 too, and downlinks.

Source: ChirpStack documentation, "Events" and "MQTT integration". Topics: `application/{id}/device/{devEui}/event/{up |
join | status | ack | txack | log | location | integration}` and `…/command/down`. Members with their default value are
left out: no `fCnt` is 0, no `fPort` is a frame without payload, no `data` is an empty one. Publish at QoS 1
(`[integration.mqtt] qos=1`), else ChirpStack itself loses events while its connection to the broker is away.

Radio gateways: `{region}/gateway/{id}/{event/stats | state/conn}` (version 3 has no region), where the same broker
carries them and lets us hear. That statistics come is a sign of life, whatever they say; `state/conn`, retained and
also their Will, says `ONLINE` or `OFFLINE`, in JSON or as the Protocol Buffers message `ConnState` (`state` is field 2,
1 for online; both leave out a default).
"""

import base64
import re
from typing import Any

import msgspec

from gateway import protobuf
from gateway.events import (
    Condition,
    Downlink,
    Event,
    Heard,
    Joined,
    Message,
    Misspoken,
    Nothing,
    Radio,
    Route,
    Source,
    Told,
    Uplink,
    check_frame,
    moment,
    octets,
    parse,
)
from telemetry.clock import to_rfc3339

EVENT = "application/{}/device/{}/event/{}"
COMMAND = "application/{}/device/{}/command/down"
USELESS = frozenset({"location", "integration"})
DISCARDED = {
    "EXPIRED": "The network server dropped the downlink, because the command's time had run out.",
    "DOWNLINK_PAYLOAD_SIZE": "The network server dropped the downlink, because it is too long for the data rate.",
    "F_CNT_DOWN": "The network server dropped the downlink, because its frame counter was refused.",
}
"""Codes of `log` that are the end of a downlink."""

RADIO_FILTERS = tuple(f"{region}gateway/+/{leaf}" for region in ("", "+/") for leaf in ("event/stats", "state/conn"))

_RADIO = re.compile(r"(?:[^/]+/)?gateway/([0-9a-f]{16})/(event/stats|state/conn)")
_TOPIC = re.compile(r"application/([^/]+)/device/([0-9A-Fa-f]{16})/event/([a-z]+)")


class _DeviceInfo(msgspec.Struct, frozen=True, rename="camel"):
    dev_eui: str = ""
    device_profile_name: str = ""
    tags: dict[str, str] | None = None


class _RxInfo(msgspec.Struct, frozen=True, rename="camel"):
    gateway_id: str | None = None


class _Up(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo = _DeviceInfo()
    deduplication_id: str = ""
    time: str | None = None
    dev_addr: str = ""
    f_cnt: int = 0
    f_port: int | None = None
    data: str | None = None
    object: dict[str, Any] | None = None
    rx_info: list[_RxInfo] | None = None


class _RxInfo3(msgspec.Struct, frozen=True):
    time: str | None = None
    gatewayID: str = ""


class _Up3(msgspec.Struct, frozen=True, rename={"counter": "fCnt", "port": "fPort", "profile": "deviceProfileName"}):
    """Version 3; the name of the device is base64."""

    devEUI: str
    counter: int = 0
    port: int | None = None
    data: str | None = None
    profile: str = ""
    tags: dict[str, str] | None = None
    rxInfo: list[_RxInfo3] | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo = _DeviceInfo()
    time: str | None = None
    margin: int = 0
    external_power_source: bool = False
    battery_level_unavailable: bool = False
    battery_level: float = 0.0


class _Ack(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo = _DeviceInfo()
    queue_item_id: str = ""
    acknowledged: bool = False


class _Log(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo = _DeviceInfo()
    level: str = ""
    code: str = ""
    description: str = ""
    context: dict[str, Any] = {}


class ChirpStack:
    """Reads and writes ChirpStack's messages."""

    filters = (EVENT.format("+", "+", "+"),)
    overheard = RADIO_FILTERS

    def brings_measurements(self, topic: str) -> bool:
        """Only uplinks do."""
        return topic.endswith("/event/up")

    def hear(self, topic: str, payload: bytes, now_us: int) -> Heard:
        """One event of one device, or a word of a radio gateway."""
        spoken_of = _RADIO.fullmatch(topic)
        if spoken_of is not None:
            online = None if spoken_of[2] == "event/stats" else _online(payload)
            return Heard([Radio(spoken_of[1], online)])
        found = _TOPIC.fullmatch(topic)
        if found is None:
            raise Misspoken(f"{topic[:100]!r} is no topic of a device's events")
        application, eui, event = found[1], found[2].lower(), found[3]
        return Heard([_event(event, Route(application, eui), parse(payload))])

    def push(self, route: Route, downlinks: list[Downlink], flush: bool) -> list[Message]:
        """One message a downlink. Over MQTT ChirpStack takes nothing back: what waits ends by its own `expiresAt`."""
        return [_command(each) for each in downlinks]

    def can_flush(self) -> bool:
        """Not over MQTT."""
        return False


def _online(payload: bytes) -> bool:
    """Whether a radio gateway's connection stands. Raises `Misspoken`."""
    if payload[:1] == b"{":
        state = parse(payload).get("state", "OFFLINE")
        if state not in ("ONLINE", "OFFLINE"):
            raise Misspoken(f"the state {str(state)[:40]!r} is neither ONLINE nor OFFLINE")
        return bool(state == "ONLINE")
    return dict(protobuf.fields(payload)).get(2) == 1


def _event(event: str, route: Route, said: dict[str, Any]) -> Event:
    if event in USELESS:
        return Nothing(event)
    try:
        match event:
            case "up":
                return _up(route, said)
            case "join":
                return Joined(_source(route, msgspec.convert(said, _Ack).device_info))
            case "status":
                status = msgspec.convert(said, _Status)
                unknown = status.external_power_source or status.battery_level_unavailable
                battery_pct = None if unknown else status.battery_level
                return Condition(_source(route, status.device_info), battery_pct, moment(status.time))
            case "ack" | "txack":
                return _told(event, route, msgspec.convert(said, _Ack))
            case "log":
                return _log(route, msgspec.convert(said, _Log))
    except msgspec.ValidationError as error:
        raise Misspoken(f"ChirpStack's {event} event is not as documented: {error}") from None
    return Nothing("unknown")


def _up(route: Route, said: dict[str, Any]) -> Uplink:
    if "deviceInfo" not in said:
        inner = said.get("payload") if said.get("type") == "up" else said
        if isinstance(inner, dict) and "devEUI" in inner:
            return _up_3(route, msgspec.convert(inner, _Up3))
        raise Misspoken("an uplink of ChirpStack names its device in deviceInfo, and this has none")
    up = msgspec.convert(said, _Up)
    check_frame(up.f_cnt, up.f_port)
    return Uplink(
        _source(route, up.device_info),
        up.f_port,
        octets(up.data),
        moment(up.time),
        up.dev_addr.lower(),
        up.f_cnt,
        (up.deduplication_id,) if up.deduplication_id else (),
        up.object,
        radios=tuple(each.gateway_id.lower() for each in up.rx_info or () if each.gateway_id),
    )


def _up_3(route: Route, up: _Up3) -> Uplink:
    eui = octets(up.devEUI).hex()
    source = _source(route, _DeviceInfo(eui, up.profile, up.tags))
    check_frame(up.counter, up.port)
    times = [each.time for each in up.rxInfo or () if each.time]
    at_us = moment(times[0] if times else None)
    radios = tuple(octets(each.gatewayID).hex() for each in up.rxInfo or () if each.gatewayID)
    return Uplink(source, up.port, octets(up.data), at_us, "", up.counter, radios=radios)


def _source(route: Route, info: _DeviceInfo) -> Source:
    named = info.dev_eui.lower()
    if named and named != route.name:
        raise Misspoken(f"the topic is that of {route.name}, the event that of {named[:40]!r}")
    tag = (info.tags or {}).get("model", "")
    return Source((route.name,), route, eui=route.name, profile=info.device_profile_name, tag=tag)


def _told(event: str, route: Route, ack: _Ack) -> Event:
    source = _source(route, ack.device_info)
    ids = (ack.queue_item_id,) if ack.queue_item_id else ()
    if event == "txack":
        return Told(source, "sent", ids) if ids else Nothing("txack")
    return Told(source, "acknowledged" if ack.acknowledged else "unacknowledged", ids)


def _log(route: Route, log: _Log) -> Event:
    source = _source(route, log.device_info)
    if log.code not in DISCARDED:
        return Nothing(f"log {log.code}" if log.code.isupper() and len(log.code) <= 40 else "log")
    item = log.context.get("queue_item_id")
    ids = (item,) if isinstance(item, str) and item else ()
    return Told(source, "failed", ids, DISCARDED[log.code])


def _command(downlink: Downlink) -> Message:
    said = {
        "id": downlink.id,
        "devEui": downlink.route.name,
        "confirmed": True,
        "fPort": downlink.port,
        "data": base64.b64encode(downlink.payload).decode(),
        "expiresAt": to_rfc3339(downlink.expires_us),
    }
    return Message(COMMAND.format(downlink.route.application, downlink.route.name), msgspec.json.encode(said))
