"""The Things Stack v3 over MQTT (JSON): messages of devices, and downlinks.

Source: The Things Stack documentation, "MQTT Server" and "Data Formats". Topics: `v3/{application}@{tenant}/devices/
{device}/{up | join | down/queued | down/sent | down/ack | down/nack | down/failed | service/data | location/solved}`
and `…/down/{push | replace}`; the open-source server has no `@{tenant}`. Members with their default value are left out:
no `f_cnt` is 0. QoS 0 only: what comes while the gateway, the server or the way between them is away is lost; gaps of
`f_cnt` count it.
"""

import base64
import re
from typing import Any

import msgspec

from gateway.events import (
    Downlink,
    DownlinkState,
    Event,
    Heard,
    Joined,
    Message,
    Misspoken,
    Nothing,
    Route,
    Source,
    Told,
    Uplink,
    check_frame,
    moment,
    octets,
    parse,
)

ROOT = "v3/{}/devices/{}"
OURS = "lamplighter:"
"""How a correlation id of ours begins; the downlink's own id follows."""
STATES: dict[str, tuple[str, DownlinkState]] = {
    "down/queued": ("downlink_queued", "queued"),
    "down/sent": ("downlink_sent", "sent"),
    "down/ack": ("downlink_ack", "acknowledged"),
    "down/nack": ("downlink_nack", "unacknowledged"),
    "down/failed": ("downlink_failed", "failed"),
}
"""What became of a downlink: leaf of the topic, its member, and our word for it."""
USELESS = frozenset({"service/data", "location/solved", "up/normalized"})

_TOPIC = re.compile(r"v3/([^/]+)/devices/([^/]+)/([a-z]+(?:/[a-z]+)?)")
_EUI = re.compile(r"[0-9a-f]{16}")


class _Ids(msgspec.Struct, frozen=True):
    device_id: str = ""
    dev_eui: str = ""


class _Version(msgspec.Struct, frozen=True):
    brand_id: str = ""
    model_id: str = ""


class _GatewayIds(msgspec.Struct, frozen=True):
    gateway_id: str = ""
    eui: str = ""


class _RxMetadata(msgspec.Struct, frozen=True):
    gateway_ids: _GatewayIds = _GatewayIds()


class _UplinkMessage(msgspec.Struct, frozen=True):
    session_key_id: str = ""
    f_port: int | None = None
    f_cnt: int = 0
    frm_payload: str | None = None
    decoded_payload: dict[str, Any] | None = None
    received_at: str | None = None
    version_ids: _Version = _Version()
    rx_metadata: list[_RxMetadata] | None = None


class _Error(msgspec.Struct, frozen=True):
    name: str = ""
    message_format: str = ""


class _Down(msgspec.Struct, frozen=True):
    correlation_ids: list[str] = []


class _Failed(msgspec.Struct, frozen=True):
    downlink: _Down = _Down()
    error: _Error = _Error()


class _Said(msgspec.Struct, frozen=True):
    end_device_ids: _Ids = _Ids()
    received_at: str | None = None
    simulated: bool = False
    correlation_ids: list[str] = []
    uplink_message: _UplinkMessage | None = None
    join_accept: dict[str, Any] | None = None
    downlink_queued: _Down | None = None
    downlink_sent: _Down | None = None
    downlink_ack: _Down | None = None
    downlink_nack: _Down | None = None
    downlink_failed: _Failed | None = None


class TheThingsStack:
    """Reads and writes The Things Stack's messages."""

    overheard = ()
    filters = tuple(ROOT.format("+", "+") + leaf for leaf in ("/up", "/join", "/down/+", "/service/data"))

    def brings_measurements(self, topic: str) -> bool:
        """Only uplinks do."""
        return topic.endswith("/up")

    def hear(self, topic: str, payload: bytes, now_us: int) -> Heard:
        """One message on one device."""
        found = _TOPIC.fullmatch(topic)
        if found is None:
            raise Misspoken(f"{topic[:100]!r} is no topic of a device's messages")
        route, leaf = Route(found[1], found[2]), found[3]
        if leaf in USELESS or leaf in ("down/push", "down/replace"):
            return Heard([Nothing(leaf)])
        try:
            said = msgspec.convert(parse(payload), _Said)
        except msgspec.ValidationError as error:
            raise Misspoken(f"The Things Stack's message is not as documented: {error}") from None
        return Heard([_event(leaf, route, said)])

    def push(self, route: Route, downlinks: list[Downlink], flush: bool) -> list[Message]:
        """One message; it replaces the queue where something is to be taken back."""
        return [_message(route, downlinks, "replace" if flush else "push")] if downlinks or flush else []

    def can_flush(self) -> bool:
        """By replacing the queue."""
        return True


def _message(route: Route, downlinks: list[Downlink], verb: str) -> Message:
    said = [
        {
            "f_port": each.port,
            "frm_payload": base64.b64encode(each.payload).decode(),
            "priority": "NORMAL",
            "confirmed": True,
            "correlation_ids": [OURS + each.id],
        }
        for each in downlinks
    ]
    topic = f"{ROOT.format(route.application, route.name)}/down/{verb}"
    return Message(topic, msgspec.json.encode({"downlinks": said}))


def _event(leaf: str, route: Route, said: _Said) -> Event:
    named = said.end_device_ids.device_id
    if named and named != route.name:
        raise Misspoken(f"the topic is that of {route.name[:40]!r}, the message that of {named[:40]!r}")
    source = _source(route, said)
    if leaf == "up":
        return _up(source, said)
    if leaf == "join":
        if said.join_accept is None:
            raise Misspoken("a message on a join has no join_accept")
        return Nothing("simulated join") if said.simulated else Joined(source)
    if leaf not in STATES:
        return Nothing("unknown")
    member, state = STATES[leaf]
    body = getattr(said, member)
    if body is None:
        raise Misspoken(f"a message on {leaf} has no {member}")
    failed = isinstance(body, _Failed)
    named_ids = [*(body.downlink if failed else body).correlation_ids, *said.correlation_ids]
    ids = tuple(dict.fromkeys(each.removeprefix(OURS) for each in named_ids if each.startswith(OURS)))
    if not ids:
        return Nothing("downlink of somebody else")
    error = (body.error.message_format or body.error.name) if failed else ""
    return Told(source, state, ids, f"The network server dropped the downlink: {error}." if error else "")


def _source(route: Route, said: _Said) -> Source:
    eui = said.end_device_ids.dev_eui.lower()
    if eui and _EUI.fullmatch(eui) is None:
        raise Misspoken(f"the device's EUI {eui[:40]!r} is not 16 hexadecimal digits")
    version = said.uplink_message.version_ids if said.uplink_message else _Version()
    names = (eui, route.name.lower()) if eui else (route.name.lower(),)
    return Source(names, route, eui=eui, brand=version.brand_id, product=version.model_id)


def _up(source: Source, said: _Said) -> Uplink:
    message = said.uplink_message
    if message is None:
        raise Misspoken("an uplink has no uplink_message")
    check_frame(message.f_cnt, message.f_port)
    at_us = moment(message.received_at)
    return Uplink(
        source,
        message.f_port,
        octets(message.frm_payload),
        moment(said.received_at) if at_us is None else at_us,
        message.session_key_id,
        message.f_cnt,
        (),
        message.decoded_payload,
        said.simulated,
        tuple(name for each in message.rx_metadata or () if (name := _radio(each.gateway_ids))),
    )


def _radio(ids: _GatewayIds) -> str:
    """A radio gateway's name: its EUI, as other servers know it, else its id here."""
    return ids.eui.lower() or ids.gateway_id
