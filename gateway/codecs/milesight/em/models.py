"""Milesight EM models: which channels each has.

Sources: Milesight, user guides of EM300 series, EM400-UDL and EM500-UDL, and the published payload tables of each
model. The bytes around the values are in `items.py`. Channel and type in hexadecimal:

    all          01 75 battery, %
    EM310-UDL    03 82 distance, mm                       04 00 tilted
    EM400-UDL    03 67 temperature, 0.1 °C                04 82 distance, mm         05 00 tilted
                 83 67, 84 82 the same with an alarm      06 88 position (NB-IoT)
    EM500-UDL    03 82 distance, mm                       83 e9 alarm (below)        20 ce history
    EM500-SWL    03 77 depth, cm                          20 ce history              ff 1b measuring range
    EM500-PP     03 7b pressure, kPa                      20 ce history
    EM500-LGT    03 94 illuminance, lx (4 bytes)          20 ce history
    EM300        03 67 temperature, 0.1 °C                04 68 humidity, 0.5 %      20 ce history
                 -SLD, -ZLD 05 00 leak                    -MLD 05 00 or 06 00 leak   -MCS 06 00 magnet away
    EM320-TILT   03 d4 angles x, y, z, 0.01°, each in bits 15 to 1; bit 0 beyond its threshold

Words 0xFFFD (no target), 0xFFFE (off) and 0xFFFF (fault) are no measured values, nor is a distance of 0, which is
within the blind zone. The unit of the alarm 83 e9 of an EM500-UDL is not the one of its distance in the maker's own
decoder (tenths) and not said in the guide: it is kept in raw numbers and no distance taken from it.
"""

from functools import partial

from gateway.codecs.codec import Codec
from gateway.codecs.milesight.em.alarms import (
    EM300,
    EM310_UDL,
    EM320_TILT,
    EM400_UDL,
    EM500_LGT,
    EM500_PP,
    EM500_SWL,
    EM500_UDL,
)
from gateway.codecs.milesight.em.items import (
    BATTERY,
    Item,
    Table,
    Values,
    decode,
    flag,
    history,
    measured,
    number,
    unread,
    with_alarm,
)
from gateway.codecs.milesight.em.settings import COMMON, Setting, decode_downlink, encode
from gateway.codecs.wire import Cursor

HISTORY = (0x20, 0xCE)
TEMPERATURE = measured("temp_c", 10, signed=True)
DISTANCE = measured("distance_m", 1_000, positive=True)
HUMIDITY = number("humidity_pct", 1, 2)
CLIMATE: Table = {(0x03, 0x67): TEMPERATURE, (0x04, 0x68): HUMIDITY}
TILTED, LEAK, MAGNET = flag("tilted"), flag("leak"), flag("magnet_away")
PRESSURE = number("pressure_kpa", 2, signed=True)
ILLUMINANCE = number("lux", 4)
DEPTH = measured("level_m", 100)


def _angles(cursor: Cursor) -> Values:
    said: Values = {}
    for axis in "xyz":
        word = cursor.signed(2, little=True)
        said |= {f"angle_{axis}_deg": (word >> 1) / 100, f"threshold_{axis}_reached": bool(word & 1)}
    return said


def _shift(cursor: Cursor) -> Values:
    distance, shift = cursor.unsigned(2, little=True), cursor.unsigned(2, little=True)
    return {"alarm_distance_raw": distance, "alarm_shift_raw": shift, "alarm_code": cursor.unsigned()}


def _codec(
    models: tuple[str, ...],
    words: str,
    fields: tuple[str, ...],
    table: Table,
    *,
    kind: str | None = None,
    settings: dict[int, Setting] | None = None,
) -> Codec:
    known = COMMON | (settings or {})
    return Codec(
        models=tuple(f"milesight/{model}" for model in models),
        kind=kind,
        words=f"Milesight {words}",
        fields=fields,
        decode=partial(decode, table={**BATTERY, **table}, settings=known, fields=fields),
        encode=partial(encode, settings=known),
        decode_downlink=partial(decode_downlink, settings=known),
        downlinks=("report_every_s", *(name for setting in known.values() for name in setting.names)),
    )


BATTERY_ALONE, AIR = ("battery_pct",), ("temp_c", "battery_pct")
CODECS = (
    _codec(
        ("em310-udl",),
        "EM310-UDL ultrasonic distance",
        ("distance_m", "battery_pct"),
        {(0x03, 0x82): DISTANCE, (0x04, 0x00): TILTED},
        kind="drain_level",
        settings=EM310_UDL,
    ),
    _codec(
        ("em400-udl",),
        "EM400-UDL ultrasonic distance",
        ("distance_m", "temp_c", "battery_pct"),
        {
            (0x03, 0x67): TEMPERATURE,
            (0x04, 0x82): DISTANCE,
            (0x05, 0x00): TILTED,
            (0x06, 0x88): unread("position_hex", 9),
            (0x83, 0x67): with_alarm(TEMPERATURE, "temperature_alarm"),
            (0x84, 0x82): with_alarm(DISTANCE, "distance_alarm"),
        },
        kind="drain_level",
        settings=EM400_UDL,
    ),
    _codec(
        ("em500-udl",),
        "EM500-UDL ultrasonic distance",
        ("distance_m", "battery_pct"),
        {(0x03, 0x82): DISTANCE, (0x83, 0xE9): Item(5, _shift), HISTORY: history(DISTANCE)},
        kind="drain_level",
        settings=EM500_UDL,
    ),
    _codec(
        ("em500-swl",),
        "EM500-SWL submersible level",
        ("level_m", "battery_pct"),
        {(0x03, 0x77): DEPTH, (0xFF, 0x1B): unread("measuring_range_hex", 5), HISTORY: history(DEPTH)},
        kind="drain_level",
        settings=EM500_SWL,
    ),
    _codec(
        ("em500-pp",),
        "EM500-PP pipe pressure",
        BATTERY_ALONE,
        {(0x03, 0x7B): PRESSURE, HISTORY: history(PRESSURE)},
        settings=EM500_PP,
    ),
    _codec(
        ("em500-lgt",),
        "EM500-LGT illuminance",
        ("lux", "battery_pct"),
        {(0x03, 0x94): ILLUMINANCE, HISTORY: history(ILLUMINANCE)},
        settings=EM500_LGT,
    ),
    _codec(
        ("em300-th",),
        "EM300-TH temperature and humidity",
        AIR,
        {**CLIMATE, HISTORY: history(TEMPERATURE, HUMIDITY)},
        settings=EM300,
    ),
    _codec(
        ("em300-sld", "em300-zld", "em300-sld-zld"),
        "EM300-SLD, EM300-ZLD water leak",
        AIR,
        {**CLIMATE, (0x05, 0x00): LEAK, HISTORY: history(TEMPERATURE, HUMIDITY, LEAK)},
        settings=EM300,
    ),
    _codec(
        ("em300-mld",),
        "EM300-MLD water leak",
        BATTERY_ALONE,
        {(0x05, 0x00): LEAK, (0x06, 0x00): LEAK, HISTORY: history(LEAK, spare=3)},
        settings=EM300,
    ),
    _codec(
        ("em300-mcs",),
        "EM300-MCS magnet switch",
        AIR,
        {**CLIMATE, (0x06, 0x00): MAGNET, HISTORY: history(TEMPERATURE, HUMIDITY, MAGNET)},
        settings=EM300,
    ),
    _codec(("em320-tilt",), "EM320-TILT tilt", BATTERY_ALONE, {(0x03, 0xD4): Item(6, _angles)}, settings=EM320_TILT),
)
