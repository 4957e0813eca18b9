"""What may be set about the API, as plain values; the roof reads them from the environment and the settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Defaults are those of contract §3.

    `trusted_proxies` are addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed; from anybody else
    the header is ignored. `timezone` is where days begin and in which the residents' page shows times. `city_name`
    and the links stand on the residents' page; empty leaves them out. `map_tiles` is a URL with `{z}`, `{x}` and
    `{y}`, a space, and whose tiles these are; empty, the map is plain. `platform_url` is where everybody reaches us,
    with which whole links begin; empty, they begin as each request does. `public_kinds` are the kinds of sensors that
    everybody may read by SensorThings beside the parking zones.
    """

    ttl_s: int = 60
    requests_per_s: float = 50.0
    requests_burst: int = 200
    streams_per_address: int = 20
    streams_max: int = 5_000
    comment_every_s: float = 15.0
    database_away_s: float = 10.0
    trusted_proxies: tuple[str, ...] = ()
    timezone: str = "Europe/Berlin"
    city_name: str = ""
    imprint_url: str = ""
    privacy_url: str = ""
    accessibility_url: str = ""
    map_tiles: str = ""
    platform_url: str = ""
    public_kinds: tuple[str, ...] = ()
