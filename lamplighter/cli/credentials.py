"""`lamplighter credentials`: which device may enter the broker, and the configuration that holds it to its topics."""

import csv
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bus import users
from gateway import broker_rules, credentials, credentials_file, credentials_tls
from lamplighter import certificate_files
from lamplighter.cli.session import Config, begin, database, run
from lamplighter.embedded.broker import PLATFORM_USER
from lamplighter.errors import Failure, WrongUsage
from lamplighter.install import logins
from lamplighter.settings import Settings
from storage import registry
from telemetry.registry import Registry

FOLDER = Path("/etc/mosquitto")
"""Where Debian and others keep Mosquitto's files."""
PASSWORDS = "passwords.txt"
RESERVED = logins.names()
PID_MIN = 2
EUI = re.compile("[0-9A-Fa-f]{16}")
"""What LoRaWAN calls a device."""
_ALL = "for all services at once, and for commands: may do everything"
_LOGIN_WIDTH = 33

commands = typer.Typer(help="Per-device broker credentials: issue, rotate, revoke; the broker's configuration.")

Passwords = Annotated[Path, typer.Option("--passwords", metavar="FILE", help="Mosquitto's password file.")]
Device = Annotated[str, typer.Argument(metavar="DEVICE", help="The device's id, which is its user name.")]
ReloadPid = Annotated[
    int | None, typer.Option("--reload-pid", metavar="PID", min=PID_MIN, help="The broker's process, to be told now.")
]
Json = Annotated[bool, typer.Option("--json", help="Print an object a device instead.")]


@commands.command()
def issue(
    device: Annotated[str | None, typer.Argument(metavar="DEVICE", help="Its id, which is its user name.")] = None,
    all_missing: Annotated[
        bool,
        typer.Option("--all-missing", help="Every device in service that speaks MQTT itself and has none; prints CSV."),
    ] = False,
    unregistered: Annotated[
        bool, typer.Option("--unregistered", help="Also a device that the registry does not know.")
    ] = False,
    passwords: Passwords = FOLDER / PASSWORDS,
    reload_pid: ReloadPid = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Give a device a password and print it; it cannot be shown again."""
    if (device is None) is not all_missing:
        raise WrongUsage("Name either a DEVICE or --all-missing.")
    settings = begin(config)
    drawn: dict[str, str] = {}
    if device is not None:
        with _spoken():
            credentials.checked(device, RESERVED)
        if not unregistered and not _registry(settings).knows(device):
            raise Failure(f"{device} is not registered: import it first, or add --unregistered.")
        drawn[device] = credentials.new_password()
        _change(passwords, lambda text: credentials.issued(text, drawn))
    else:
        wanted = _in_service(_registry(settings), with_networks=bool(settings.gateway_networks))

        def for_all(text: str) -> str:
            drawn.update({each: credentials.new_password() for each in sorted(wanted - credentials.users(text))})
            return credentials.issued(text, drawn)

        _change(passwords, for_all)
        if not drawn:
            typer.echo("Every device in service that can have credentials has them.", err=True)
            return
    _print(drawn, as_json, as_table=all_missing)
    _tell(reload_pid)


@commands.command()
def rotate(
    device: Device,
    passwords: Passwords = FOLDER / PASSWORDS,
    reload_pid: ReloadPid = None,
    as_json: Json = False,
) -> None:
    """Give a device another password and print it; the old one opens nothing once the broker has reloaded.

    So too one of our own users, such as platform: a service has one password for all of its sessions.
    """
    password = credentials.new_password()
    who = logins.owner(device)
    if who is None:
        with _spoken():
            credentials.checked(device, RESERVED)
        _change(passwords, lambda text: credentials.rotated(text, device, password))
    else:
        _change(passwords, lambda text: logins.let_in(text, {who: password}, {who}))
    if who is None or as_json:
        _print({device: password}, as_json)
    else:
        _say_logins({who: password})
    _tell(reload_pid)


@commands.command()
def revoke(device: Device, passwords: Passwords = FOLDER / PASSWORDS, reload_pid: ReloadPid = None) -> None:
    """Take a device's password away; the broker ends its session when it reloads."""
    with _spoken():
        credentials.checked(device, RESERVED)
    _change(passwords, lambda text: credentials.revoked(text, device))
    print(f"The credentials of {device} are revoked.")
    _tell(reload_pid)


@commands.command("broker-config")
def broker_config(
    certificate: Annotated[Path, typer.Option(metavar="FILE", help="The broker's certificate with its chain (PEM).")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Its key (PEM).")],
    client_authority: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Devices show a certificate of this authority (PEM) instead of a password."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write there.", show_default=f"print what would be written to {FOLDER}"),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Also over a configuration that is there.")] = False,
    persistence: Annotated[Path, typer.Option(metavar="DIR", help="Where the broker keeps messages.")] = Path(
        "/var/lib/mosquitto"
    ),
    address: Annotated[str, typer.Option(help="The address of this machine on which it listens.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="For TLS.")] = credentials_tls.PORT,
    local_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help="Also without TLS on 127.0.0.1, by password, for our own services.",
            show_default=f"none; {credentials_tls.LOCAL_PORT} with --client-authority",
        ),
    ] = None,
) -> None:
    """Write Mosquitto's configuration: TLS only, each device confined to its own topics, nothing lost silently."""
    try:
        certificate_files.check(certificate, key, client_authority)
    except Failure as failure:
        if out is not None:
            raise
        typer.echo(f"Note: {failure}", err=True)  # what is printed may be for another machine
    folder = (out or FOLDER).resolve()
    if client_authority is not None and local_port is None:
        local_port = credentials_tls.LOCAL_PORT
    files = broker_rules.BrokerFiles(folder / "access.txt", folder / PASSWORDS, persistence.resolve())
    tls = credentials_tls.TlsFiles(
        certificate.resolve(), key.resolve(), client_authority.resolve() if client_authority else None
    )
    texts = {
        folder / "mosquitto.conf": credentials_tls.tls_configuration(
            files, tls, port=port, address=address, local_port=local_port
        ),
        files.access_list: broker_rules.access_list(PLATFORM_USER),
    }
    if out is None:
        for path, text in texts.items():
            print(f"# {path}\n{text}")
        return
    _write(texts, replace=replace)
    _let_us_in(files.passwords)


def _write(texts: Mapping[Path, str], *, replace: bool) -> None:
    there = [path for path in texts if path.exists()]
    if there and not replace:
        raise Failure(f"{there[0]} is there already: add --replace, or name another folder.")
    with _spoken():
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            credentials_file.replace(path, text)
            print(f"wrote {path}")


def _let_us_in(passwords: Path) -> None:
    """See to it that the platform's own users have passwords; those that are there stay."""
    with _spoken():
        there = credentials.users(credentials_file.read(passwords))
    drawn = {who: credentials.new_password() for who in logins.URL_FILES if not logins.names([who]) <= there}
    if not drawn:
        return
    _change(passwords, lambda text: logins.let_in(text, drawn, drawn))
    print(f"wrote {passwords}")
    _say_logins(drawn)


def _say_logins(drawn: Mapping[str, str]) -> None:
    print("For LAMPLIGHTER_MQTT_URL, before the @ (not shown again):")
    for who, password in drawn.items():
        said = users.login(who, password) if who in users.SESSIONS else f"{who}:{password}"
        print(f"  {said:<{_LOGIN_WIDTH}}  {_ALL if who == PLATFORM_USER else who}")


def _registry(settings: Settings) -> Registry:
    async def work() -> Registry:
        async with database(settings) as connection:
            return await registry.load(connection)

    return run(work())


def _in_service(known: Registry, *, with_networks: bool) -> set[str]:
    """The devices in service that can have a password and come to the broker themselves; says of the others why not.

    A device behind a network server is known by its model, which only the gateway asks for, or, where there are
    `with_networks`, by a name that is an EUI.
    """
    found: set[str] = set()
    behind = 0
    for device in sorted({asset.device for asset in known.assets.values() if asset.device and not asset.retired}):
        try:
            credentials.checked(device, RESERVED)
        except credentials.Refused as refused:
            typer.echo(refused, err=True)
            continue
        if known.model(device) or (with_networks and EUI.fullmatch(device)):
            behind += 1
        else:
            found.add(device)
    if behind:
        words = "device comes" if behind == 1 else "devices come"
        typer.echo(f"{behind} {words} by a network server, under the gateway's own user, and got none.", err=True)
    return found


def _change(passwords: Path, edit: Callable[[str], str]) -> None:
    with _spoken():
        credentials_file.change(passwords, edit)


@contextmanager
def _spoken() -> Iterator[None]:
    try:
        yield
    except credentials.Refused as refused:
        raise Failure(str(refused)) from refused
    except OSError as error:
        raise Failure(f"{error.filename or 'A file'} cannot be read or written ({error.strerror}).") from error


def _print(drawn: Mapping[str, str], as_json: bool, as_table: bool = False) -> None:
    if as_json:
        for device, password in drawn.items():
            print(json.dumps({"device": device, "user": device, "password": password}))
    elif as_table:
        csv.writer(sys.stdout, lineterminator="\n").writerows([("device", "password"), *drawn.items()])
    else:
        print(*drawn.values(), sep="\n")


def _tell(pid: int | None) -> None:
    """Have the broker read its files again, or say that it must."""
    sys.stdout.flush()
    if pid is None:
        typer.echo("This holds once the broker reloads: `systemctl reload mosquitto`, or add --reload-pid.", err=True)
        return
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise Failure(
            f"The file is written, but process {pid} could not be told ({error.strerror}): reload the broker yourself."
        ) from error
