"""Decentlab DL devices: for each model what its words mean.

Sources: Decentlab GmbH, the published payload decoder of each model. The bytes around the words are in
`words.py`, the commands in `downlinks.py`. In a column, w is the word, w0 that of a device's zero:

    DL-MBX           w distance in mm, w valid samples                                     ultrasonic, water below
    DL-LID, DL-LID2  w distance in mm: mean, least, greatest, median, percentiles 10, 25, 75, 90, most frequent;
                     w samples; w/1.024 ms; DL-LID2 also w samples altogether              laser, water below
    DL-RAD           w distance in mm, (w-32768)/100 °C, (w-32768)/100 dB, w status        radar, water below
    DL-CTD10(B)      (w-32768) mm of water, (w-32768)/10 °C, w µS/cm (B: 2 w), w frozen    submersed
    DL-PR21, DL-PR26 (w-16384)/32768 of the range above its least pressure; (w-384)/320 - 50 °C
    DL-PR36          (w-32768)/8192 bar, (w-32768)/256 °C; CTD also (w-32768)/256 °C and (w-32768)/1024 mS/cm
    DL-TBRG          w tips of 0.1 mm within w s, two words of tips since ever (lower first)
    DL-NTU           w status, (w-32768)/100 °C, w/10 NTU, w/10 FNU, w/10 mg/l
    DL-ATM22, -ATM41 weather stations; words with 32768 as zero
    DL-LWS           two words of a ratio, wetness; DL-WRM: an SHT35 (°C = 175 w/65535 - 45, % = 100 w/65535), then
                     surface and head temperature (w-1000)/10 °C

A pressure range and the factor of a PR36 are an order's options: these models are those with 0 to 1 bar (DL-PR26),
-1 to 10 bar (DL-PR21) and kp = 8192 (DL-PR36). The depth of water over a gauge-pressure sensor is `level_m`, of fresh
water. Rain over the interval that a DL-TBRG says is `rain_mm_h`; a weather station does not say its interval, so its
rain is in the extra values in mm. Distances are the device's mean; a distance without a valid sample is no reading.
"""

from collections.abc import Iterable
from functools import partial

from gateway.codecs.codec import Codec
from gateway.codecs.decentlab.dl.downlinks import NAMES, decode_downlink, encode
from gateway.codecs.decentlab.dl.words import BAR_PER_METRE, BATTERY, Block, Field, Words, decode, raw, wide, word

ZERO = 32_768


def _centred(*columns: tuple[str, float], first: int = 0) -> tuple[Field, ...]:
    """Words in sequence whose zero is 32768: name and divisor."""
    return tuple(word(name, first + at, per=per, zero=ZERO) for at, (name, per) in enumerate(columns))


def _distances(*more: Field) -> tuple[Field, ...]:
    names = (
        *("minimum", "maximum", "median", "10th_percentile", "25th_percentile", "75th_percentile", "90th_percentile"),
        "most_frequent_value",
    )
    return (
        word("distance_m", 0, per=1_000, needs=9),
        *(word(f"distance_{name}_mm", at, needs=9) for at, name in enumerate(names, 1)),
        raw("number_of_samples", 9),
        word("total_acquisition_time_ms", 10, per=1.024),
        *more,
    )


def _pressure(bar: Field) -> tuple[Field, Field]:
    """A gauge pressure, and the height of the water that it is."""
    return bar, Field("level_m", lambda words: bar.of(words) / BAR_PER_METRE, bar.marks)


def _span(low: float, high: float) -> Field:
    return Field("pressure_bar", lambda words: (words[0] - 16_384) / 32_768 * (high - low) + low, (0,))


def _depth(conductivity: float) -> Block:
    return Block(
        4,
        (
            word("level_m", 0, per=1_000, zero=ZERO),
            word("temp_c", 1, per=10, zero=ZERO),
            Field("electrical_conductivity_us_cm", lambda words: words[2] * conductivity, (2,)),
            raw("freezing_flag", 3),
        ),
    )


def _rate(words: Words) -> float:
    return words[0] / 10 / words[1] * 3_600


SHT35 = (
    Field("temp_c", lambda words: 175 * words[0] / 65_535 - 45, (0,)),
    Field("air_humidity_pct", lambda words: 100 * words[1] / 65_535, (0,)),
)
TEMPERATURE = Field("temp_c", lambda words: (words[1] - 384) / 320 - 50, (1,))
WIND = (("wind_speed_m_s", 100), ("wind_direction_deg", 10), ("maximum_wind_speed_m_s", 100), ("temp_c", 10))
TILT = (("x_orientation_angle_deg", 10), ("y_orientation_angle_deg", 10))
COMPONENTS = (("north_wind_speed_m_s", 100), ("east_wind_speed_m_s", 100))
AIR = (
    *(("vapor_pressure_kpa", 100), ("atmospheric_pressure_kpa", 100), ("relative_humidity_pct", 10)),
    ("sensor_temperature_internal_c", 10),
)
LIGHTNING = (("lightning_strike_count", 1), ("lightning_average_distance_km", 1))

MBX = Block(2, (word("distance_m", 0, per=1_000, needs=1), raw("number_of_valid_samples", 1)))
LID = Block(11, _distances())
LID2 = Block(12, _distances(raw("number_of_total_samples", 11)))
RAD = Block(
    4,
    (
        word("distance_m", 0, per=1_000),
        *_centred(("temp_c", 100), ("reliability_db", 100), first=1),
        raw("status", 3),
    ),
)
PR21 = Block(2, (*_pressure(_span(-1, 10)), TEMPERATURE))
PR26 = Block(2, (*_pressure(_span(0, 1)), TEMPERATURE))
PR36 = Block(2, (*_pressure(word("pressure_bar", 0, per=8_192, zero=ZERO)), word("temp_c", 1, per=256, zero=ZERO)))
PR36CTD = Block(
    4,
    (
        *_pressure(word("pressure_bar", 0, per=8_192, zero=ZERO)),
        *_centred(
            *(("electronics_temperature_c", 256), ("temp_c", 256), ("electrical_conductivity_ms_cm", 1_024)), first=1
        ),
    ),
)
TBRG = Block(
    4,
    (
        Field("rain_mm_h", _rate, (0, 1), needs=1),
        word("precipitation_mm", 0, per=10),
        word("precipitation_interval_s", 1),
        wide("cumulative_precipitation_mm", 2, per=10),
    ),
)
NTU = Block(
    5,
    (
        raw("status", 0),
        word("temp_c", 1, per=100, zero=ZERO),
        *(word(f"turbidity_{unit}", at, per=10) for at, unit in enumerate(("ntu", "fnu", "mg_l"), 2)),
    ),
)
ATM22 = Block(8, _centred(*WIND, *TILT, *COMPONENTS))
ATM41 = Block(
    17,
    _centred(
        *(("solar_radiation_w_m2", 1), ("precipitation_mm", 1_000), *LIGHTNING, *WIND, *AIR, *TILT),
        *(("compass_heading_deg", 1), *COMPONENTS),
    ),
)
ATM41G2 = Block(
    17,
    (
        word("solar_radiation_w_m2", 0, per=10, zero=ZERO),
        word("precipitation_mm", 1, per=1_000),
        *_centred(*LIGHTNING, *WIND, *AIR, *TILT, ("precipitation_conductivity_us_cm", 1), first=2),
        wide("cumulative_precipitation_mm", 15, per=1_000),
    ),
)
LWS = Block(2, (Field("leaf_wetness_index", lambda words: (words[0] + (words[1] << 16)) / 8_388_608 - 1),))
IRT = Block(
    2, (word("surface_temperature_c", 0, per=10, zero=1_000), word("head_temperature_c", 1, per=10, zero=1_000))
)


def _codec(model: str, words: str, fields: Iterable[str], *blocks: Block, kind: str | None = "drain_level") -> Codec:
    names = tuple(fields)
    name, blocks = model.upper(), (*blocks, BATTERY)
    return Codec(
        models=(f"decentlab/{model}",),
        kind=kind,
        words=f"Decentlab {name} {words}",
        fields=names,
        decode=partial(decode, model=name, blocks=blocks, fields=names),
        encode=encode,
        decode_downlink=decode_downlink,
        downlinks=NAMES,
    )


DISTANCE, DEPTH, TEMPERATURE_ALONE = ("distance_m",), ("level_m", "temp_c"), ("temp_c",)
CODECS = (
    _codec("dl-mbx", "ultrasonic distance", DISTANCE, MBX),
    _codec("dl-lid", "laser distance", DISTANCE, LID),
    _codec("dl-lid2", "laser distance", DISTANCE, LID2),
    _codec("dl-rad", "radar distance", ("distance_m", "temp_c"), RAD),
    _codec("dl-ctd10", "depth, temperature, conductivity", DEPTH, _depth(1)),
    _codec("dl-ctd10b", "depth, temperature, conductivity", DEPTH, _depth(2)),
    _codec("dl-pr21", "pressure, -1 to 10 bar", DEPTH, PR21),
    _codec("dl-pr26", "pressure, 0 to 1 bar", DEPTH, PR26),
    _codec("dl-pr36", "pressure, kp 8192", DEPTH, PR36),
    _codec("dl-pr36ctd", "pressure, temperature, conductivity, kp 8192", DEPTH, PR36CTD),
    _codec("dl-tbrg", "rain gauge, 0.1 mm", ("rain_mm_h",), TBRG),
    _codec("dl-ntu", "turbidity", TEMPERATURE_ALONE, NTU),
    _codec("dl-atm22", "wind", TEMPERATURE_ALONE, ATM22, kind=None),
    _codec("dl-atm41", "weather station", TEMPERATURE_ALONE, ATM41, kind=None),
    _codec("dl-atm41g2", "weather station", TEMPERATURE_ALONE, ATM41G2, kind=None),
    _codec("dl-lws", "leaf wetness", (), LWS, kind=None),
    _codec("dl-wrm", "winter road maintenance", TEMPERATURE_ALONE, Block(2, SHT35), IRT, kind=None),
)
