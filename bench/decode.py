"""What decoding costs: microseconds of CPU an observation by the form of its payload, beside a bare decode of it.

`python -m bench.decode` lets both take turns, round after round, so that a busy machine troubles both alike. The bare
decode is msgspec's own of each payload into its struct (into plain objects where the struct refuses it), without a
topic, a column, a range or a fate: the least that any decoder of this format can cost here.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import msgspec

from telemetry import topics
from telemetry.clock import HOUR_US, to_rfc3339
from telemetry.decoding import Decoder
from telemetry.kinds import KINDS
from telemetry.kinds.drain_level import DrainLevelAttributes
from telemetry.registry import ALWAYS_US, EVER_US, Asset, Installation, Registry

NOW_US = 1_763_856_000_000_000
ELEMENTS = 100
DEVICES = 1_000
SEEDED = 7

Form = Callable[[str, int], bytes]
"""The payload of a device of this kind, given a running number."""

_FULL = {
    "streetlight": b'"level_pct":65,"setpoint_pct":65,"power_w":41.2,"energy_kwh":1234.5,"voltage_v":231.4,"lux":12.5,'
    b'"motion":3,"temp_c":21.5,"lamp_fault":false}',
    "drain_level": b'"level_m":0.734,"flow_l_s":12.5,"rain_mm_h":0.0,"temp_c":11.5,"battery_pct":91}',
    "parking_bay": b'"occupied":true,"confidence_pct":97,"temp_c":11.5,"battery_pct":88}',
}
_SPARSE = {
    "streetlight": b'"level_pct":65,"power_w":41.2}',
    "drain_level": b'"distance_m":1.234,"battery_pct":91}',
    "parking_bay": b'"occupied":false}',
}


def _ms(kind: str, number: int) -> bytes:
    return b'{"ts":%d,"seq":%d,%b' % (NOW_US // 1000 - number % 10**6, number, _FULL[kind])


def _rfc3339(kind: str, number: int) -> bytes:
    moment = to_rfc3339(NOW_US - number % 10**6 * 1_000_000).encode()
    return b'{"ts":"%b","seq":%d,%b' % (moment, number, _FULL[kind])


def _rfc3339_ms(kind: str, number: int) -> bytes:
    moment = to_rfc3339(NOW_US - number % 10**6 * 1_001_000).encode()
    return b'{"ts":"%b","seq":%d,%b' % (moment, number, _FULL[kind])


def _either(kind: str, number: int) -> bytes:
    return (_ms if number % 2 else _rfc3339)(kind, number)


def _sparse(kind: str, number: int) -> bytes:
    return b'{"ts":%d,"seq":%d,%b' % (NOW_US // 1000 - number % 10**6, number, _SPARSE[kind])


def _timeless(kind: str, number: int) -> bytes:
    return b'{"seq":%d,%b' % (number, _FULL[kind])


def _array(kind: str, number: int) -> bytes:
    return b"[" + b",".join(_ms(kind, number + element) for element in range(ELEMENTS)) + b"]"


def _marred_array(kind: str, number: int) -> bytes:
    return b"[" + b",".join([*(_ms(kind, number + each) for each in range(ELEMENTS - 1)), b'{"seq":1}']) + b"]"


def _garbage(kind: str, number: int) -> bytes:
    return _ms(kind, number)[:-9] + b"\xff{%d" % number


def _one_in_hundred(odd: Form) -> Form:
    return lambda kind, number: (_ms if number % 100 else odd)(kind, number)


def _with(member: bytes) -> Form:
    return lambda kind, number: _ms(kind, number)[:-1] + b"," + member + b"}"


_UNKNOWN, _NULL, _TYPE, _RANGE = map(_with, (b'"rssi":-71', b'"temp_c":null', b'"temp_c":"x"', b'"temp_c":1e4'))


@dataclass
class Case:
    """One line of the table. `devices` are told apart by their names: `device-`, `moved-`, `unknown-`."""

    words: str
    form: Form
    messages: int = 1_000
    devices: int = DEVICES
    name: str = "device"
    elements: int = 1
    kinds: Sequence[str] = tuple(KINDS)
    ours_us: list[float] = field(default_factory=list)
    bare_us: list[float] = field(default_factory=list)


CASES = [
    Case("ts in ms", _ms),
    *(Case(f"  {name} alone", _ms, kinds=(name,)) for name in KINDS),
    *(Case(f"  in batches of {size:,}", _ms, size) for size in (50, 500, 5_000)),
    *(Case(f"  of {devices:,} devices", _ms, 5_000, devices) for devices in (1_000, 10_000, 100_000)),
    Case("ts as RFC 3339", _rfc3339),
    Case("  with milliseconds", _rfc3339_ms),
    Case("half in ms, half as RFC 3339", _either),
    Case("no ts", _timeless),
    Case("two fields of many", _sparse),
    Case("1 in 100 with an unknown field", _one_in_hundred(_UNKNOWN)),
    Case("1 in 100 with a wrong type", _one_in_hundred(_TYPE)),
    Case("1 in 100 garbage", _one_in_hundred(_garbage)),
    Case("arrays, an element", _array, 20, elements=ELEMENTS),
    Case("arrays with one bad element", _marred_array, 20, elements=ELEMENTS),
    Case("all with an explicit null", _NULL),
    Case("all with an unknown field", _UNKNOWN),
    Case("all out of range", _RANGE),
    Case("all with a wrong type", _TYPE),
    Case("all garbage", _garbage),
    Case("all of swapped devices", _ms, name="moved"),
    Case("all of unknown devices", _ms, name="unknown"),
]


def kind_of(device: int) -> str:
    """The kinds take turns."""
    return (*_FULL,)[device % len(_FULL)]


def registry(devices: int) -> Registry:
    """So many devices that served one asset for ever, and the first `DEVICES` once more, swapped an hour ago."""
    assets = [_asset(number) for number in range(devices)]
    served = [Installation(f"device-{each.asset_id}", each.kind, each.asset_id) for each in assets]
    swapped_us = NOW_US - HOUR_US
    for each in assets[:DEVICES]:
        former = (each.asset_id + len(_FULL)) % devices
        served.append(Installation(f"moved-{each.asset_id}", each.kind, former, EVER_US, swapped_us))
        served.append(Installation(f"moved-{each.asset_id}", each.kind, each.asset_id, swapped_us, ALWAYS_US))
    return Registry.build(1, [], assets, served)


def _asset(number: int) -> Asset:
    kind = kind_of(number)
    known = DrainLevelAttributes(sensor_height_m=4.0) if kind == "drain_level" else KINDS[kind].wire.attributes()
    return Asset(number, f"asset-{number}", kind, "", None, None, None, known)


def batch(case: Case, numbers: Iterator[int], dice: random.Random) -> tuple[list[str], list[bytes], list[bytes]]:
    """Kinds, topics and payloads, all of them new objects as they come from a socket."""
    wanted = [device for device in range(case.devices) if kind_of(device) in case.kinds]
    devices = dice.choices(wanted, k=case.messages)
    kinds = [kind_of(device) for device in devices]
    names = [
        topics.telemetry(kind, f"{case.name}-{device}").encode() for kind, device in zip(kinds, devices, strict=True)
    ]
    return kinds, names, [case.form(kind, next(numbers)) for kind in kinds]


def bare(by_kind: dict[str, list[bytes]]) -> None:
    """Decode each payload and drop it."""
    for name, payloads in by_kind.items():
        wire = KINDS[name].wire
        decode = msgspec.json.Decoder(wire | list[wire]).decode  # type: ignore[valid-type]
        for payload in payloads:
            try:
                decode(payload)
            except msgspec.ValidationError:
                msgspec.json.decode(payload)
            except msgspec.DecodeError:
                pass


def measure(case: Case, decoder: Decoder, batches: int) -> None:
    """One round: so many batches, each decoded by both in turn."""
    numbers, dice = count(10**8), random.Random(SEEDED)
    ours_ns = bare_ns = 0
    for _ in range(batches):
        kinds, names, payloads = batch(case, numbers, dice)
        by_kind: dict[str, list[bytes]] = {}
        for kind, payload in zip(kinds, payloads, strict=True):
            by_kind.setdefault(kind, []).append(payload)
        begun = time.thread_time_ns()
        bare(by_kind)
        between = time.thread_time_ns()
        decoder.decode(names, payloads, NOW_US)
        bare_ns += between - begun
        ours_ns += time.thread_time_ns() - between
    observations = batches * case.messages * case.elements
    case.ours_us.append(ours_ns / 1_000 / observations)
    case.bare_us.append(bare_ns / 1_000 / observations)


def _meet(case: Case, decoder: Decoder) -> None:
    """Have the decoder see every topic once before anything counts."""
    names = [topics.telemetry(kind_of(each), f"{case.name}-{each}").encode() for each in range(case.devices)]
    decoder.decode(names, [b"{}"] * len(names), NOW_US)


def table(cases: Sequence[Case]) -> str:
    """A line a case."""
    lines = [f"{'µs CPU an observation':<32} {'decoded (least to most)':>27} {'bare':>6} {'× bare':>7}"]
    for case in cases:
        ours, least = statistics.median(case.ours_us), statistics.median(case.bare_us)
        spread = f"({min(case.ours_us):.2f} to {max(case.ours_us):.2f})"
        lines.append(f"{case.words:<32} {ours:>12.2f} {spread:>14} {least:>6.2f} {ours / least:>7.1f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=20_000, help="observations a case and round")
    parser.add_argument("--only", default="", help="cases with this in their words")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.words]
    decoders = {devices: Decoder(registry(devices)) for devices in {case.devices for case in cases}}
    for case in cases:
        _meet(case, decoders[case.devices])
    for _ in range(options.rounds):
        for case in cases:
            measure(case, decoders[case.devices], max(1, options.messages // (case.messages * case.elements)))
    print(table(cases))


if __name__ == "__main__":
    main()
