"""A town that `lamplighter doctor` finds nothing wrong with, until a fault is planted in it."""

import datetime as dt
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from gateway.broker_rules import BrokerFiles, configuration
from lamplighter import backup_files
from lamplighter.clock import real_now
from lamplighter.doctor.examination import Patient, examine
from lamplighter.doctor.findings import Finding
from lamplighter.settings import Settings
from storage import registry
from storage.pool import connect
from telemetry.clock import to_datetime
from tests.parts.databases import url_of

CITY = """asset,kind,name,zone,lat,lon,device,crown_m,ground_m
market,zone,Markt,,51.4,7.3,,,
lamp-1,streetlight,Lamp 1,market,51.4,7.3,L1,,
drain-1,drain_level,Drain 1,market,51.4,7.3,D1,1.0,2.5
bay-1,parking_bay,Bay 1,market,51.4,7.3,B1,,
"""
DEVICES = {device: f"password-of-{device}" for device in ("L1", "D1", "B1")}
LINKS = {f"{name}_url": f"https://town.example/{name}" for name in ("imprint", "privacy", "accessibility")}
TOKEN = """
    INSERT INTO api_token (id, digest, role, created_at, expires_at)
    VALUES ('t', '\\x01', 'viewer', clock_timestamp(), clock_timestamp() + '9 d'::interval)
"""

StartBroker = Callable[..., Awaitable[str]]


class Town:
    """Its settings, parts, and folder; `plant_sql` changes its database."""

    def __init__(self, folder: Path, database_url: str, broker_url: str, start_mosquitto: StartBroker) -> None:
        self.folder, self.database_url, self.broker_url = folder, database_url, broker_url
        self.start_mosquitto = start_mosquitto
        self.cleanup = AsyncExitStack()

    async def populate(self) -> None:
        """Register a small city, and give it a token."""
        async with await connect(self.database_url) as conn:
            await registry.import_csv(conn, CITY, real_now())
            await conn.execute(TOKEN)

    def take_backup(self) -> None:
        """What bears a backup's name counts as one here."""
        (self.folder / "backups").mkdir()
        (self.folder / "backups" / backup_files.name_of(to_datetime(real_now()))).touch()

    def settings(self, **changed: Any) -> dict[str, Any]:
        return {
            "database_url": self.database_url,
            "mqtt_url": self.broker_url,
            "city_lat": 51.4,
            "city_lon": 7.3,
            "data_dir": self.folder / "data",
            "backup_dir": self.folder / "backups",
            **LINKS,
            **changed,
        }

    def patient(self, file: Path | None = None, broker_config: Path | None = None, **changed: Any) -> Patient:
        settings = Settings.model_construct(**self.settings(**changed))
        return Patient(settings, file or self.folder / "lamplighter.toml", broker_config)

    async def sql(self, statement: str, *parameters: object, url: str | None = None) -> None:
        async with await connect(url or self.database_url) as conn:
            await conn.execute(statement, parameters)

    def on_server(self, statement: str, database: str = "postgres") -> None:
        """What cannot be done within the database itself."""
        with psycopg.connect(url_of(self.database_url, database), autocommit=True) as conn:
            conn.execute(statement)

    def beside(self, name: str, options: str = "") -> str:
        """Another database of the server, for this test."""
        self.on_server(f"CREATE DATABASE {name} {options}")
        self.cleanup.callback(self.on_server, f"DROP DATABASE {name} WITH (FORCE)")
        return url_of(self.database_url, name)

    def with_user(self, user: str, password: str, url: str | None = None) -> str:
        """A URL of the town's, with another login."""
        parts = urlsplit(url or self.database_url)
        return parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}").geturl()

    def broker_files(self, *more: str) -> Path:
        """A broker's configuration as ours, with its files; `more` lines come behind."""
        files = BrokerFiles(self.folder / "access", self.folder / "passwords", self.folder)
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join([configuration(files, 1883), *more]))
        return path

    def certificate(self, days: int) -> tuple[Path, Path]:
        """A certificate of localhost and its key; with 0 days it has run out a second later."""
        key, request, pem = (self.folder / name for name in ("key.pem", "request.pem", "certificate.pem"))
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key)]
        for command in (
            ["req", "-new", *curve, "-subj", "/CN=localhost", "-out", str(request)],
            ["x509", "-req", "-in", str(request), "-signkey", str(key), "-days", str(days), "-out", str(pem)],
        ):
            subprocess.run(["openssl", *command], check=True, capture_output=True)
        key.chmod(0o644)
        return key, pem


async def findings(patient: Patient, *parts: str) -> list[Finding]:
    return [finding async for finding in examine(patient, parts)]


def days_ago(days: float) -> dt.datetime:
    return to_datetime(real_now()) - dt.timedelta(days=days)
