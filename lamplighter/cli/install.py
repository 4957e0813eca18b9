"""`lamplighter install`: into service on a machine without containers, or the secrets for containers."""

import ipaddress
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer

from gateway.credentials_tls import PORT
from lamplighter.errors import Failure, WrongUsage
from lamplighter.install import containers, town
from lamplighter.install.plan import carry_out, show
from lamplighter.networks import checked_network

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"(?!.*\.[0-9]+$)(?:{_LABEL}\.)*{_LABEL}")
"""A host's name, of which the last part is no number: that would be an address."""
HOST_LENGTH_MAX = 253

HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))
"""What the units may not see."""


def install(
    lat: Annotated[float | None, typer.Option(min=-90, max=90, help="Latitude of the city.")] = None,
    lon: Annotated[float | None, typer.Option(min=-180, max=180, help="Longitude of the city.")] = None,
    timezone: Annotated[str, typer.Option(help="The city's time zone.")] = "Europe/Berlin",
    name: Annotated[str | None, typer.Option(help="How field devices call this machine: a name or an address.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The broker's certificate with its chain (PEM), with --key.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, readable by the group mosquitto.")] = None,
    networks: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Network servers, as gateway_networks has them; with passwords.")
    ] = None,
    address: Annotated[str, typer.Option(help="Where the broker listens for devices, with TLS.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port of that.")] = PORT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print all that would be written and run.")] = False,
    root: Annotated[Path, typer.Option(metavar="DIR", help="Write below DIR, and start nothing.")] = Path("/"),
    compose: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Only make the secrets of deploy/compose.yaml, in DIR.")
    ] = None,
) -> None:
    """Put Lamplighter into service on this machine: users, units, broker, database. Doing it twice does no harm."""
    if name is None or lat is None or lon is None:
        raise WrongUsage("A city needs --lat, --lon and --name, by which field devices know this machine.")
    _check_host("--name", name)
    _check_host("--address", address)
    _check_values(timezone, certificate, key)
    program, servers = _program(), _read(networks)
    here = town.Town(program, lat, lon, timezone, name, address, port, _whole(certificate), _whole(key), servers)
    root = root.resolve()
    steps = town.steps(here, root) if compose is None else containers.steps(here, compose.resolve())
    if dry_run:
        print(*show(steps), sep="\n")
        return
    if compose is None:
        _check_machine(root, program)
    carry_out(steps, root if compose is None else Path("/"), print)
    print(
        _FAREWELL_COMPOSE if compose else _FAREWELL if root == Path("/") else f"Written below {root}; started nothing."
    )


def _check_host(option: str, name: str) -> None:
    """That a certificate can hold it and a device look it up.

    Raises:
        WrongUsage: it is neither a name of the DNS (RFC 1123) nor an address.
    """
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if not HOST.fullmatch(name) or len(name) > HOST_LENGTH_MAX:
            raise WrongUsage(
                f"{option} is {name!r}, which no device can look up: use an address, or a name of letters, digits, "
                "hyphens and dots, such as broker.town.example."
            ) from None


def _check_values(timezone: str, certificate: Path | None, key: Path | None) -> None:
    if timezone not in available_timezones():
        raise WrongUsage(f"{timezone!r} is no time zone: name one like Europe/Berlin.")
    if (certificate is None) != (key is None):
        raise WrongUsage("--certificate and --key go together; without both, the city gets an authority of its own.")


def _read(networks: Path | None) -> str:
    """The network servers that a file names, which no command line shows.

    Raises:
        WrongUsage: they are none.
    """
    if networks is None:
        return ""
    try:
        text = networks.read_text(encoding="utf-8").strip()
        for network in text.split(","):
            checked_network(network.strip())
    except (OSError, ValueError) as error:
        raise WrongUsage(f"{networks} names no network servers as KIND=URL, separated by commas ({error}).") from error
    return text


def _check_machine(root: Path, program: Path) -> None:
    """That this machine can be installed on.

    Raises:
        Failure: it cannot; the sentence says what is missing.
    """
    if root != Path("/"):
        return
    if os.geteuid() != 0:
        raise Failure("Users and services are made by root: run it as root, or look first with --dry-run.")
    missing = {program: package for program, package in town.PROGRAMS.items() if shutil.which(program) is None}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise Failure(f"This machine lacks {', '.join(missing)}: `apt install {packages}`, then run this again.")
    if program == town.COMMAND or any(program.is_relative_to(folder) for folder in HIDDEN):
        raise Failure(
            f"Lamplighter is where its services may not look, or its own command goes ({program}): install it "
            "elsewhere, such as in `python3 -m venv /opt/lamplighter`."
        )


def _program() -> Path:
    """The command that is running now, as units shall name it."""
    beside = Path(sys.executable).parent / "lamplighter"
    return beside if beside.exists() else Path(shutil.which("lamplighter") or sys.argv[0]).absolute()


def _whole(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


_FAREWELL = """\
Lamplighter is in service. Next, as root, in /etc/lamplighter:
  lamplighter registry import assets.csv
  lamplighter credentials issue --all-missing > passwords.csv; systemctl reload mosquitto
  lamplighter token issue --role operator --expires 90d
  lamplighter doctor --broker-config /etc/mosquitto/mosquitto.conf"""
_FAREWELL_COMPOSE = "The secrets are made. Next, in deploy/: docker compose up --build --detach"
