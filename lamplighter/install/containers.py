"""The secrets of `deploy/compose.yaml`: a folder of files, drawn where they are missing.

Only the folder's owner may enter it; the files in it are readable, because each container reads its own under a user of
its own.
"""

from pathlib import Path

from gateway import broker_rules, credentials, credentials_tls
from lamplighter.embedded.broker import PLATFORM_USER
from lamplighter.install import authority, database, logins, town
from lamplighter.install.plan import Command, File, Step
from storage import reader, roles

READABLE = 0o444
BROKER, DATABASE = "broker", "database"
"""How containers call each other."""
PAGES = "172.30.77.0/24"
"""The network of proxy and API."""
_INSIDE = Path("/run/secrets")
_KEPT = Path("/mosquitto/data")
PLATFORM_DOOR = _KEPT / "platform.sock"
"""Where the town's own user comes in, who may do everything: only the container `doctor` shares that folder."""


def steps(here: town.Town, folder: Path) -> list[Step]:
    """All files of the folder, in order."""

    def secret(name: str, text: str) -> File:
        return File(folder / name, text, READABLE, is_secret=True, is_kept=True)

    passwords_file = folder / "passwords.txt"
    services = {database.OWNER: "owner", **{roles.role_of(name): name for name in roles.RIGHTS}}
    passwords = {role: logins.kept_password(folder / f"{name}_database_url") for role, name in services.items()}
    shown = _kept(folder / "reader_password")
    at_broker = logins.broker_passwords(folder)
    doors = f"mqtts://{BROKER}:{credentials_tls.INNER_PORT}", f"mqtt+unix://{PLATFORM_DOOR}"
    return [
        Command(("install", "--directory", "--mode=0700", str(folder)), "make a folder that only its owner may enter"),
        secret("postgres_password", credentials.new_password()),
        secret("grafana_password", credentials.new_password()),
        secret("reader_password", shown),
        File(folder / "database.sql", database.script({**passwords, reader.ROLE: shown}), READABLE, is_secret=True),
        *(
            secret(f"{name}_database_url", database.url(role, passwords[role], DATABASE))
            for role, name in services.items()
        ),
        *(
            File(folder / name, url, READABLE, is_secret=True)
            for name, url in logins.broker_urls(at_broker, *doors).items()
        ),
        File(folder / "gateway_networks", here.networks, READABLE, is_secret=True, is_kept=not here.networks),
        File(passwords_file, logins.password_file(passwords_file, at_broker, folder), READABLE, is_secret=True),
        File(folder / "access.txt", broker_rules.access_list(PLATFORM_USER), READABLE),
        File(folder / "mosquitto.conf", _broker(), READABLE),
        File(folder / "lamplighter.toml", _settings(here), READABLE, is_kept=True),
        *authority.steps(authority.Papers(folder, folder, READABLE, "root"), here.name, BROKER),
    ]


def _kept(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else credentials.new_password()


def _broker() -> str:
    files = broker_rules.BrokerFiles(_INSIDE / "access.txt", _INSIDE / "passwords.txt", _KEPT, PLATFORM_DOOR)
    tls = credentials_tls.TlsFiles(_INSIDE / "broker.pem", _INSIDE / "broker-key.pem")
    return credentials_tls.tls_configuration(files, tls, inner_port=credentials_tls.INNER_PORT, own_names=True)


def _settings(here: town.Town) -> str:
    return f"""\
# Settings that are no secrets; docs/settings.md lists them all.
city_lat = {here.lat}
city_lon = {here.lon}
timezone = "{here.timezone}"
mqtt_ca = "{_INSIDE / "ca.pem"}"
http_host = "0.0.0.0"
cleartext_hosts = ["0.0.0.0", "{DATABASE}"]   # the containers' own network
trusted_proxies = ["{PAGES}"]
data_dir = "/var/lib/lamplighter"
backup_dir = "/var/backups/lamplighter"
log_format = "json"
"""
