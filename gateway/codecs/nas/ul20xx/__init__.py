"""NAS UL20xx (UL2002 to UL2053), controllers of street lights with DALI, 0-10 V or a Zhaga base, by LoRaWAN.

Sources: Nordic Automation Systems, "Luminaire Controller UL20xx FW 1.0.x+, Communication Protocols" (firmware 1.0.3 and
later); the online pages "LCU payloads" (uplinks, commands, configs) for firmware 1.1.x; and the maker's published codec
0.12, which calls itself an annex to them. The port says what a packet is, its first byte which.

    port 23  status, firmware 1.1        port 24  status, firmware 1.0
    port 25  usage, firmware 1.0         port 26  usage, firmware 1.1
    port 49  asks for a configuration    port 50  configuration, and its echo
    port 51  restarts                    port 60  commands and answers
    port 61  alerts                      port 99  boot, refused downlinks

The packets' layouts stand in the modules: `uplinks`, `configuration` with `varying`, `commands`, and `words` for single
values. Packets are read into, and written from, the maker's own names; `reading` makes a reading of them.

A setpoint becomes the timed manual dimming of all DALI drivers (packet 0x09 on port 60), which ends by itself as a
lease does: `{"setpoint_pct": 40}` for an hour, with `"lease_s"` for longer or shorter, with `"address":
"analog_0_10v"` for the output of 0 to 10 V, which a broadcast does not reach. `{"report_every_s": 600}` is the interval
of the status (packet 0x07 on port 50).

A driver whose mains the controller's relay has switched off names no level (reason `relay_off`): it gives no light, so
the lamp's level is 0 %. That is how a lamp on a switched circuit reports by day.

Not read: the legacy status of firmware 1.0, a mode that the maker's codec does not read either.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable, Value
from gateway.codecs.nas.ul20xx import commands, configuration, uplinks
from gateway.codecs.nas.ul20xx.configuration import Packets, read_packet, write_packet
from gateway.codecs.nas.ul20xx.layout import Packet
from gateway.codecs.nas.ul20xx.reading import reading
from gateway.codecs.wire import Cursor

REQUEST, SETTING, RESTART, COMMAND, ALERT, SYSTEM = 49, 50, 51, 60, 61, 99
LEASE_S = 3_600
OURS = ("setpoint_pct", "report_every_s")

Ports = Mapping[int, Callable[[Cursor], Packet]]

_WRITTEN_10: dict[int, Packets] = {
    REQUEST: configuration.REQUESTS_10,
    SETTING: configuration.SETTINGS_10,
    RESTART: commands.RESTARTS_10,
    COMMAND: commands.COMMANDS_10,
}
_WRITTEN_11: dict[int, Packets] = {
    REQUEST: configuration.REQUESTS_11,
    SETTING: configuration.SETTINGS_11,
    RESTART: commands.RESTARTS_11,
    COMMAND: commands.COMMANDS_11,
}
_PORTS_10: Ports = {
    24: uplinks.status_10,
    25: uplinks.usage_10,
    **{port: partial(read_packet, packets) for port, packets in _WRITTEN_10.items()},
    ALERT: partial(uplinks.alert, uplinks.ALERTS_10),
    SYSTEM: uplinks.system,
}
_PORTS_11: Ports = {
    23: uplinks.status_11,
    26: uplinks.usage_11,
    **{port: partial(read_packet, packets) for port, packets in _WRITTEN_11.items()},
    ALERT: partial(uplinks.alert, uplinks.ALERTS_11),
    SYSTEM: uplinks.system,
}


def _read(port: int | None, data: bytes, ports: Ports) -> Packet:
    if not data:
        raise Undecodable("no bytes at all")
    packet_at = ports.get(port or 0)
    if packet_at is None:
        raise Undecodable(f"port {port} is none of {', '.join(map(str, sorted(ports)))}")
    cursor = Cursor(data)
    packet = packet_at(cursor)
    cursor.end()
    return packet


def decode(port: int | None, data: bytes, *, ports: Ports) -> Reading:
    """One uplink."""
    if port in (REQUEST, RESTART):
        raise Undecodable(f"port {port} is for downlinks only")
    return reading(_read(port, data, ports))


def decode_downlink(port: int | None, data: bytes, *, ports: Ports) -> dict[str, Value]:
    """One packet of any port in the maker's names, as `encode` takes them."""
    return _read(port, data, ports)


def encode(wanted: Mapping[str, Any], *, written: Mapping[int, Packets]) -> Downlink:
    """A setpoint, a report interval, or one of the maker's packets by its `packet_type`."""
    packet = dict(wanted)
    if "packet_type" not in packet:
        packet = _ours(packet)
    name = packet["packet_type"]
    if isinstance(name, str):
        packet["packet_type"] = configuration.ALSO_CALLED.get(name, name)
    if name == "time_config_request":
        packet["packet_type"] = "time_config_packet"
    # the maker's name for asking the time is that of setting it: without a time, it is asked for
    asked = packet["packet_type"] == "time_config_packet" and "device_unix_epoch" not in packet
    for port, packets in written.items():
        if port == REQUEST and packet["packet_type"] == "time_config_packet" and not asked:
            continue
        data = write_packet(packets, packet)
        if data is not None:
            return Downlink(port, data)
    raise Unencodable(f"packet_type {name!r:.60} is none that this firmware takes")


def _ours(wanted: dict[str, Any]) -> Packet:
    """The packet of one of our own settings."""
    match wanted:
        case {"setpoint_pct": level, **rest} if rest.keys() <= {"lease_s", "address"}:
            return commands.dimming(level, rest.get("lease_s", LEASE_S), rest.get("address", "dali_broadcast"))
        case {"report_every_s": interval, **rest} if not rest:
            return {"packet_type": "status_config_packet", "status_interval__s": interval}
    raise Unencodable(f"a downlink sets {' or '.join(OURS)}, or is a packet of the maker's with its packet_type")


def _codec(firmware: str, ports: Ports, written: Mapping[int, Packets]) -> Codec:
    return Codec(
        models=(f"nas/ul20xx-{firmware}",),
        kind="streetlight",
        words=f"NAS UL20xx luminaire controllers, firmware {firmware}",
        fields=("level_pct", "setpoint_pct", "power_w", "energy_kwh", "voltage_v", "lamp_fault", "temp_c")
        + (("lux",) if firmware == "1.1" else ()),
        decode=partial(decode, ports=ports),
        encode=partial(encode, written=written),
        decode_downlink=partial(decode_downlink, ports=ports),
        downlinks=(*OURS, "lease_s", "packet_type"),
    )


CODECS = (_codec("1.0", _PORTS_10, _WRITTEN_10), _codec("1.1", _PORTS_11, _WRITTEN_11))
