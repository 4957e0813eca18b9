"""uCIFI objects of LwM2M: 3416 outdoor lamp controller, 3431 parking sensor, 3435 filling level.

Source: OMA LwM2M registry, objects 3416 (2.0), 3431 (1.1) and 3435 (2.0), by the uCIFI Alliance. The formats stand in
`formats`, the resources in `resources`. Any maker's device may speak so, over LoRaWAN on any port, or otherwise.

3416: level_pct is the dimming level (3), setpoint_pct the command (1), lamp_fault the lamp failure (5), temp_c the
    control gear's temperature (21), power_w and energy_kwh the light source's (46, 47): behind the control gear, so
    without its losses.
3431: occupied (1); confidence_pct is the measurement quality level (6049).
3435: level_m is the filling level (3, in cm) or, without it, the filling percentage (2) of the container's height (1).

The lowest instance of the object speaks; other instances, objects and resources stand in extra by their numbers. Of
several values of a resource the newest counts, the last one where no time is said. A resource in a unit that cannot be
converted is refused.

A downlink is TLV, which every LwM2M client of version 1.0 reads and which fits into the smallest frame: the duration of
a manual command (53) and the command (1), on port 2, or on the one given as `"port"`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable, Value
from gateway.codecs.ucifi.lwm2m.formats import Entry, entries, tlv
from gateway.codecs.ucifi.lwm2m.resources import OBJECTS, Resource, moment

LAMP, BAY, FILLING = 3416, 3431, 3435
COMMAND, DURATION = 1, 53
PORT, PORTS_MAX = 2, 223
LEASE_S, LEASE_S_MAX = 3_600, 86_400


def _newest(found: list[Entry]) -> dict[tuple[int, ...], Entry]:
    newest: dict[tuple[int, ...], Entry] = {}
    for entry in found:
        before = newest.get(entry.path)
        if before is None or (entry.time_s or 0.0) >= (before.time_s or 0.0):
            newest[entry.path] = entry
    return newest


def decode(port: int | None, data: bytes, *, object_id: int) -> Reading:
    """All resources of a payload, whatever the port."""
    newest = _newest(entries(data, object_id))
    instances = [path[1] for path in newest if path[0] == object_id and len(path) >= 3]
    speaks = (object_id, min(instances, default=0))
    observation: dict[str, float | bool] = {}
    extra: dict[str, Value] = {"message": f"object_{object_id}"}
    for path, entry in newest.items():
        resource = OBJECTS[object_id].get(path[2]) if path[:2] == speaks and len(path) == 3 else None
        if resource is None:
            extra["resource_" + "_".join(map(str, path))] = _as_it_is(entry)
        else:
            _put(resource, resource.value(entry.value, entry.unit), observation, extra)
    if object_id == FILLING and "level_m" not in observation:
        height, share = extra.get("container_height_cm"), extra.get("filling_pct")
        if isinstance(height, int | float) and isinstance(share, int | float):
            observation["level_m"] = height * share / 10_000
    times = [entry.time_s for path, entry in newest.items() if path[:2] == speaks and entry.time_s is not None]
    if times:
        extra["observed_time"] = moment(max(times))
    return Reading(observation, extra)


def _put(
    resource: Resource, value: float | bool | str, observation: dict[str, float | bool], extra: dict[str, Value]
) -> None:
    if resource.ours is None:
        extra[resource.name] = value
    elif not isinstance(value, str):
        observation[resource.ours] = value if isinstance(value, bool) else value / resource.parts


def _as_it_is(entry: Entry) -> Value:
    return entry.value.hex() if isinstance(entry.value, bytes) else entry.value


def encode(wanted: Mapping[str, Any]) -> Downlink:
    """`{"setpoint_pct": 0 to 100}`, with `"lease_s"` for its duration and `"port"` for the port."""
    if "setpoint_pct" not in wanted or wanted.keys() - {"setpoint_pct", "lease_s", "port"}:
        raise Unencodable("a downlink sets setpoint_pct, with lease_s and port where they are not 3600 and 2")
    setpoint, lease_s, port = wanted["setpoint_pct"], wanted.get("lease_s", LEASE_S), wanted.get("port", PORT)
    if isinstance(setpoint, bool) or not isinstance(setpoint, int | float) or not 0 <= setpoint <= 100:
        raise Unencodable(f"setpoint_pct: {setpoint!r:.40} is no number from 0 to 100")
    if type(lease_s) is not int or not 1 <= lease_s <= LEASE_S_MAX:
        raise Unencodable(f"lease_s: {lease_s!r:.40} is no whole number from 1 to {LEASE_S_MAX}")
    if type(port) is not int or not 1 <= port <= PORTS_MAX:
        raise Unencodable(f"port: {port!r:.40} is no whole number from 1 to {PORTS_MAX}")
    return Downlink(port, tlv([(DURATION, lease_s), (COMMAND, round(setpoint))]))


def decode_downlink(port: int | None, data: bytes) -> dict[str, Value]:
    """What a downlink to a lamp sets."""
    names = {COMMAND: "setpoint_pct", DURATION: "lease_s"}
    wanted: dict[str, Value] = {}
    for path, entry in _newest(entries(data, LAMP)).items():
        if path[0] != LAMP or len(path) != 3 or path[2] not in names:
            raise Undecodable(f"resource /{'/'.join(map(str, path))} is none that we set")
        value = OBJECTS[LAMP][path[2]].value(entry.value, entry.unit)
        wanted[names[path[2]]] = int(value) if isinstance(value, float) and value.is_integer() else value
    return wanted


CODECS = (
    Codec(
        models=(f"ucifi/{LAMP}",),
        kind="streetlight",
        words="uCIFI outdoor lamp controller (LwM2M object 3416)",
        fields=("level_pct", "setpoint_pct", "power_w", "energy_kwh", "temp_c", "lamp_fault"),
        decode=partial(decode, object_id=LAMP),
        encode=encode,
        decode_downlink=decode_downlink,
        downlinks=("setpoint_pct", "lease_s"),
    ),
    Codec(
        models=(f"ucifi/{BAY}",),
        kind="parking_bay",
        words="uCIFI parking sensor (LwM2M object 3431)",
        fields=("occupied", "confidence_pct"),
        decode=partial(decode, object_id=BAY),
    ),
    Codec(
        models=(f"ucifi/{FILLING}",),
        kind="drain_level",
        words="uCIFI filling level (LwM2M object 3435)",
        fields=("level_m",),
        decode=partial(decode, object_id=FILLING),
    ),
)
