"""`lamplighter demo`: the whole city on embedded parts."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, run
from lamplighter.cli.spelling import DURATION, MOMENT, Speak, parse_duration, parse_moment
from lamplighter.demo.options import DEVICES, HTTP_PORT, MQTT_PORT, SEED, Options

For = Annotated[
    float | None, typer.Option("--for", parser=parse_duration, metavar=DURATION, help="Stop by itself after this.")
]
Devices = Annotated[
    int | None,
    typer.Option(min=0, max=100_000, help="Simulated devices.", show_default=f"{DEVICES}, or 0 with --replay"),
]
Seed = Annotated[int, typer.Option(min=0, help="What the simulated city is drawn from.")]
Start = Annotated[
    dt.datetime | None,
    typer.Option(
        parser=parse_moment,
        metavar=MOMENT,
        help="City time at the start.",
        show_default="now, or just before the replay begins",
    ),
]
Speed = Annotated[
    float | None, typer.Option(min=0.001, max=100_000, help="How many times as fast as real time.", show_default="1")
]
Replay = Annotated[
    Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Play a recorded series.")
]
HttpPort = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="0 picks a free one.", show_default=f"first free one from {HTTP_PORT}"),
]
MqttPort = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="0 picks a free one.", show_default=f"first free one from {MQTT_PORT}"),
]
Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", file_okay=False, help="Keep everything here.", show_default="kept nowhere"),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: a line when ready, a line at the end.")]


def demo(
    for_s: For = None,
    devices: Devices = None,
    seed: Seed = SEED,
    start: Start = None,
    speed: Speed = None,
    speak: Speak = None,
    replay: Replay = None,
    http_port: HttpPort = None,
    mqtt_port: MqttPort = None,
    data: Data = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Run the whole city on embedded parts (broker, database, simulated devices) until Ctrl-C."""
    settings = begin(config)
    from lamplighter import simulating
    from lamplighter.demo import views
    from lamplighter.demo.run import run as run_demo  # heavy: all rooms

    options = Options(
        for_s=for_s,
        devices=devices,
        seed=seed,
        start=start or settings.clock_start,
        speed=settings.clock_speed if speed is None else speed,
        speech=simulating.speech(speak),
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
