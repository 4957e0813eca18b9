"""What devices might send, bent by atheris: `python -m tests.fuzz.payloads --for 60s --seed 1` (`make fuzz`).

Guided by what each payload reaches in our code. The first byte of an input chooses who gets the rest: a codec (the
second byte is then the port), the decoder of observations, or a batch's line. What must hold is in
`tests/unit/gateway/promises.py`; nothing takes longer than two seconds. The golden vectors are the inputs to begin
with.
"""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from gateway.codecs.answers import answered, read_back
from gateway.codecs.codec import Codec
from telemetry import topics
from telemetry.decoding import Decoder
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Installation, Registry
from tests.fuzz.spelling import duration_s
from tests.unit.gateway.golden import codecs, uplinks_of
from tests.unit.gateway.promises import keep

NOW_US = 1_763_856_000_000_000
PAYLOAD_BYTES_MAX = 512
HANG_S = 2
NO_PORT = 0
CORPUS = Path(__file__).parents[2] / "build" / "fuzz"
"""Inputs of the last run; one that breaks a promise is kept there as `crash-…` or `timeout-…`."""
OBSERVATIONS = (
    b'{"ts": "2025-11-22T20:15:00.5+01:00", "seq": 7, "level_pct": 40.0, "motion": 3, "lamp_fault": false}',
    b'[{"ts": 1763856000000, "level_m": -0.5}, {"distance_m": 1e2, "battery_pct": null, "x": [{}]}, 7]',
    b'{"occupied": true, "confidence_pct": 99.5}',
)
LINES = (
    b'{"model": "bosch/tps110", "kind": "uplink", "fport": 1, "bytes_hex": "01"}',
    b'{"model": "bosch/tps110", "kind": "downlink-encode", "input": {"data": {"data_rate": 3}}}',
)
Target = Callable[[bytes], None]


def targets() -> list[Target]:
    """Who may get an input, always in the same order: codecs, then the decoder of observations, then a batch."""
    return [*(_codec(codec) for codec in codecs()), _observations(), _line]


def seeds() -> list[bytes]:
    """Inputs to begin with, each with the byte that chooses its target."""
    found = [
        bytes([number, port or NO_PORT]) + payload
        for number, codec in enumerate(codecs())
        for port, payload in uplinks_of(codec)
    ]
    decoder = len(codecs())
    found += [bytes([decoder, kind]) + text for kind in range(len(KINDS)) for text in OBSERVATIONS]
    return found + [bytes([decoder + 1]) + text for text in LINES]


def _codec(codec: Codec) -> Target:
    def one(data: bytes) -> None:
        port, payload = (data[0] if data else NO_PORT) or None, data[1:]
        keep(codec, port, payload)
        answer = read_back(codec, port, payload)
        assert "refused" in answer or "input" in answer

    return one


def _observations() -> Target:
    kinds = list(KINDS)
    assets = [
        Asset(number, name, name, "", None, None, None, KINDS[name].wire.attributes())
        for number, name in enumerate(kinds, start=1)
    ]
    places = [Installation("d", name, number) for number, name in enumerate(kinds, start=1)]
    decoder = Decoder(Registry.build(1, [], assets, places))
    names = [topics.telemetry(kind, "d").encode() for kind in kinds]

    def one(data: bytes) -> None:
        decoded = decoder.decode([names[data[0] % len(names)] if data else names[0]], [data[1:]], NOW_US)
        if decoded.failure is not None:
            raise decoded.failure

    return one


def _line(data: bytes) -> None:
    answer = answered(data)
    assert answer.keys() >= {"refused", "detail"} or "bytes_hex" in answer or "observation" in answer


def main() -> None:
    """Fuzz until the time is over; atheris ends the process, with 0 if every promise held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--for", dest="for_s", default="60s", type=duration_s, metavar="60s", help="how long")
    parser.add_argument("--seed", type=int, default=0, help="the same seed bends the same payloads")
    options = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print("left out: payloads of devices, because atheris is not installed (pip install atheris)")
        return
    atheris.instrument_all()
    several = targets()

    def one(data: bytes) -> None:
        if data:
            several[data[0] % len(several)](data[1:])

    shutil.rmtree(CORPUS, ignore_errors=True)
    CORPUS.mkdir(parents=True)
    for number, seed in enumerate(seeds()):
        (CORPUS / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={max(1, round(options.for_s))}", f"-max_len={PAYLOAD_BYTES_MAX}", f"-timeout={HANG_S}"]
    atheris.Setup([sys.argv[0], str(CORPUS), *limits, f"-seed={options.seed}", f"-artifact_prefix={CORPUS}/"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
