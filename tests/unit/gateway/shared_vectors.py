"""Published vectors (data/lorawan, never copied) put to our codecs, one by one, as lines of a batch."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from gateway.codecs.answers import answered
from gateway.codecs.catalogue import catalogue
from tests.parts.recordings import SHARED
from tests.unit.gateway.sources.conflicts import CONFLICTS
from tests.unit.gateway.sources.mapping import To, entry_for, leaves

FOLDER = SHARED / "data" / "lorawan"
SOURCES = {
    name: importlib.import_module(f"tests.unit.gateway.sources.{name}")
    for name in ("ttn", "akenza", "zenner", "chirpstack", "nas")
}


@dataclass(frozen=True)
class Difference:
    """One value on which a vector and our codec do not agree; `path` is theirs."""

    vector: str
    path: str
    words: str

    @property
    def verdict(self) -> str | None:
        """What the data sheet says, where the difference is a known conflict."""
        return CONFLICTS.get((self.vector, self.path))


@cache
def vectors() -> dict[str, list[dict[str, Any]]]:
    """All vectors of models that have a codec, by file name without ending."""
    files = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
    return {file.stem: json.loads(file.read_text()) for file in files if model_of(file.stem) in catalogue()}


def model_of(device: str) -> str:
    """`bosch__tps110` is `bosch/tps110`."""
    return device.replace("__", "/")


@cache
def differences(device: str) -> tuple[Difference, ...]:
    """All differences of one device's vectors."""
    return tuple(each for vector in vectors()[device] for each in _compare(device, vector))


def _compare(device: str, vector: dict[str, Any]) -> Iterator[Difference]:
    answer = answered(msgspec.json.encode({"model": model_of(device)} | vector))
    expected = vector["expected"] or {}
    refusal = f"{answer.get('refused')}: {answer.get('detail')}"
    if isinstance(expected, dict) and expected.get("errors"):
        if "refused" not in answer:
            yield Difference(vector["id"], "refused", f"refused there ({expected['errors']}), here {answer}")
    elif "refused" in answer:
        yield Difference(vector["id"], "refused", f"here {refusal}")
    elif vector["kind"] == "downlink-encode":
        yield from _compare_bytes(vector, answer)
    else:
        yield from _compare_values(device, vector, answer)


def _compare_bytes(vector: dict[str, Any], answer: dict[str, Any]) -> Iterator[Difference]:
    expected = vector["expected"]
    theirs = bytes(expected["bytes"]).hex()
    if answer["bytes_hex"] != theirs:
        yield Difference(vector["id"], "bytes", f"{theirs} there, {answer['bytes_hex']} here, of {vector['input']}")
    port = expected.get("fPort", expected.get("port"))
    if port not in (None, answer["port"]):
        yield Difference(vector["id"], "port", f"{port} there, {answer['port']} here")


def _compare_values(device: str, vector: dict[str, Any], answer: dict[str, Any]) -> Iterator[Difference]:
    source, uplink = SOURCES[vector["source"]], vector["kind"] == "uplink"
    entries = (source.FIELDS if uplink else source.DOWNLINKS).get(device, {}) | source.ANYWHERE
    ours = dict(leaves(answer["extra"] | answer["observation"]))
    for path, theirs in leaves(source.values(vector)):
        entry = entry_for(path, entries) or (None if uplink else To(path))
        if entry is None:
            yield Difference(vector["id"], path, f"sources/{vector['source']}.py does not say what {path!r} is to us")
        elif isinstance(entry, To) and entry.path not in ours:
            yield Difference(vector["id"], path, f"{theirs!r} there, nothing at {entry.path!r} here")
        elif isinstance(entry, To) and not entry.agrees(theirs, ours[entry.path]):
            yield Difference(vector["id"], path, f"{theirs!r} there, {entry.path} = {ours[entry.path]!r} here")
