"""Our own vectors, one file a codec in `vectors/`, written from the makers' data sheets.

A row is an uplink (`port`, `hex`, then `observation` and `extra`, or `refused` with part of the sentence), a downlink
(`set`, then `port` and `hex`, or `refused`), or a downlink that cannot be read back (`read`, `port`, `hex`, `refused`).
A downlink's bytes are read back to `set`, unless `reads` says to what.
"""

import json
from pathlib import Path
from typing import Any

from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec

FOLDER = Path(__file__).parent / "vectors"
GOLDEN: dict[str, list[dict[str, Any]]] = {
    file.stem.replace("__", "/"): json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))
}


def codecs() -> list[Codec]:
    """Each codec once, however many models it serves."""
    return list({id(codec): codec for codec in catalogue().values()}.values())


def rows(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Model and row of every `uplink`, `downlink` or `read` row."""
    return [(model, row) for model, several in GOLDEN.items() for row in several if _kind(row) == kind]


def uplinks_of(codec: Codec) -> list[tuple[int | None, bytes]]:
    """The golden uplinks of a codec, also those it refuses."""
    return [
        (row["port"], bytes.fromhex(row["hex"]))
        for model in codec.models
        for row in GOLDEN.get(model, ())
        if _kind(row) == "uplink"
    ]


def _kind(row: dict[str, Any]) -> str:
    return "downlink" if "set" in row else "read" if "read" in row else "uplink"
