"""The whole installation on one machine without containers, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import broker_rules, credentials_tls
from lamplighter.embedded.broker import PLATFORM_USER
from lamplighter.install import authority, database, logins, units
from lamplighter.install.plan import Command, File, Step, below

BROKER = Path("/etc/mosquitto")
MARK = "# Written by `lamplighter install`; run it again rather than change this.\n"
ACCESS_LIST, PASSWORDS = BROKER / "access.txt", BROKER / "passwords.txt"
SERVICES_DOOR = f"mqtt://127.0.0.1:{credentials_tls.LOCAL_PORT}"
PLATFORM_DOOR = Path("/run/mosquitto/platform.sock")
"""Where the town's own user comes in, who may do everything: nobody but root may enter that folder."""
COMMAND = Path("/usr/local/bin/lamplighter")
_DATABASE_URL = units.SECRETS / "database_url"
PROGRAMS = {
    "systemctl": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
    "mosquitto": "mosquitto",
    "psql": "postgresql",
    "runuser": "util-linux",
    "openssl": "openssl",
}
"""Programs that a machine needs, and the Debian packages that bring them."""


_COMMAND = f"""\
#!/bin/sh
# Lamplighter for root, who may read the secrets. In {units.CONFIGURATION} it finds the settings by itself.
LAMPLIGHTER_SECRETS_DIR={units.SECRETS} exec {{program}} "$@"
"""


@dataclass(frozen=True)
class Town:
    """What only the town knows. `name` is how field devices call the broker; no certificate: own authority."""

    program: Path
    lat: float
    lon: float
    timezone: str
    name: str
    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    networks: str = ""


def steps(town: Town, root: Path) -> list[Step]:
    """All steps, in order; what is there below `root` is taken up, such as passwords."""
    passwords = logins.broker_passwords(below(root, units.SECRETS))
    owner = logins.kept_password(below(root, _DATABASE_URL))
    return [
        File(Path("/etc/sysusers.d/lamplighter.conf"), units.users()),
        Command(
            ("systemd-sysusers", "--root={root}/", "lamplighter.conf"),
            "make an ordinary user for each service",
            goes_elsewhere=True,
        ),
        File(Path("/etc/tmpfiles.d/lamplighter.conf"), units.folders()),
        Command(
            ("systemd-tmpfiles", "--root={root}/", "--create", "lamplighter.conf"),
            "make the folders",
            goes_elsewhere=True,
        ),
        File(units.SETTINGS, _settings(town), 0o640, units.GROUP, is_kept=True),
        *_secrets(town, passwords, owner),
        File(COMMAND, _COMMAND.format(program=town.program), 0o755),
        *_broker(town, passwords, root),
        Command(
            ("runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "--quiet", "--dbname", "postgres"),
            "make the database, and a role in it for each service",
            stdin=database.script({database.OWNER: owner}),
        ),
        *(File(path, text) for path, text in units.texts(town.program, with_gateway=bool(town.networks)).items()),
        Command(
            ("systemctl", "--root={root}/", "enable", "lamplighter.target"),
            "have all of it start with the machine",
            goes_elsewhere=True,
        ),
        Command(("systemctl", "daemon-reload"), "let systemd read the units"),
        Command(("systemctl", "restart", "mosquitto.service"), "start the broker"),
        Command(("systemctl", "restart", "lamplighter.target"), "start the services"),
    ]


def _settings(town: Town) -> str:
    return f"""\
# Settings that are no secrets; docs/settings.md lists them all. Secrets are files in {units.SECRETS}.
city_lat = {town.lat}
city_lon = {town.lon}
timezone = "{town.timezone}"
data_dir = "{units.STATE}"
backup_dir = "{units.BACKUPS}"
log_format = "json"
"""


def _secrets(town: Town, passwords: Mapping[str, str], owner: str) -> list[Step]:
    urls = logins.broker_urls(passwords, SERVICES_DOOR, f"mqtt+unix://{PLATFORM_DOOR}")
    found: list[Step] = [File(units.SECRETS / name, url + "\n", 0o600, is_secret=True) for name, url in urls.items()]
    found.append(File(_DATABASE_URL, database.url(database.OWNER, owner, "127.0.0.1") + "\n", 0o600, is_secret=True))
    if town.networks:
        found.append(File(units.SECRETS / "gateway_networks", town.networks + "\n", 0o600, is_secret=True))
    return found


def _broker(town: Town, passwords: Mapping[str, str], root: Path) -> list[Step]:
    """Mosquitto with TLS for devices, without for services, each confined to its own topics; a socket for the town."""
    group = authority.BROKER_GROUP
    files = broker_rules.BrokerFiles(ACCESS_LIST, PASSWORDS, Path("/var/lib/mosquitto"), PLATFORM_DOOR)
    own = authority.Papers()
    tls = credentials_tls.TlsFiles(town.certificate or own.certificate, town.key or own.key)
    text = credentials_tls.tls_configuration(
        files, tls, port=town.port, address=town.address, local_port=credentials_tls.LOCAL_PORT, own_names=True
    )
    return [
        *_before(root),
        File(BROKER / "mosquitto.conf", MARK + text),
        File(ACCESS_LIST, broker_rules.access_list(PLATFORM_USER), 0o640, group),
        File(
            PASSWORDS,
            logins.password_file(below(root, PASSWORDS), passwords, below(root, units.SECRETS)),
            0o640,
            group,
            is_secret=True,
        ),
        File(Path("/etc/systemd/system/mosquitto.service.d/lamplighter.conf"), "[Service]\nLimitNOFILE=65536\n"),
        *([] if town.certificate else authority.steps(own, town.name)),
    ]


def _before(root: Path) -> list[Step]:
    """The configuration that was there, set aside."""
    try:
        text = below(root, BROKER / "mosquitto.conf").read_text(encoding="utf-8")
    except OSError:
        return []
    return [] if text.startswith(MARK) else [File(BROKER / "mosquitto.conf.before-lamplighter", text, is_kept=True)]
