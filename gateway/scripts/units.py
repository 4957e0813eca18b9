"""Units that makers report in, and their conversion, exact up to the last rounding."""

from fractions import Fraction

_SCALES: dict[str, dict[str, str]] = {
    "m": {"mm": "1/1000", "cm": "1/100", "dm": "1/10", "km": "1000", "in": "0.0254", "ft": "0.3048"},
    "V": {"mV": "1/1000", "cV": "1/100", "dV": "1/10", "kV": "1000"},
    "A": {"mA": "1/1000", "µA": "1/1000000"},
    "W": {"mW": "1/1000", "kW": "1000", "dW": "1/10"},
    "kWh": {"Wh": "1/1000", "MWh": "1000", "J": "1/3600000", "kJ": "1/3600"},
    "Pa": {"hPa": "100", "mbar": "100", "kPa": "1000", "bar": "100000", "mmH2O": "9.80665", "mH2O": "9806.65"},
    "s": {"ms": "1/1000", "min": "60", "h": "3600", "d": "86400"},
    "%": {"fraction": "100", "‰": "1/10", "1/254": "50/127", "1/255": "20/51"},
    "l/s": {"l/min": "1/60", "l/h": "1/3600", "m³/h": "5/18", "m3/h": "5/18", "m³/s": "1000", "m3/s": "1000"},
    "mm/h": {"mm/min": "60", "in/h": "25.4"},
    "lx": {"lux": "1", "klx": "1000"},
    "Hz": {"mHz": "1/1000"},
    "°": {"deg": "1", "rad": "180/3.14159265358979"},
    "dBm": {},
    "dB": {},
    "1": {},
}
"""Other units by ours: how many of ours one is."""
_TEMPERATURES = {
    "°C": ("1", "0"),
    "C": ("1", "0"),
    "c°C": ("1/100", "0"),
    "d°C": ("1/10", "0"),
    "°F": ("5/9", "-160/9"),
    "F": ("5/9", "-160/9"),
    "K": ("1", "-273.15"),
}
SUFFIXES = {
    "m": "m", "mm": "mm", "cm": "cm", "km": "km", "v": "V", "mv": "mV", "a": "A", "ma": "mA", "w": "W", "kwh": "kWh",
    "wh": "Wh", "pa": "Pa", "hpa": "hPa", "kpa": "kPa", "bar": "bar", "s": "s", "ms": "ms", "min": "min", "h": "h",
    "pct": "%", "l_s": "l/s", "mm_h": "mm/h", "c": "°C", "lux": "lx", "lx": "lx", "hz": "Hz", "deg": "°", "dbm": "dBm",
    "db": "dB", "d": "d",
}  # fmt: skip
"""The unit that the end of a name stands for."""


def _ratio(text: str) -> Fraction:
    over, _, under = text.partition("/")
    return Fraction(over) / Fraction(under or "1")


def _table() -> dict[str, tuple[str, Fraction, Fraction]]:
    found = {base: (base, Fraction(1), Fraction(0)) for base in _SCALES}
    for base, others in _SCALES.items():
        found |= {unit: (base, _ratio(scale), Fraction(0)) for unit, scale in others.items()}
    return found | {unit: ("°C", _ratio(scale), _ratio(zero)) for unit, (scale, zero) in _TEMPERATURES.items()}


UNITS = _table()
"""Each unit: the one of ours that measures the same, its size in that one, and where its zero lies there."""


class Conversion:
    """From one unit to another that measures the same.

    Raises:
        ValueError: the source is not known, or measures something else; the message says which.
        KeyError: the target is not known.
    """

    def __init__(self, source: str, target: str) -> None:
        if source not in UNITS:
            alike = [unit for unit, (base, _, _) in UNITS.items() if base == UNITS[target][0]]
            raise ValueError(f"the unit {source!r} is not known; into {target} go {', '.join(alike)}")
        base, self._scale, self._zero = UNITS[source]
        target_base, scale, zero = UNITS[target]
        if base != target_base:
            raise ValueError(f"{source} cannot be converted to {target}")
        self._scale /= scale
        self._zero = (self._zero - zero) / scale
        self.is_plain = self._scale == 1 and self._zero == 0

    def __call__(self, value: float) -> float:
        """A finite value in the other unit."""
        return value if self.is_plain else float(Fraction(value) * self._scale + self._zero)


def unit_of(name: str) -> str | None:
    """The unit that a field's name ends with, such as V of `battery_v`; `None` where it ends with none."""
    words = name.split("_")[1:]
    return next((SUFFIXES[end] for end in ("_".join(words[-2:]), *words[-1:]) if end in SUFFIXES), None)
