"""Whatever a file holds, reading it ends, and what is wrong with it can be printed."""

import io
import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from storage.history_csv import HistoryFile
from storage.registry_csv import Mistake, Row, read_csv
from storage.registry_geojson import read_geojson
from telemetry.kinds.streetlight import StreetLightAttributes
from telemetry.registry import Asset, Installation, Registry

LAMP = Asset(1, "lamp-1", "streetlight", "", None, None, None, StreetLightAttributes(), "L1")
TOWN = Registry.build(1, [], [LAMP], [Installation("L1", "streetlight", 1)])
REGISTRY = 'asset,kind,name,zone,lat,lon,device,crossing,crown_m\nlamp-1,streetlight,"a, b",z,51.4,7.3,d,true,\n'
HISTORY = "device,ts,level_pct,motion,lamp_fault,seq\nL1,2025-03-01T00:00:00Z,10.5,3,true,7\n"
FEATURES = json.dumps(
    {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [7.3, 51.4]},
         "properties": {"asset": "lamp-1", "kind": "streetlight", "name": "Ä", "crossing": True}},
    ]}
)  # fmt: skip


def bent(text: str) -> st.SearchStrategy[str]:
    """The text with some bytes put in place of others, as a file that is opened."""
    whole = text.encode()
    cuts = st.tuples(st.integers(0, len(whole)), st.integers(0, 6), st.binary(max_size=6))
    noise = st.binary(max_size=60).map(lambda instead: [(0, len(whole), instead)])
    changes = st.one_of(noise, st.lists(cuts, max_size=4))
    return changes.map(lambda several: _cut(whole, several).decode("utf-8", "surrogateescape"))


def _cut(whole: bytes, several: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, instead in several:
        whole = whole[:place] + instead + whole[place + length :]
    return whole


def printed(read: Iterator[Row | Mistake]) -> None:
    for each in read:
        if isinstance(each, Mistake):
            str(each).encode()
        else:
            json.dumps(each.given, allow_nan=False).encode()


@given(bent(REGISTRY))
def test_a_registry_as_csv(text: str) -> None:
    printed(read_csv(io.StringIO(text, newline="")))


@given(bent(FEATURES))
def test_a_registry_as_geojson(text: str) -> None:
    printed(read_geojson(io.StringIO(text, newline="")))


@given(bent(HISTORY))
def test_a_history(text: str) -> None:
    file = HistoryFile(io.StringIO(text, newline=""), TOWN)
    "\n".join(file.faults).encode()
    if not file.faults:
        "\n".join(map(str, file)).encode()
