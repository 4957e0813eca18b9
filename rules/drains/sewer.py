"""What is registered of the drains, compiled: heights, figures, neighbours, and whose rain gauge is whose."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from rules.memory import Reals, Rows, Times
from rules.overflow import Stage, stages
from telemetry.clock import SECOND_US
from telemetry.registry import Asset

DRAINAGE, SENSORS = "drainage", "sensors"


@dataclass(frozen=True)
class Sewer:
    """The drains in the order of their roll; every array is `(n,)`, and a row of −1 stands for none.

    `figures` gives a figure of a section for each drain.
    """

    assets: tuple[Asset, ...]
    figures: Callable[[str, str], Reals]
    _spans: dict[tuple[str, str], Times] = field(init=False, repr=False, compare=False, default_factory=dict)

    def figure(self, name: str, section: str = DRAINAGE) -> Reals:
        """A figure in its own unit."""
        return self.figures(section, name)

    def span_us(self, name: str, section: str = DRAINAGE) -> Times:
        """A figure in seconds, as microseconds."""
        key = (section, name)
        if key not in self._spans:
            self._spans[key] = np.rint(self.figures(section, name) * SECOND_US).astype(np.int64)
        return self._spans[key]

    def height(self, name: str) -> Reals:
        """A registered height, m above the invert; NaN where there is none."""
        values = [getattr(asset.attributes, name, None) for asset in self.assets]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    @cached_property
    def interval_us(self) -> Times:
        """How often each is registered to report."""
        return np.array([asset.report_every_s for asset in self.assets], np.int64) * SECOND_US

    @cached_property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        """Pre-alarm, Einstau and Überstau."""
        return stages(self)

    @cached_property
    def crown_m(self) -> Reals:
        """The crown of the pipe."""
        return self.height("crown_m")

    @cached_property
    def ground_m(self) -> Reals:
        """The ground."""
        return self.height("ground_m")

    @cached_property
    def blind_from_m(self) -> Reals:
        """From this level on the water is too near to the sensor to be measured."""
        return self.height("sensor_height_m") - np.nan_to_num(self.height("blind_zone_m"))

    @cached_property
    def lowest_m(self) -> Reals:
        """No water is lower."""
        return -self.figure("below_invert_m_max", SENSORS)

    @cached_property
    def highest_m(self) -> Reals:
        """No water is higher; infinite where no ground is registered."""
        above = self.ground_m + self.figure("above_ground_m_max", SENSORS)
        return np.where(np.isnan(above), np.inf, np.fmax(above, self.height("sensor_height_m")))

    @cached_property
    def gauge(self) -> Rows:
        """The rain gauge that is registered for each."""
        return self._named("rain_from")

    @cached_property
    def upstream(self) -> Rows:
        """The drain from which water comes to each."""
        return self._named("upstream")

    @cached_property
    def downstream(self) -> Rows:
        """The drain to which each one's water goes; the first by id where several name it as theirs."""
        below = np.full(len(self.assets), -1, np.intp)
        for row in np.flatnonzero(self.upstream >= 0)[::-1].tolist():
            below[self.upstream[row]] = row
        return below

    @cached_property
    def zone(self) -> Rows:
        """The number of each one's zone."""
        numbers = {name: number for number, name in enumerate(self.zones)}
        return np.array([numbers.get(asset.zone or "", -1) for asset in self.assets], np.intp)

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """The zones that have drains."""
        return tuple(sorted({asset.zone for asset in self.assets if asset.zone}))

    def _named(self, attribute: str) -> Rows:
        places = {asset.asset: row for row, asset in enumerate(self.assets)}
        names = [getattr(asset.attributes, attribute, None) or "" for asset in self.assets]
        return np.array([places.get(name, -1) for name in names], np.intp)
