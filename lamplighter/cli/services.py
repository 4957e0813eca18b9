"""`lamplighter up`, `ingest`, `upkeep`, `gateway`, `rules`, `api`: services against broker and database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamplighter.allocator import give_back_freed_memory
from lamplighter.cli.session import Config, begin, need_broker, need_database, run
from lamplighter.errors import WrongUsage

if TYPE_CHECKING:
    from lamplighter.running import Service

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        metavar="PORT",
        min=1,
        max=65535,
        help="Tell Prometheus its figures on this port of 127.0.0.1.",
    ),
]


def up(config: Config = None) -> None:
    """Run all services against the configured broker and database; the gateway where network servers are set."""
    _serve(config, "ingest", "upkeep", "gateway", "rules", "api")


def gateway(metrics_port: MetricsPort = None, config: Config = None) -> None:
    """Translate between network servers (ChirpStack, The Things Stack, Sparkplug) and the city's own topics."""
    _serve(config, "gateway", metrics_port=metrics_port)


def ingest(
    share: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Divide the uplinks among all processes with the same NAME; with --member."),
    ] = None,
    member: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Which of these processes this one is: each has a number of its own and keeps it when it is started "
            "again, since what the broker holds for it reaches nobody else.",
        ),
    ] = None,
    retire: Annotated[
        bool,
        typer.Option(
            "--retire",
            help="Give this process's place up for good, after it was stopped: store what waits for it at the broker, "
            "which then keeps nothing more for it.",
        ),
    ] = False,
    without_upkeep: Annotated[
        bool,
        typer.Option("--without-upkeep", help="Leave old data to `lamplighter upkeep`, run as the database's owner."),
    ] = False,
    metrics_port: MetricsPort = None,
    config: Config = None,
) -> None:
    """Store what devices send, and look after old data.

    One process takes all uplinks. Several divide them: `--share city --member 1`, `--share city --member 2`, and so on.
    A member that is away keeps its part waiting at the broker, for up to 7 days: start it again with its number, or
    `--retire` it. Who goes over from one process to several starts the members first, and then retires the one.
    Beside Mosquitto run one: it forgets a share when it is restarted.
    """
    if (share is None) != (member is None):
        raise WrongUsage("--share and --member go together: --share city --member 1, --share city --member 2.")
    if share is not None and not share.isidentifier():
        raise WrongUsage(f"{share!r} is no name for a share: use letters, digits and underscores.")
    seat = None if share is None or member is None else (share, member)
    if retire:
        _retire(config, seat)
    elif without_upkeep:
        _serve(config, "ingest", seat=seat, metrics_port=metrics_port)
    else:
        _serve(config, "ingest", "upkeep", seat=seat, metrics_port=metrics_port)


def _retire(config: Path | None, seat: tuple[str, int] | None) -> None:
    settings = begin(config, is_service=True)
    database_url, mqtt_url = need_database(settings), need_broker(settings)
    from lamplighter import running  # heavy: all rooms

    waited = run(running.retire(settings, database_url, mqtt_url, running.Seat(*seat) if seat else None))
    typer.echo(f"Retired: {waited} observations that waited are settled, and the broker keeps no more for it.")


def upkeep(metrics_port: MetricsPort = None, config: Config = None) -> None:
    """Look after old data: partitions, rollups, compression, retention, the nightly checks. Needs no broker."""
    settings = begin(config, is_service=True)
    database_url = need_database(settings)
    from lamplighter.running import serve  # heavy: all rooms

    run(serve(settings, database_url, "", ["upkeep"], metrics_port=metrics_port))


def rules(metrics_port: MetricsPort = None, config: Config = None) -> None:
    """Decide: dim lamps, raise alarms, count free bays. Of several such processes one leads."""
    give_back_freed_memory()  # a flood or a dusk is over, and so is what it takes
    _serve(config, "rules", metrics_port=metrics_port)


def api(config: Config = None) -> None:
    """Serve the API and the residents' page."""
    _serve(config, "api")


def _serve(
    config: Path | None, *services: "Service", seat: tuple[str, int] | None = None, metrics_port: int | None = None
) -> None:
    settings = begin(config, is_service=True)
    if "gateway" in services and not settings.gateway_networks:
        if len(services) == 1:
            raise WrongUsage("No network server is named: set LAMPLIGHTER_GATEWAY_NETWORKS, or gateway_networks.")
        services = tuple(each for each in services if each != "gateway")
    database_url, mqtt_url = need_database(settings), need_broker(settings)
    from lamplighter import tracing
    from lamplighter.running import Seat, serve  # heavy: all rooms

    with tracing.told():
        run(serve(settings, database_url, mqtt_url, services, Seat(*seat) if seat else None, metrics_port))
