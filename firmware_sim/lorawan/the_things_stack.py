"""The Things Stack 3 as it speaks over MQTT in JSON, QoS 0 only, with members of their default value left out.

Source: The Things Stack documentation, "MQTT Server" and "Data Formats". An application's clients hear nothing of its
radio gateways but in the uplinks. A confirmed downlink that is not acknowledged is sent again by the server itself.
"""

import re
from typing import Any

import msgspec

from firmware_sim.chance import Chance
from firmware_sim.firmware import Uplink
from firmware_sim.lorawan.frames import Downlink, Frame, Order, Reception
from firmware_sim.lorawan.network_server import Session
from firmware_sim.lorawan.protobuf_json import octets_of, text_of, without_defaults
from firmware_sim.vendors.product import Payload
from telemetry.clock import to_datetime

APPLICATION, TENANT = "lamplighter", "simulated"
ROOT = f"v3/{APPLICATION}@{TENANT}/devices/"
PREFIX = "eui-"
GAVE_UP = {
    "namespace": "pkg/applicationserver",
    "name": "retry_limit_exceeded",
    "message_format": "confirmed downlink retry limit exceeded",
    "code": 9,
}
_COMMAND = re.compile(re.escape(ROOT) + r"([a-z0-9-]+)/down/(push|replace)")

_encode = msgspec.json.encode


class _Down(msgspec.Struct):
    f_port: int
    frm_payload: str = ""
    confirmed: bool = False
    correlation_ids: list[str] = []


class _Command(msgspec.Struct):
    downlinks: list[_Down] = []


class TheThingsStack:
    """One application of The Things Stack."""

    tries = 8
    filters = (f"{ROOT}+/down/push", f"{ROOT}+/down/replace")

    def name(self, eui: str) -> str:
        """The device id: as the console proposes it."""
        return PREFIX + eui

    def order(self, topic: str, payload: bytes) -> Order | None:
        """`down/push` or `down/replace`."""
        found = _COMMAND.fullmatch(topic)
        try:
            said = msgspec.json.decode(payload, type=_Command)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        octets = [octets_of(each.frm_payload) for each in said.downlinks]
        if found is None or None in octets:
            return None
        downlinks = [
            Downlink("", Payload(each.f_port, raw or b""), each.confirmed, correlation_ids=tuple(each.correlation_ids))
            for each, raw in zip(said.downlinks, octets, strict=True)
        ]
        return Order(found[1], downlinks, found[2] == "replace")

    def up(self, session: Session, frame: Frame, heard: list[Reception], copy: str, now_us: int) -> list[Uplink]:
        """`up`."""
        chance = Chance.seeded(copy)
        brand, model = session.device.product.model.split("/")
        lora = {"bandwidth": 125_000, "spreading_factor": 7 + chance.whole(6), "coding_rate": "4/5"}
        message = {
            "session_key_id": _key(session),
            "f_port": frame.payload.port if frame.payload else 0,
            "f_cnt": frame.counter,
            "frm_payload": text_of(frame.payload.octets) if frame.payload else "",
            "rx_metadata": [_reception(each, now_us) for each in heard],
            "settings": {"data_rate": {"lora": lora}, "frequency": "867100000", "time": _stamp(now_us)},
            "received_at": _stamp(now_us),
            "consumed_airtime": "0.061696s",
            "version_ids": {"brand_id": brand, "model_id": model, "band_id": "EU_863_870"},
            "network_ids": {"net_id": "000013", "tenant_id": TENANT, "cluster_id": "eu1"},
        }
        readings = int(frame.payload is not None)
        said = {"uplink_message": without_defaults(message)}
        return [self._message(session, "up", (f"as:up:{copy}",), said, now_us, readings)]

    def joined(self, session: Session, copy: str, now_us: int) -> list[Uplink]:
        """`join`."""
        said = {"join_accept": {"session_key_id": _key(session), "received_at": _stamp(now_us)}}
        return [self._message(session, "join", (f"as:up:{copy}",), said, now_us)]

    def condition(self, session: Session, copy: str, now_us: int) -> list[Uplink]:
        """Nothing over MQTT."""
        return []

    def repeated(self, session: Session, now_us: int) -> list[Uplink]:
        """Nothing over MQTT."""
        return []

    def queued(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        """`down/queued`."""
        return [self._told(session, "queued", downlink, now_us)]

    def sent(self, session: Session, downlink: Downlink, gateway: str, now_us: int) -> list[Uplink]:
        """`down/sent`."""
        return [self._told(session, "sent", downlink, now_us)]

    def answered(self, session: Session, downlink: Downlink, heard: bool, now_us: int) -> list[Uplink]:
        """`down/ack`, or `down/nack` and after the last try `down/failed`."""
        if heard:
            return [self._told(session, "ack", downlink, now_us)]
        said = [self._told(session, "nack", downlink, now_us)]
        if downlink.tries >= self.tries:
            body = {"downlink_failed": {"downlink": _described(session, downlink), "error": GAVE_UP}}
            said.append(self._message(session, "down/failed", downlink.correlation_ids, body, now_us))
        return said

    def expired(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        """Nothing: its downlinks have no end."""
        return []

    def alive(self, gateway: str, now_us: int) -> list[Uplink]:
        """Nothing over MQTT."""
        return []

    def connected(self, gateway: str, online: bool) -> list[Uplink]:
        """Nothing over MQTT."""
        return []

    def _told(self, session: Session, what: str, downlink: Downlink, now_us: int) -> Uplink:
        body = {f"downlink_{what}": _described(session, downlink)}
        return self._message(session, f"down/{what}", downlink.correlation_ids, body, now_us)

    def _message(
        self,
        session: Session,
        leaf: str,
        correlation_ids: tuple[str, ...],
        more: dict[str, Any],
        now_us: int,
        readings: int = 0,
    ) -> Uplink:
        ids = {
            "device_id": session.name,
            "application_ids": {"application_id": APPLICATION},
            "dev_eui": session.name.removeprefix(PREFIX).upper(),
            "join_eui": "0000000000000000",
            "dev_addr": session.address.upper(),
        }
        said = {
            "end_device_ids": without_defaults(ids),
            "correlation_ids": correlation_ids,
            "received_at": _stamp(now_us),
            **more,
        }
        return Uplink(f"{ROOT}{session.name}/{leaf}", _encode(said), readings=readings, qos=0)


def _described(session: Session, downlink: Downlink) -> dict[str, Any]:
    said = {
        "session_key_id": _key(session),
        "f_port": downlink.payload.port,
        "f_cnt": downlink.counter,
        "frm_payload": text_of(downlink.payload.octets),
        "confirmed": downlink.confirmed,
        "priority": "NORMAL",
        "correlation_ids": downlink.correlation_ids,
    }
    return without_defaults(said)


def _reception(heard: Reception, now_us: int) -> dict[str, Any]:
    ids = {"gateway_id": f"{PREFIX}{heard.gateway}", "eui": heard.gateway.upper()}
    said = {
        "gateway_ids": ids,
        "time": _stamp(now_us),
        "timestamp": now_us & 0xFFFFFFFF,
        "rssi": heard.rssi_dbm,
        "channel_rssi": heard.rssi_dbm,
        "snr": heard.snr_db,
    }
    return without_defaults(said)


def _key(session: Session) -> str:
    return text_of(bytes.fromhex(session.key))


def _stamp(moment_us: int) -> str:
    """RFC 3339 with nanoseconds."""
    return f"{to_datetime(moment_us):%Y-%m-%dT%H:%M:%S.%f}000Z"
