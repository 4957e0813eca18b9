"""What a town can set; `docs/settings.md` is written from these descriptions."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from bus.address import with_authority
from lamplighter import cleartext
from lamplighter import setting_values as values
from lamplighter.setting_ages import ages_in_order
from lamplighter.settings_sources import FromSources
from telemetry import limits

PREFIX = "LAMPLIGHTER_"
OTHER_VARIABLES = frozenset({"LAMPLIGHTER_SHARED", "LAMPLIGHTER_TEST_TIMESCALE_URL"})
"""Variables with our prefix that only tests and benchmarks read."""


def _setting(default: Any, meaning: str, *, must: str, example: str, **bounds: Any) -> Any:
    """A documented field: what it means, what it must be (completes "must be …"), and an example."""
    return Field(default, description=meaning, examples=[example], json_schema_extra={"must": must}, **bounds)


class Settings(FromSources):
    """All settings of all services, checked."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, validate_default=False
    )

    database_url: values.PostgresUrl | None = _setting(
        None,
        "The PostgreSQL database, with user and password. TimescaleDB is used where the server has it. "
        "Not set: commands that need a database refuse.",
        must="a PostgreSQL URL",
        example="postgresql://lamplighter:PASSWORD@db.example:5432/lamplighter?sslmode=verify-full",
        repr=False,
    )
    mqtt_url: values.BrokerUrl | None = _setting(
        None,
        "The MQTT broker, with the platform's user and password; or with a password alone (`mqtts://:PASSWORD@HOST`): "
        "each session of a service is its own user then (docs/credentials.md). A Unix socket costs the broker less: "
        "`mqtt+unix://platform:PASSWORD@/run/mosquitto/mosquitto.sock`. Not set: commands that need a broker refuse.",
        must="an MQTT URL (mqtt://, mqtts:// or mqtt+unix://)",
        example="mqtts://platform:PASSWORD@broker.example:8883",
        repr=False,
    )
    mqtt_ca: Path | None = _setting(
        None,
        "The certificates that vouch for the broker of an `mqtts://` URL, as a PEM file: a city's own authority, or "
        "the broker's own certificate. Then no other is trusted for it. Not set: those that this machine trusts.",
        must="the path of a file of certificates in PEM form",
        example="/etc/lamplighter/broker-ca.pem",
    )
    secrets_dir: Path | None = _setting(
        None,
        "A folder of files, each named like a setting in lower case and holding its value: secrets as systemd "
        "(`LoadCredential=`) and containers hand them over. The environment goes before it, and it before the file.",
        must="the path of a folder",
        example="secrets",
    )
    cleartext_hosts: values.Words = _setting(
        (),
        "Hosts beyond this machine that may be reached without TLS, such as those of a container network; also the "
        "`http_host` to listen on. Empty: a setting that leads elsewhere in clear is refused.",
        must="hosts separated by commas",
        example="broker,database",
    )
    broker_queue_messages: int = _setting(
        limits.BROKER_QUEUE_MESSAGES_MAX,
        "How many messages the broker keeps for a service that is away (Mosquitto: `max_queued_messages`). "
        "At half of it the alarm `queue_filling` is raised.",
        must="a whole number above 0",
        example="2000000",
        gt=0,
    )
    broker_queue_bytes: int = _setting(
        limits.BROKER_QUEUE_BYTES_MAX,
        "How many bytes the broker keeps for a service that is away (Mosquitto: `max_queued_bytes`).",
        must="a whole number of bytes above 0",
        example="4294967296",
        gt=0,
    )
    gateway_networks: values.Networks = _setting(
        (),
        "The network servers that the gateway translates, each as its kind, `=` and the URL of its MQTT broker "
        "(it may be the city's own). Kinds: `chirpstack`, `the_things_stack`, `sparkplug`. A comma in a password is "
        "written `%2C`. Empty: `up` runs no gateway.",
        must="networks as kind=URL, separated by commas",
        example="chirpstack=mqtts://gateway:PASSWORD@lora.example:8883",
        repr=False,
    )
    gateway_models: Path | None = _setting(
        None,
        "A TOML file that says which codec reads which device, and which Sparkplug metric is which field; see "
        "`docs/gateway.md`. Not set: models are known by the names that the network server gives.",
        must="the path of a TOML file",
        example="/etc/lamplighter/models.toml",
    )
    city_lat: float | None = _setting(
        None,
        "Latitude of the city, degrees north; with the longitude it decides sunset and sunrise. "
        "Not set: `rules` and `up` refuse.",
        must="a number of degrees from -90 to 90",
        example="51.4332",
        ge=-90,
        le=90,
    )
    city_lon: float | None = _setting(
        None,
        "Longitude of the city, degrees east.",
        must="a number of degrees from -180 to 180",
        example="6.8806",
        ge=-180,
        le=180,
    )
    timezone: values.TimeZone = _setting(
        "Europe/Berlin",
        "The city's time zone: local days of daily figures, nights of lighting programs.",
        must="a name of the time zone database",
        example="Europe/Berlin",
    )
    clock_start: values.Instant | None = _setting(
        None,
        "City time at the start of the first service, for demos and replays. Not set: city time is real time.",
        must="a moment as RFC 3339 with offset",
        example="2026-11-22T15:10:00Z",
    )
    clock_speed: float = _setting(
        1.0,
        "How many times as fast as real time the city clock runs; above 1 only for demos and replays.",
        must="a number above 0 and at most 100000",
        example="60",
        gt=0,
        le=100_000,
    )
    http_host: str = _setting(
        "127.0.0.1",
        "The address on which `api` and `up` listen, without TLS; a proxy with TLS in front serves others than this "
        "machine. Any other than loopback must be named in `cleartext_hosts` too.",
        must="an IP address or host name of this machine",
        example="127.0.0.1",
        min_length=1,
    )
    http_port: int = _setting(
        8080,
        "The port on which `api` and `up` listen.",
        must="a port from 1 to 65535",
        example="8080",
        ge=1,
        le=65_535,
    )
    city_name: str = _setting(
        "",
        "The city's name, as the residents' page shows it. Empty: none is shown.",
        must="a name",
        example="Hohenruhr",
    )
    imprint_url: str = _setting(
        "",
        "Where the residents' page links to the imprint (the law wants one). Empty: no link.",
        must="a URL",
        example="https://www.example.org/imprint",
    )
    privacy_url: str = _setting(
        "",
        "Where the residents' page links to the privacy notice. Empty: no link.",
        must="a URL",
        example="https://www.example.org/privacy",
    )
    accessibility_url: str = _setting(
        "",
        "Where the residents' page links to the accessibility statement. Empty: no link.",
        must="a URL",
        example="https://www.example.org/accessibility",
    )
    map_tiles: str = _setting(
        "",
        "Tiles of a street map for residents, a space, and whose they are; see `docs/residents_page.md`. Empty: none.",
        must="a path or an https URL with {z}, {x} and {y}, a space and a text",
        example="https://tiles.example.org/{z}/{x}/{y}.png © OpenStreetMap https://www.openstreetmap.org/copyright",
        pattern=r"^(https://[A-Za-z0-9.:-]+)?/([^/\s;,][^\s;,]*)?\{z\}/\{[xy]\}/\{[xy]\}[^\s;,]* \S.*$",
    )
    ttl_s: int = _setting(
        60,
        "After so many seconds a parking zone's word counts as stale; in SQL from the next `lamplighter migrate` on.",
        must="a whole number of seconds above 0",
        example="60",
        gt=0,
    )
    requests_per_s: float = _setting(
        50.0,
        "How many requests a second one address may make to the public API in the long run.",
        must="a number above 0",
        example="50",
        gt=0,
    )
    requests_burst: int = _setting(
        200,
        "How many requests one address may make at once before `requests_per_s` holds.",
        must="a whole number above 0",
        example="200",
        gt=0,
    )
    streams_per_address: int = _setting(
        20,
        "How many event streams one address may hold open.",
        must="a whole number above 0",
        example="20",
        gt=0,
    )
    trusted_proxies: values.Words = _setting(
        (),
        "Proxies whose `X-Forwarded-For` is believed, so that limits hold for each resident and not for the proxy.",
        must="addresses or networks separated by commas",
        example="10.0.0.1,192.168.7.0/24",
    )
    public_kinds: values.KindNames = _setting(
        (),
        "Kinds that everybody may read by SensorThings beside the zones, but never single bays nor a lamp's movements.",
        must="kinds that there are, separated by commas",
        example="drain_level",
    )
    raw_days: int = _setting(
        730,
        "So many days observations are kept; their rollups are kept longer.",
        must="a whole number of days above 0, at least compress_days",
        example="730",
        gt=0,
    )
    hourly_days: int = _setting(
        1_826,
        "So many days hourly rollups are kept; daily ones are kept for ever.",
        must="a whole number of days above 0, at least raw_days",
        example="1826",
        gt=0,
    )
    raw_days_by_kind: values.DaysByKind = _setting(
        {},
        "Kinds whose observations are kept for a time of their own, instead of `raw_days`. Without TimescaleDB they "
        "are dropped by whole months, and what came more than two years late by whole years.",
        must="kinds with their days, separated by commas, at most the days of their hourly rollups",
        example="parking_bay=90,streetlight=365",
    )
    hourly_days_by_kind: values.DaysByKind = _setting(
        {},
        "Kinds whose hourly rollups are kept for a time of their own, instead of `hourly_days`.",
        must="kinds with their days, separated by commas, at least the days of their observations",
        example="parking_bay=730",
    )
    quarantine_days: int = _setting(
        365,
        "So many days refused observations are kept, within which they can be replayed.",
        must="a whole number of days above 0",
        example="365",
        gt=0,
    )
    compress_days: int = _setting(
        14,
        "After so many days observations are compressed, where TimescaleDB can; plain PostgreSQL keeps them as they "
        "are.",
        must="a whole number of days above 0",
        example="14",
        gt=0,
    )
    data_dir: Path = _setting(
        Path("data"),
        "The folder for what a service keeps on its own disk.",
        must="a path to a folder",
        example="/var/lib/lamplighter",
    )
    backup_dir: Path | None = _setting(
        None,
        "The folder that `lamplighter backup` writes to where none is named, on another disk; `doctor` looks there "
        "whether the newest is of today. Not set: neither.",
        must="a path to a folder",
        example="/srv/backups/lamplighter",
    )
    rules_journal_dir: Path | None = _setting(
        None,
        "The folder for what the rules decide while the database is away, on a disk that outlives the process. Each "
        "process that may lead the rules needs its own. Not set: `rules` in the data folder.",
        must="a path to a folder",
        example="/var/lib/lamplighter/rules",
    )
    rules_file: Path | None = _setting(
        None,
        "The rule file (`docs/rule_file.md`): programs, thresholds, calendars, notifications. A change is taken up "
        "within 2 s; a file with a mistake changes nothing. Not set: `rules.toml` beside the settings file if it is "
        "there, else the shipped defaults.",
        must="the path of a TOML file",
        example="/etc/lamplighter/rules.toml",
    )
    rules_author: str = _setting(
        "",
        "Who is kept as the author of new versions of the rule file. Empty: the file's owner.",
        must="a name",
        example="Tiefbauamt",
    )
    platform_url: values.HttpUrl | None = _setting(
        None,
        "Where people reach the platform: links begin so. Not set: dashboards lead to `http://127.0.0.1:8080`, "
        "notifications have no link, SensorThings' begin as each request does, and no cache may share them.",
        must="an http or https URL",
        example="https://lamplighter.example",
    )
    grafana_url: values.HttpUrl | None = _setting(
        None,
        "The Grafana that `lamplighter dashboards push` fills. Not set: `push` refuses.",
        must="an http or https URL",
        example="https://grafana.example",
        repr=False,
    )
    grafana_token: str = _setting(
        "",
        "The token of a service account of Grafana with the role Editor, for `lamplighter dashboards push`; better in "
        "the environment, or in a file that `grafana_token_file` names. Empty: that file's.",
        must="a token",
        example="glsa_…",
        repr=False,
    )
    grafana_token_file: Path | None = _setting(
        None,
        "The file whose first line is that token.",
        must="the path of a file",
        example="/run/secrets/grafana_token",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info",
        "The least important message that is logged.",
        must="one of debug, info, warning, error",
        example="info",
    )
    log_format: Literal["auto", "text", "json"] = _setting(
        "auto",
        "How messages are logged on standard error: `text` for people, `json` for machines, `auto` by what "
        "standard error is (a terminal or not).",
        must="one of auto, text, json",
        example="json",
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        ages_in_order(dict(self))
        cleartext.check(dict(self))
        return self

    @property
    def broker_url(self) -> str | None:
        """`mqtt_url` with who vouches for the broker: all that a connection needs to know."""
        if self.mqtt_url is None or self.mqtt_ca is None:
            return self.mqtt_url
        return with_authority(self.mqtt_url, str(self.mqtt_ca))


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables with our prefix that name no setting: misspelt, most likely."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
