"""`lamplighter demo`: the whole city on embedded parts."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, run
from lamplighter.cli.spelling import DURATION, MOMENT, parse_duration, parse_moment
from lamplighter.demo.options import DEVICES, HTTP_PORT, MQTT_PORT, SEED, Options


def demo(
    for_s: Annotated[
        float | None, typer.Option("--for", parser=parse_duration, metavar=DURATION, help="Stop by itself after this.")
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=0, max=100_000, help="Simulated devices.", show_default=f"{DEVICES}, or 0 with --replay"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What the simulated city is drawn from.")] = SEED,
    start: Annotated[
        dt.datetime | None,
        typer.Option(
            parser=parse_moment,
            metavar=MOMENT,
            help="City time at the start.",
            show_default="now, or as --replay begins",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, max=100_000, help="How many times as fast as real time.", show_default="1"),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Play a recorded series.")
    ] = None,
    http_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0 picks a free one.", show_default=f"first free one from {HTTP_PORT}"),
    ] = None,
    mqtt_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0 picks a free one.", show_default=f"first free one from {MQTT_PORT}"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False, help="Keep everything here.", show_default="thrown away at the end"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: a line when ready, a line at the end.")
    ] = False,
    config: Config = None,
) -> None:
    """Run the whole city on embedded parts (broker, database, simulated devices) until Ctrl-C."""
    settings = begin(config)
    from lamplighter.demo import views
    from lamplighter.demo.run import run as run_demo  # heavy: all rooms

    options = Options(
        for_s=for_s,
        devices=devices,
        seed=seed,
        start=start or settings.clock_start,
        speed=settings.clock_speed if speed is None else speed,
        replay=replay,
        http_port=http_port,
        mqtt_port=mqtt_port,
        data=data,
    )
    if as_json:
        run(run_demo(options, settings, views.JsonView()))
    elif sys.stdout.isatty():
        with views.ScreenView("Lamplighter") as screen:
            run(run_demo(options, settings, screen))
    else:
        run(run_demo(options, settings, views.LinesView()))
