"""The fictional town of Hohenruhr, some kilometres up the river from Witten: its districts, streets and car parks.

Plain data; what stands along the streets is drawn in `city`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from firmware_sim.behaviours import Custom

Road = Literal["main", "collector", "residential", "path"]

LAT = 51.4121
LON = 7.3718
TIMEZONE = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Street:
    """A street by name and use."""

    name: str
    road: Road


@dataclass(frozen=True, slots=True)
class District:
    """A district: its zone, its name, how far its middle lies north and east of the town's in m, its streets."""

    zone: str
    name: str
    north_m: float
    east_m: float
    streets: tuple[Street, ...]


@dataclass(frozen=True, slots=True)
class CarPark:
    """A parking zone: bays it has, who parks there, where its middle lies in m north and east of the town's."""

    zone: str
    name: str
    bays: int
    custom: Custom
    north_m: float
    east_m: float


def _streets(**roads: str) -> tuple[Street, ...]:
    """Streets in turns of their uses, so that even a small town has some of each."""
    lists = {road: [name.strip() for name in names.split(",")] for road, names in roads.items()}
    longest = max(map(len, lists.values()))
    turns = [(road, names[n]) for n in range(longest) for road, names in lists.items() if n < len(names)]
    return tuple(Street(name, road) for road, name in turns)  # type: ignore[arg-type]


DISTRICTS = (
    District(
        "altstadt",
        "Altstadt",
        0,
        0,
        _streets(
            main="Hauptstraße",
            collector="Kirchstraße, Johannisstraße",
            residential="Schmiedegasse, Burgstraße",
            path="Am Stadtgraben",
        ),
    ),
    District(
        "bahnhof",
        "Bahnhofsviertel",
        -520,
        610,
        _streets(
            main="Bahnhofstraße, Bergerstraße",
            collector="Poststraße",
            residential="Lokomotivweg, Güterstraße",
            path="Stellwerkpfad",
        ),
    ),
    District(
        "ruhraue",
        "Ruhraue",
        -1_150,
        -260,
        _streets(
            main="Ruhrstraße",
            collector="Uferstraße",
            residential="Am Mühlengraben, Fährweg, Nachtigallstraße",
            path="Leinpfad",
        ),
    ),
    District(
        "bommerfeld",
        "Bommerfeld",
        -760,
        -1_240,
        _streets(
            main="Bochumer Straße",
            collector="Elberfelder Straße",
            residential="Zechenweg, Steigerstraße, Flözstraße",
            path="Muttentaler Pfad",
        ),
    ),
    District(
        "ardeyhoehe",
        "Ardeyhöhe",
        1_080,
        480,
        _streets(
            main="Ardeystraße",
            collector="Husemannstraße",
            residential="Goethestraße, Lindenallee, Am Steinbruch",
            path="Höhenweg",
        ),
    ),
    District(
        "gewerbering",
        "Gewerbegebiet Ost",
        240,
        1_490,
        _streets(
            main="Wittener Straße, Dortmunder Straße",
            collector="Gewerbering, Industriestraße",
            residential="Hammerweg",
            path="Werkspfad",
        ),
    ),
)

_CAR_PARKS = (
    CarPark("p-markt", "Parkplatz Marktplatz", 26, "shops", 60, -40),
    CarPark("p-bahnhof", "P+R Bahnhof", 34, "commuters", -560, 650),
    CarPark("p-rathaus", "Parkplatz Rathaus", 18, "shops", 140, 120),
    CarPark("p-ruhrufer", "Wanderparkplatz Ruhrufer", 14, "shops", -1_210, -310),
    CarPark("p-klinik", "Parkplatz Marienhospital", 40, "shops", 430, -380),
    CarPark("p-goethe", "Quartiersparkplatz Goethestraße", 22, "residents", 1_050, 560),
    CarPark("p-stadthalle", "Parkplatz Stadthalle", 36, "shops", -180, -210),
    CarPark("p-gymnasium", "Parkplatz Gymnasium", 28, "commuters", 640, 210),
    CarPark("p-zeche", "Parkplatz Zeche Nachtigall", 24, "shops", -1_020, -930),
    CarPark("p-pendler-ost", "Pendlerparkplatz Gewerbering", 44, "commuters", 260, 1_430),
)


@lru_cache(maxsize=1024)
def car_park(number: int) -> CarPark:
    """The town's car parks without end: ten with names of their own, then one in each street, then a second …"""
    if number < len(_CAR_PARKS):
        return _CAR_PARKS[number]
    turn, place = divmod(number - len(_CAR_PARKS), 36)
    district = DISTRICTS[place % 6]
    street = district.streets[place // 6]
    suffix = "" if turn == 0 else f" {turn + 1}"
    custom: Custom = "residents" if street.road in ("residential", "path") else "shops"
    zone = f"p-{slug(street.name)}{suffix.replace(' ', '-')}"
    spread_m = 90.0 * (place // 6 - 2.5) + 35.0 * turn
    bays = 18 + 7 * (place % 5)
    name = f"Parkplatz {street.name}{suffix}"
    return CarPark(zone, name, bays, custom, district.north_m + spread_m, district.east_m - spread_m)


_PLAIN = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}


def slug(name: str) -> str:
    """A German name in the letters that identifiers may hold."""
    plain = name.lower().translate(_PLAIN)
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in plain).strip("-")


assert all(len(district.streets) == 6 for district in DISTRICTS), "car parks are found by district and street"
