"""The registry as plain data: which asset a device served at a time, and what is known of each asset."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from telemetry.kind import Attributes
from telemetry.kinds import KINDS

EVER_US = -(2**62)
"""`served_from_us` of an installation without beginning."""
ALWAYS_US = 2**62
"""`served_to_us` of an installation without end."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A group of assets; `lat` and `lon` are WGS 84 degrees, `None` where not surveyed.

    `changed_us` is since when the registry says of it and its bays what it says; city time.
    """

    zone: str
    name: str
    lat: float | None = None
    lon: float | None = None
    changed_us: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """A place that outlives its hardware. `device` is the one serving it now, `None` where there is none.

    A `retired` asset is out of service: nothing is expected of it and it counts nowhere; its history stays.
    """

    asset_id: int
    asset: str
    kind: str
    name: str
    zone: str | None
    lat: float | None
    lon: float | None
    attributes: Attributes
    device: str | None = None
    retired: bool = False

    @property
    def report_every_s(self) -> int:
        """The registered report interval, else the kind's default, in seconds."""
        return self.attributes.report_every_s or KINDS[self.kind].wire.report_every_s


@dataclass(frozen=True, slots=True)
class Installation:
    """`device` served the asset from `served_from_us` (inclusive) to `served_to_us` (exclusive)."""

    device: str
    kind: str
    asset_id: int
    served_from_us: int = EVER_US
    served_to_us: int = ALWAYS_US


@dataclass(frozen=True)
class Registry:
    """All assets, zones and installations at one version."""

    version: int = 0
    zones: dict[str, Zone] = field(default_factory=dict)
    assets: dict[int, Asset] = field(default_factory=dict)
    installations: dict[str, dict[str, tuple[Installation, ...]]] = field(default_factory=dict)
    """device → kind → installations by time; a device with no installation maps to an empty dict."""
    models: dict[str, str] = field(default_factory=dict)
    """device → its model, `vendor/device` in lower case, of those of which one is registered."""

    @classmethod
    def build(
        cls,
        version: int,
        zones: Iterable[Zone],
        assets: Iterable[Asset],
        installations: Iterable[Installation],
        devices: Iterable[str] = (),
        models: Mapping[str, str] | None = None,
    ) -> "Registry":
        """Index the rows; `devices` may name known devices that serve nothing, `models` says what some of them are."""
        served: dict[str, dict[str, list[Installation]]] = {device: {} for device in devices}
        for each in sorted(installations, key=lambda i: i.served_from_us):
            served.setdefault(each.device, {}).setdefault(each.kind, []).append(each)
        return cls(
            version,
            {zone.zone: zone for zone in zones},
            {asset.asset_id: asset for asset in assets},
            {device: {kind: tuple(rows) for kind, rows in kinds.items()} for device, kinds in served.items()},
            dict(models or {}),
        )

    def knows(self, device: str) -> bool:
        """Whether the device is registered at all."""
        return device in self.installations

    def model(self, device: str | None) -> str | None:
        """The registered model of a device, `None` where there is none."""
        return self.models.get(device or "")

    def served(self, device: str, kind: str) -> tuple[Installation, ...]:
        """The installations of a device for one kind, by time."""
        return self.installations.get(device, {}).get(kind, ())

    def asset_at(self, device: str, kind: str, moment_us: int) -> int | None:
        """The id of the asset that the device served at a moment, `None` if it served none."""
        for each in self.served(device, kind):
            if each.served_from_us <= moment_us < each.served_to_us:
                return each.asset_id
        return None
