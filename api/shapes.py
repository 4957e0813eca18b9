"""The shapes of contract §3 as models, by which answers are described; `bodies` has those of requests.

Answers are built from the database's rows and not validated again; tests hold them to these models.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339: in UTC where we say it; where we are told, with any offset, and `moments.moment` checks it."""


class Bays(BaseModel):
    """Counts of bays; capacity = free + occupied + unknown, and free_min ≤ free ≤ free_max; without the closed ones."""

    capacity: int
    free: int
    free_min: int
    free_max: int
    occupied: int
    unknown: int
    closed: int = 0


class Expectation(BaseModel):
    """Free bays expected in some minutes, within a range that holds 80 times of 100; while learning, the capacity."""

    minutes: int
    at: Moment
    free: int
    free_low: int
    free_high: int
    error: float = Field(description="Mean absolute error of the zone's forecasts so far ahead, in bays.")
    learning: bool = Field(False, description="The error is not known yet: the range is wide, the error the largest.")


class Forecast(BaseModel):
    """What is expected of one zone."""

    zone: str
    name: str
    updated_at: Moment
    ttl_s: int
    stale: bool
    range_pct: int
    forecast: list[Expectation]


class Zone(Bays):
    """A parking zone; capacity leaves out closed and reserved bays."""

    zone: str
    name: str
    lat: float | None
    lon: float | None
    restricted: dict[Literal["disabled", "charging"], Bays]
    trend: Literal["filling", "steady", "emptying"]
    verified_at: Moment | None = Field(description="The oldest last sign of life among bays counted.")
    stale: bool
    updated_at: Moment
    status: Literal["open", "almost_full", "full", "closed"]
    forecast: list[Expectation] = Field(description="Free bays in 15, 30 and 60 minutes; empty: closed or unknown.")
    registry_changed_at: Moment | None = Field(None, description="Since when the registry says of it what it says.")


class ZoneAtDistance(Zone):
    """A parking zone with its distance in metres."""

    distance_m: float


class Parking(BaseModel):
    """All zones."""

    updated_at: Moment
    ttl_s: int
    zones: list[Zone]


class Nearest(BaseModel):
    """Zones with a free bay, nearest first."""

    zones: list[ZoneAtDistance]


class Point(BaseModel):
    """Longitude, latitude."""

    type: Literal["Point"]
    coordinates: tuple[float, float]


class Feature(BaseModel):
    """A zone as a GeoJSON feature."""

    type: Literal["Feature"]
    id: str
    geometry: Point | None
    properties: dict[str, Any]


class FeatureCollection(BaseModel):
    """The zones as GeoJSON (RFC 7946)."""

    type: Literal["FeatureCollection"]
    updated_at: Moment
    ttl_s: int
    features: list[Feature]


class Overflow(BaseModel):
    """When the water will reach the ground; `latest_at` is null where it may also never do so."""

    earliest_at: Moment
    likely_at: Moment
    latest_at: Moment | None


class Outlook(BaseModel):
    """Where the water of a drain stands; rate (m an hour) and overflow are null unless it rises and its data is fresh.

    Einstau: at or above the crown. Überstau: at or above the ground.
    """

    stage: Literal["normal", "pre_alarm", "einstau", "ueberstau"]
    at_least: bool = Field(description="The water stands in the sensor's blind zone and may be higher.")
    rate_m_h: float | None
    observed_at: Moment | None
    overflow: Overflow | None


class Asset(BaseModel):
    """An asset with its latest state; age_s in seconds of city time."""

    asset: str
    kind: str
    name: str
    zone: str | None
    lat: float | None
    lon: float | None
    device: str | None
    attributes: dict[str, Any]
    online: bool
    observed_at: Moment | None
    age_s: float | None
    latest: dict[str, Any]
    outlook: Outlook | None = Field(None, description="Of a drain asked for by its name.")


class Assets(BaseModel):
    """A page of assets."""

    items: list[Asset]
    next: str | None


class Observations(BaseModel):
    """A page of observations (observed_at, received_at, the kind's fields), or of buckets."""

    items: list[dict[str, Any]]
    next: str | None


class Alarm(BaseModel):
    """An alarm of contract §4, with its reason."""

    id: str
    subject: str
    asset: str | None
    type: str
    severity: Literal["info", "warning", "critical"]
    state: Literal["unacknowledged", "acknowledged", "returned_unacknowledged", "normal", "shelved"]
    state_under: str | None
    shelved_until: Moment | None
    shelved_by: str | None
    shelve_reason: str | None
    raised_at: Moment
    cleared_at: Moment | None
    observed_at: Moment
    acknowledged_by: str | None
    acknowledged_at: Moment | None
    note: str | None
    why: dict[str, Any]


class Alarms(BaseModel):
    """A page of alarms, newest first."""

    items: list[Alarm]
    next: str | None


class Command(BaseModel):
    """A command and how far it has come."""

    id: str
    asset: str
    set: dict[str, float | int]
    reason: Literal["override", "sensor", "program", "default"]
    state: str
    queued_at: Moment
    sent_at: Moment | None
    acknowledged_at: Moment | None
    verified_at: Moment | None
    expires_at: Moment
    ended_at: Moment | None = Field(description="When somebody took it back, or another command its place.")
    error: str | None
    by: str | None
    note: str | None


class Commands(BaseModel):
    """A page of commands, newest first."""

    items: list[Command]
    next: str | None


class Ordered(BaseModel):
    """The commands that were ordered."""

    items: list[Command]


class Measure(BaseModel):
    """A closure or a maintenance window of a zone."""

    id: str
    zone: str
    what: Literal["closure", "maintenance"]
    starts_at: Moment
    expires_at: Moment
    ended_at: Moment | None = Field(description="When somebody ended it before its time.")
    note: str
    by: str


class Measures(BaseModel):
    """What is ordered for a zone."""

    items: list[Measure]


class AllOn(BaseModel):
    """The overrides, and the lamps that no device serves, which stay as they are."""

    items: list[Command]
    unserved: list[str]


class Annotation(BaseModel):
    """A mark on a time axis: an alarm while it stood, an override while it held."""

    what: Literal["alarm", "command"]
    id: str
    time: Moment
    time_end: Moment | None = Field(description="Null while it lasts.")
    title: str
    tag: str = Field(description="The alarm's severity, or the command's state.")
    subject: str


class Annotations(BaseModel):
    """A page of the marks of a span, newest first."""

    items: list[Annotation]
    next: str | None


class QuarantinedUplink(BaseModel):
    """A refused uplink with its bytes."""

    id: int
    received_at: Moment
    topic: str
    device: str | None
    reason: str
    detail: str
    payload_base64: str
    replayed_at: Moment | None


class Quarantine(BaseModel):
    """A page of refused uplinks, newest first."""

    items: list[QuarantinedUplink]
    next: str | None


class Ledger(BaseModel):
    """received = stored + duplicate + quarantined + in_flight; a view of the books, whose proof is each day's check."""

    received: int
    stored: int
    duplicate: int
    quarantined: int
    in_flight: int
    replayed: int
    conflicting: int
    unknown_fields: int
    unkept: int
    since: Moment | None


class LedgerCheck(BaseModel):
    """A day's account against the rows that were there.

    `without_fate`: received less the fates. `rows_expected`: observations stored and replayed; `quarantine_expected`:
    those refused whose bytes are kept; both without what retention has dropped.
    """

    checked_at: Moment
    balances: bool
    without_fate: int
    rows_expected: int
    rows_found: int
    quarantine_expected: int
    quarantine_found: int
    differs_since: Moment | None


class LedgerDay(Ledger):
    """The ledger of a UTC day, and its last check."""

    day: str
    check: LedgerCheck | None


class LedgerDays(BaseModel):
    """The ledger day by day (UTC), newest first."""

    items: list[LedgerDay]
    next: str | None


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
