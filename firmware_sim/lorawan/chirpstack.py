"""ChirpStack 4 as it speaks over MQTT in JSON, with members of their default value left out.

Source: ChirpStack documentation, "Events", "MQTT integration" and "Gateway bridge: payloads". Uplinks at QoS 1.
"""

import datetime as dt
import re
import uuid
from typing import Any

import msgspec

from firmware_sim.chance import Chance
from firmware_sim.firmware import Uplink
from firmware_sim.lorawan.frames import Downlink, Frame, Order, Reception
from firmware_sim.lorawan.network_server import Session
from firmware_sim.lorawan.protobuf_json import octets_of, text_of, without_defaults
from firmware_sim.vendors.product import Payload
from telemetry.clock import to_datetime, to_us

FREQUENCIES_HZ = (
    868_100_000,
    868_300_000,
    868_500_000,
    867_100_000,
    867_300_000,
    867_500_000,
    867_700_000,
    867_900_000,
)
REGION = "eu868"
_COMMAND = re.compile(r"application/[^/]+/device/([0-9a-f]{16})/command/down")

_encode = msgspec.json.encode


class _Command(msgspec.Struct, rename="camel"):
    f_port: int
    id: str = ""
    dev_eui: str = ""
    confirmed: bool = False
    data: str = ""
    expires_at: dt.datetime | None = None


class ChirpStack:
    """One application of a ChirpStack, and its radio gateways."""

    tries = 1

    def __init__(self, seed: int) -> None:
        self._application = _uuid("application", seed)
        self._tenant = _uuid("tenant", seed)
        self.filters = (f"application/{self._application}/device/+/command/down",)

    def name(self, eui: str) -> str:
        """The EUI itself."""
        return eui

    def order(self, topic: str, payload: bytes) -> Order | None:
        """`…/command/down`; ChirpStack itself says nothing to what is none."""
        found = _COMMAND.fullmatch(topic)
        try:
            said = msgspec.json.decode(payload, type=_Command)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        octets = octets_of(said.data)
        if found is None or octets is None or said.dev_eui.lower() not in ("", found[1]) or not 0 < said.f_port < 224:
            return None
        expires_us = None if said.expires_at is None else to_us(said.expires_at)
        return Order(found[1], [Downlink(said.id, Payload(said.f_port, octets), said.confirmed, expires_us)])

    def up(self, session: Session, frame: Frame, heard: list[Reception], copy: str, now_us: int) -> list[Uplink]:
        """`up`."""
        chance = Chance.seeded(copy)
        rate = chance.whole(6)
        lora = {"bandwidth": 125_000, "spreadingFactor": 12 - rate, "codeRate": "CR_4_5"}
        frequency = FREQUENCIES_HZ[chance.whole(len(FREQUENCIES_HZ), 1)]
        said = {
            "devAddr": session.address,
            "adr": True,
            "dr": rate,
            "fCnt": frame.counter,
            **({} if frame.payload is None else {"fPort": frame.payload.port, "data": text_of(frame.payload.octets)}),
            "rxInfo": [_reception(each, chance, nth) for nth, each in enumerate(heard)],
            "txInfo": {"frequency": frequency, "modulation": {"lora": lora}},
            "regionConfigId": REGION,
        }
        return [self._event(session, "up", now_us, copy, said, readings=int(frame.payload is not None))]

    def joined(self, session: Session, copy: str, now_us: int) -> list[Uplink]:
        """`join`, with the first uplink after it."""
        said = {"regionConfigId": REGION, "devAddr": session.address}
        return [self._event(session, "join", now_us, copy, said)]

    def condition(self, session: Session, copy: str, now_us: int) -> list[Uplink]:
        """`status`."""
        battery = session.device.battery_pct
        power = {"externalPowerSource": battery is None, "batteryLevel": battery}
        return [self._event(session, "status", now_us, copy, {"margin": 10, **power})]

    def repeated(self, session: Session, now_us: int) -> list[Uplink]:
        """`log` `UPLINK_F_CNT_RETRANSMISSION`."""
        description = "Uplink was flagged as re-transmission / frame-counter did not increment"
        return [self._log(session, "WARNING", "UPLINK_F_CNT_RETRANSMISSION", description, {}, now_us)]

    def queued(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        """Nothing: ChirpStack does not tell."""
        return []

    def sent(self, session: Session, downlink: Downlink, gateway: str, now_us: int) -> list[Uplink]:
        """`txack`."""
        lora = {"bandwidth": 125_000, "spreadingFactor": 12, "codeRate": "CR_4_5", "polarizationInversion": True}
        said = {
            "downlinkId": 1 + Chance.seeded(session.key, downlink.counter).whole(1 << 31),
            "queueItemId": downlink.id,
            "fCntDown": downlink.counter,
            "gatewayId": gateway,
            "txInfo": {
                "frequency": 869_525_000,
                "power": 27,
                "modulation": {"lora": lora},
                "timing": {"immediately": {}},
            },
        }
        return [self._event(session, "txack", now_us, "", said)]

    def answered(self, session: Session, downlink: Downlink, heard: bool, now_us: int) -> list[Uplink]:
        """`ack`."""
        said = {"queueItemId": downlink.id, "acknowledged": heard, "fCntDown": downlink.counter}
        copy = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session.key}{downlink.counter}"))
        return [self._event(session, "ack", now_us, copy, said)]

    def expired(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        """`log` `EXPIRED`."""
        context = {"queue_item_id": downlink.id}
        return [
            self._log(
                session, "ERROR", "EXPIRED", "Device queue-item discarded because it has expired", context, now_us
            )
        ]

    def alive(self, gateway: str, now_us: int) -> list[Uplink]:
        """The gateway bridge's `stats`."""
        said = _encode({"gatewayId": gateway, "time": _stamp(now_us), "metadata": {"region_config_id": REGION}})
        return [Uplink(f"{REGION}/gateway/{gateway}/event/stats", said)]

    def connected(self, gateway: str, online: bool) -> list[Uplink]:
        """The gateway bridge's `conn`; `OFFLINE` is a default, and left out."""
        said = {"gatewayId": gateway, **({"state": "ONLINE"} if online else {})}
        return [Uplink(f"{REGION}/gateway/{gateway}/state/conn", _encode(said), retain=True)]

    def _log(
        self, session: Session, level: str, code: str, description: str, context: dict[str, str], now_us: int
    ) -> Uplink:
        said = {"level": level, "code": code, "description": description, "context": context}
        return self._event(session, "log", now_us, "", said)

    def _event(
        self, session: Session, event: str, now_us: int, copy: str, more: dict[str, Any], readings: int = 0
    ) -> Uplink:
        model = session.device.product.model
        info = {
            "tenantId": self._tenant,
            "tenantName": "Simulated city",
            "applicationId": self._application,
            "applicationName": "Lamplighter",
            "deviceProfileId": _uuid("profile", model),
            "deviceProfileName": model.replace("/", " "),
            "deviceName": f"simulated {session.name}",
            "devEui": session.name,
            "deviceClassEnabled": "CLASS_C" if session.device.product.listens else "",
            "tags": {"model": model},
        }
        said = {"deduplicationId": copy, "time": _stamp(now_us), "deviceInfo": without_defaults(info), **more}
        topic = f"application/{self._application}/device/{session.name}/event/{event}"
        return Uplink(topic, _encode(without_defaults(said)), readings=readings)


def _reception(heard: Reception, chance: Chance, nth: int) -> dict[str, Any]:
    said = {
        "gatewayId": heard.gateway,
        "uplinkId": 1 + chance.whole(1 << 31, 2 + nth),
        "rssi": heard.rssi_dbm,
        "snr": heard.snr_db,
        "channel": chance.whole(8, 1),
        "context": text_of(chance.whole(1 << 31, 20 + nth).to_bytes(4, "big")),
        "metadata": {"region_config_id": REGION, "region_common_name": "EU868"},
        "crcStatus": "CRC_OK",
    }
    return without_defaults(said)


def _stamp(moment_us: int) -> str:
    return to_datetime(moment_us).isoformat(timespec="microseconds")


def _uuid(*words: str | int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "simulated " + " ".join(map(str, words))))
