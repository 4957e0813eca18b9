"""The figures by which rules decide, as plain data that rules, dashboards and the API all read.

Defaults are those of DOMAIN practice for a German town; all times are seconds, all heights metres above the invert.
A new figure is one line here: the rule file reads, checks and documents it by what `figure` says of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry.figures import Form, figure, required

DAY_S = 86_400

Overrides = Mapping[str, Mapping[str, float | str]]
"""Figures that hold for one zone or one asset only, by section and name: `{"drainage": {"deadband_m": 0.1}}`."""


@dataclass(frozen=True, slots=True)
class Drainage:
    """When a drain's level becomes an alarm; crown and ground are registered per asset.

    The raise delay at the crown is a little more than the usual report interval, so that one wrong reading is no alarm.
    """

    deadband_m: float = figure(0.05, "A stage clears so far below the level that raises it", low=0.005, high=1)
    high_raise_delay_s: int = figure(360, "At or above the crown for so long: drain_high", low=0, high=DAY_S)
    high_clear_delay_s: int = figure(1_800, "Below it for so long: over", low=0, high=7 * DAY_S)
    overflow_raise_delay_s: int = figure(0, "At or above the ground for so long: drain_overflow", low=0, high=3_600)
    overflow_clear_delay_s: int = figure(1_800, "Below it for so long: over", low=0, high=7 * DAY_S)
    pre_alarm_below_crown_m: float = figure(0.2, "The pre-alarm begins so far below the crown", low=0, high=10)
    pre_alarm_clear_delay_s: int = figure(1_800, "Below it for so long: normal", low=0, high=7 * DAY_S)
    fast_report_every_s: int = figure(60, "Above the pre-alarm a sensor reports so often", low=10, high=3_600)
    slope_window_s: int = figure(600, "The rate of rise is that of the last", low=60, high=DAY_S)
    outlook_s_max: int = figure(10_800, "An overflow further ahead is not foretold", low=600, high=DAY_S)
    rising_fast_within_s: int = figure(
        1_800, "At this rate the ground is reached within so long: drain_rising_fast", low=60, high=DAY_S
    )
    rising_clear_delay_s: int = figure(900, "Not within twice as long any more for so long: over", low=0, high=DAY_S)
    rain_wet_mm_h: float = figure(0.1, "It rains from this intensity on", low=0.01, high=10, at_most="rain_heavy_mm_h")
    rain_heavy_mm_h: float = figure(2.0, "From this intensity on every drain must feel the rain", low=0.1, high=100)
    blockage_dry_s: int = figure(21_600, "A blockage is looked for when known dry for", low=3_600, high=7 * DAY_S)
    blockage_raise_delay_s: int = figure(14_400, "Above its usual for so long: drain_blockage", low=600, high=7 * DAY_S)
    blockage_clear_delay_s: int = figure(3_600, "Back at its usual for so long: over", low=0, high=7 * DAY_S)
    blockage_learn_days: int = figure(14, "So many dry days teach what is usual", low=1, high=365)
    spill_edge_m: float = figure(0.0, "Length of the edge that water spills over; 0: not known", low=0, high=1_000)


@dataclass(frozen=True, slots=True)
class Sensors:
    """When a sensor is not believed: what no water does, and batteries."""

    below_invert_m_max: float = figure(0.1, "A level further below the invert is a lost echo", low=0.01, high=1)
    above_ground_m_max: float = figure(3.0, "A level further above the ground is no level", low=0.1, high=30)
    step_m_max: float = figure(3.0, "Water may jump by so much at once", low=0.05, high=30)
    step_m_per_min_max: float = figure(0.4, "And by so much a minute beside", low=0.01, high=30)
    flat_line_s: int = figure(86_400, "The same level to the millimetre for so long is a fault", low=3_600)
    flat_line_above_m: float = figure(0.1, "If it is so high; below, a pipe may be dry", low=0, high=30)
    flat_in_rain_s: int = figure(10_800, "For so long with heavy rain an hour ago: a fault too", low=3_600)
    battery_low_pct: float = figure(20.0, "At or below it for its delay: battery_low", low=0, high=100)
    battery_deadband_pct: float = figure(5.0, "It clears so far above", low=0.5, high=50)
    battery_raise_delay_s: int = figure(3_600, "Low for so long", low=0, high=7 * DAY_S)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When parking zones are open; at other times their bays count as closed. A zone that none names is always open."""

    zones: tuple[str, ...] = required("The parking zones", form=Form.ZONE)
    days: tuple[str, ...] = required("On these days; a calendar goes before a weekday", form=Form.DAY)
    start: str = figure("00:00", "They open", form=Form.TIME, key="from")
    end: str = figure("24:00", "They close; not after the beginning means on the next day", form=Form.TIME, key="to")
    closed: bool = figure(False, "They stay closed on these days")


@dataclass(frozen=True, slots=True)
class Closure:
    """Parking zones that are closed for an occasion, such as a market."""

    name: str = required("What for, as people read it")
    zones: tuple[str, ...] = required("The parking zones", form=Form.ZONE)
    days: tuple[str, ...] = required("On these days", form=Form.DAY)
    start: str = figure("00:00", "Closed from", form=Form.TIME, key="from")
    end: str = figure("24:00", "Open again; not after the beginning means on the next day", form=Form.TIME, key="to")


@dataclass(frozen=True, slots=True)
class Parking:
    """What is published of a bay: a change counts once it has lasted its dwell time.

    A zone is filling or emptying if within the window at least `trend_bays_min` bays, and `trend_pct` of its capacity,
    were taken or left on balance.
    """

    dwell_in_s: int = figure(30, "A bay is shown occupied after so long", low=0, high=3_600, own=False)
    dwell_out_s: int = figure(60, "A bay is shown free after so long", low=0, high=3_600, own=False)
    ttl_s: int = figure(60, "A zone's word is repeated twice within so long", low=10, high=3_600, own=False)
    trend_window_s: int = figure(900, "The trend looks back so far", low=60, high=DAY_S, own=False)
    trend_bays_min: int = figure(2, "So many bays on balance are a trend", low=1, high=1_000, own=False)
    trend_pct: float = figure(2.0, "And so much of the capacity", low=0, high=100, own=False)
    almost_full_pct: float = figure(90.0, "A zone with so many of its known bays taken is almost full", low=1, high=100)
    almost_full_clear_pct: float = figure(85.0, "Not any more below this", low=0, high=100, below="almost_full_pct")
    full_pct: float = figure(99.0, "A zone with so many of its known bays taken is full", low=1, high=100)
    full_clear_pct: float = figure(97.0, "Not any more below this", low=0, high=100, below="full_pct")
    stuck_changes: int = figure(
        20, "A bay that has not changed while its zone's median bay did so often", low=2, high=1_000
    )
    stuck_after_s: int = figure(2 * DAY_S, "And for so long is stuck", low=3_600, high=60 * DAY_S)
    stuck_bays_min: int = figure(4, "In a zone of at least so many bays that are heard", low=3, high=1_000)
    hours: tuple[OpeningHours, ...] = figure((), "Opening hours")
    closures: tuple[Closure, ...] = figure((), "Market days and other regular closures")


@dataclass(frozen=True, slots=True)
class DimmingStep:
    """From `start` to `end` (across midnight too) the lamp gives `level_pct`.

    A night runs noon to noon: `days` and `months` are those of its evening. No days or months: all of them.
    """

    start: str = required("From this time on", form=Form.TIME, key="from")
    end: str = required("Up to this time", form=Form.TIME, key="to")
    level_pct: float = required("The light output", low=0, high=100)
    days: tuple[str, ...] = figure((), "Only in nights that begin on these days", form=Form.DAY)
    months: tuple[int, ...] = figure((), "Only in these months", low=1, high=12)


PROFILE = (DimmingStep("00:00", "04:00", 30.0), DimmingStep("22:00", "05:00", 50.0))
"""The usual profile of a German town."""


@dataclass(frozen=True, slots=True)
class DimmingProgram:
    """The first step that matches decides, else `night_level_pct` between dusk and dawn, `day_level_pct` otherwise."""

    name: str = required("What zones and assets call it by", form=Form.NAME)
    steps: tuple[DimmingStep, ...] = figure((), "In order: the first that matches decides")
    night_level_pct: float = figure(100.0, "Where no step matches, between dusk and dawn", low=0, high=100)
    day_level_pct: float = figure(0.0, "By day", low=0, high=100)


@dataclass(frozen=True, slots=True)
class Lighting:
    """What lamps give: programs by name, of which `program` holds where a zone or an asset has none of its own."""

    program: str = figure("standard", "The program of lamps that have none of their own", form=Form.PROGRAM, own=True)
    programs: tuple[DimmingProgram, ...] = figure((DimmingProgram("standard", PROFILE),), "The programs")
    class_min_pct: Mapping[str, float] = figure(
        {}, "Higher floors of lighting classes than the usual ones", low=0, high=100, form=Form.LIGHTING_CLASS
    )
    sun_below_horizon_deg: float = figure(
        6.0,
        "Dusk and dawn: the sun so far below the horizon; 6: civil twilight, 0.833: sunset",
        low=0,
        high=12,
        own=False,
    )
    dusk_offset_s: int = figure(0, "Lamps go on so long after dusk", low=-7_200, high=7_200, own=False)
    dawn_offset_s: int = figure(0, "Lamps go off so long after dawn", low=-7_200, high=7_200, own=False)
    photocell: str = figure(
        "", "The asset whose lux may switch near dusk and dawn; empty: the sun alone", form=Form.ASSET, own=True
    )
    photocell_window_s: int = figure(1_800, "Only so long before and after dusk and dawn", low=0, high=7_200, own=False)
    photocell_on_lx: float = figure(35.0, "On at so little light in the evening", low=1, high=200)
    photocell_off_lx: float = figure(25.0, "Off at so much light in the morning", low=1, high=200)
    photocell_delay_s: int = figure(60, "Once it has been so dark, or so light, for so long", low=0, high=3_600)
    boost_pct: float = figure(
        0.0, "What a directly connected lamp gives on movement at night; 0: none", low=0, high=100
    )
    boost_hold_s: int = figure(60, "For so long after the last movement", low=5, high=3_600)
    boost_ramp_up_s: int = figure(0, "It comes up within so long", low=0, high=60)
    boost_ramp_down_s: int = figure(20, "And goes down within so long", low=0, high=600)
    boost_radius_m: float = figure(
        60.0, "Neighbours of the same zone or cabinet within so far go with it", low=0, high=500
    )
    boost_neighbours: int = figure(2, "The nearest so many of them", low=0, high=20)
    lease_s: int = figure(3_600, "A command holds for so long; half-way it is renewed", low=120, high=DAY_S, own=False)


@dataclass(frozen=True, slots=True)
class LampFaults:
    """When what a lamp reports becomes an alarm; `lamp_not_following` has its figures from the contract."""

    dead_power_w: float = figure(2.5, "A lamp that is to burn and draws no more is dead: lamp_fault", low=0, high=50)
    dead_reports: int = figure(3, "In so many reports in a row; the controller's own lamp_fault too", low=1, high=100)
    alive_reports: int = figure(2, "Over after so many reports in a row that show it burning", low=1, high=100)
    on_by_day_pct: float = figure(5.0, "More light by day is lamp_unexpectedly_on", low=0, high=100)
    on_by_day_delay_s: int = figure(1_800, "For so long", low=0, high=DAY_S)
    off_by_day_delay_s: int = figure(
        300, "Over once it has been off, or was told to burn, for so long", low=0, high=DAY_S
    )
    cycling_switches: int = figure(
        6, "More changes between on and off that nobody ordered: lamp_cycling", low=2, high=100
    )
    cycling_window_s: int = figure(3_600, "Within so long", low=60, high=DAY_S)
    cycling_clear_s: int = figure(3_600, "Over after so long without one", low=60, high=DAY_S)
    supply_low_v: float = figure(180.0, "Less voltage is supply_loss", low=10, high=480)
    supply_deadband_v: float = figure(10.0, "Over at so much more", low=0, high=100)
    supply_raise_delay_s: int = figure(60, "For so long", low=0, high=DAY_S)
    supply_clear_delay_s: int = figure(300, "Over once it has been back for so long", low=0, high=DAY_S)


@dataclass(frozen=True, slots=True)
class Commanding:
    """How commands go out: so many a second that a radio network is not flooded, and again where nobody answers."""

    zone_commands_per_s: float = figure(
        20.0, "Commands a second to the lamps of a zone", low=0.01, high=10_000, at_most="commands_per_s"
    )
    commands_per_s: float = figure(200.0, "Commands a second to all lamps", low=0.01, high=100_000, own=False)
    sends_max: int = figure(5, "A command goes out so often at most", low=1, high=20, own=False)
    retry_first_s: int = figure(
        30,
        "Again after so long without an answer, each time twice as long",
        low=1,
        high=3_600,
        own=False,
        at_most="retry_most_s",
    )
    retry_most_s: int = figure(900, "But not longer than this", low=1, high=DAY_S, own=False)


@dataclass(frozen=True, slots=True)
class Folding:
    """When many silent or powerless assets of one cabinet, or behind one gateway, are one incident."""

    least: int = figure(3, "At least so many of them", low=2, high=10_000, own=False)
    raise_pct: float = figure(60.0, "And this share of those that were heard", low=1, high=100, own=False)
    clear_pct: float = figure(30.0, "Over below this share", low=0, high=100, own=False, below="raise_pct")


@dataclass(frozen=True, slots=True)
class Presence:
    """When a device counts as silent: after this many missed report intervals.

    `lamps_silent_by_day`: street lights hang on circuits that are switched off by day, so their silence counts only
    between dusk and dawn.
    """

    missed_intervals: int = figure(3, "Silent after so many missed reports", low=1, high=100, own=False)
    lamps_silent_by_day: bool = figure(True, "The silence of lamps counts only between dusk and dawn")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days that steps, hours and closures can name."""

    days: tuple[str, ...] = required("The dates", form=Form.DATE)


HOLIDAYS = Calendar(
    ("01-01", "easter-2", "easter+1", "05-01", "easter+39", "easter+50", "10-03", "12-25", "12-26"),
)
"""The holidays of all German states."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Where notifications can go: an apprise URL, read from a file or a variable, since it holds a secret."""

    url_file: str = figure("", "The file whose first line is the URL")
    url_env: str = figure("", "The environment variable that holds the URL")
    days: tuple[str, ...] = figure((), "Only on these days; none: all", form=Form.DAY)
    start: str = figure("00:00", "Only from this time on", form=Form.TIME, key="from")
    end: str = figure("24:00", "Up to this time", form=Form.TIME, key="to")


@dataclass(frozen=True, slots=True)
class Route:
    """Which alarms go to which sinks. What a list leaves out does not matter: no types means all types."""

    to: tuple[str, ...] = required("The sinks", form=Form.SINK)
    types: tuple[str, ...] = figure((), "Only alarms of these types", form=Form.ALARM)
    severities: tuple[str, ...] = figure((), "Only alarms of these severities", form=Form.SEVERITY)
    zones: tuple[str, ...] = figure((), "Only alarms about assets of these zones, or the zones", form=Form.ZONE)
    renotify_every_s: int = figure(0, "Said again so often while unacknowledged; 0: never", low=0, high=7 * DAY_S)
    escalate_after_s: int = figure(0, "Unacknowledged for so long it escalates; 0: never", low=0, high=7 * DAY_S)
    escalate_to: tuple[str, ...] = figure((), "Where it escalates to", form=Form.SINK)


@dataclass(frozen=True, slots=True)
class Notifications:
    """Who hears of which alarms; MQTT hears of all."""

    sinks: Mapping[str, Sink] = figure({}, "Where notifications can go, by name")
    routes: tuple[Route, ...] = figure((), "Every route that matches counts")
    flood_messages: int = figure(20, "More than so many messages to a sink are a flood", low=1, high=1_000, own=False)
    flood_window_s: int = figure(
        600, "Within so long; what is not critical then comes together as one message", low=60, high=DAY_S, own=False
    )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All of them; `version` names the rule version that stands behind them.

    `zones` and `assets` hold figures of their own, by name of the zone or asset; an asset's goes before its zone's.
    """

    version: str = figure("default", "What its versions are called; a digest of the content follows", form=Form.NAME)
    drainage: Drainage = field(default_factory=Drainage)
    sensors: Sensors = field(default_factory=Sensors)
    parking: Parking = field(default_factory=Parking)
    lighting: Lighting = field(default_factory=Lighting)
    lamp_faults: LampFaults = field(default_factory=LampFaults)
    presence: Presence = field(default_factory=Presence)
    folding: Folding = field(default_factory=Folding)
    commanding: Commanding = field(default_factory=Commanding)
    calendars: Mapping[str, Calendar] = figure({"holiday": HOLIDAYS}, "Days by the name of their calendar")
    notifications: Notifications = field(default_factory=Notifications)
    zones: Mapping[str, Overrides] = field(default_factory=dict)
    assets: Mapping[str, Overrides] = field(default_factory=dict)

    def figure(self, section: str, name: str, asset: str, zone: str | None) -> float:
        """One figure of a section as it holds for an asset."""
        return float(self._held(section, name, asset, zone))

    def program(self, asset: str, zone: str | None) -> DimmingProgram:
        """The dimming program of a lamp.

        Raises:
            KeyError: no program has the name; a rule file that says so is refused.
        """
        wanted = self._held("lighting", "program", asset, zone)
        for each in self.lighting.programs:
            if each.name == wanted:
                return each
        raise KeyError(wanted)

    def photocell(self, asset: str, zone: str | None) -> str:
        """The asset whose light decides near dusk and dawn over a lamp, empty for none."""
        return str(self._held("lighting", "photocell", asset, zone))

    def _held(self, section: str, name: str, asset: str, zone: str | None) -> float | str:
        for own in (self.assets.get(asset, {}), self.zones.get(zone or "", {})):
            if name in own.get(section, {}):
                return own[section][name]
        held: float | str = getattr(getattr(self, section), name)
        return held
