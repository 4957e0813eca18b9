"""The secrets of `deploy/compose.yaml`: a folder of files, drawn where they are missing.

Only the folder's owner may enter it; the files in it are readable, because each container reads its own under a user of
its own.
"""

from pathlib import Path
from urllib.parse import quote

from gateway import broker_rules, credentials, credentials_tls
from lamplighter.embedded.broker import PLATFORM_USER
from lamplighter.install import authority, database, town
from lamplighter.install.plan import Command, File, Step
from storage import reader, roles

READABLE = 0o444
BROKER, DATABASE = "broker", "database"
"""How containers call each other."""
PAGES = "172.30.77.0/24"
"""The network of proxy and API."""
_INSIDE = Path("/run/secrets")


def steps(here: town.Town, folder: Path) -> list[Step]:
    """All files of the folder, in order."""

    def secret(name: str, text: str) -> File:
        return File(folder / name, text, READABLE, is_secret=True, is_kept=True)

    services = {database.OWNER: "owner", **{roles.role_of(name): name for name in roles.RIGHTS}}
    passwords = {role: town.kept_password(folder / f"{name}_database_url") for role, name in services.items()}
    shown = _kept(folder / "reader_password")
    platform = town.kept_password(folder / "mqtt_url")
    url = f"mqtts://{PLATFORM_USER}:{quote(platform, safe='')}@{BROKER}:{credentials_tls.INNER_PORT}"
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
        secret("mqtt_url", url),
        File(folder / "gateway_networks", here.networks, READABLE, is_secret=True, is_kept=not here.networks),
        secret("passwords.txt", broker_rules.passwords({PLATFORM_USER: platform})),
        File(folder / "access.txt", broker_rules.access_list(PLATFORM_USER), READABLE),
        File(folder / "mosquitto.conf", _broker(), READABLE),
        File(folder / "lamplighter.toml", _settings(here), READABLE, is_kept=True),
        *authority.steps(authority.Papers(folder, folder, READABLE, "root"), here.name, BROKER),
    ]


def _kept(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else credentials.new_password()


def _broker() -> str:
    files = broker_rules.BrokerFiles(_INSIDE / "access.txt", _INSIDE / "passwords.txt", Path("/mosquitto/data"))
    tls = credentials_tls.TlsFiles(_INSIDE / "broker.pem", _INSIDE / "broker-key.pem")
    return credentials_tls.tls_configuration(files, tls, inner_port=credentials_tls.INNER_PORT)


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
