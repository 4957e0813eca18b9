"""`lamplighter simulate`: the simulated devices alone."""

from pathlib import Path
from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, need_broker, run
from lamplighter.cli.spelling import DURATION, Speak, parse_duration
from lamplighter.demo.options import DEVICES, SEED
from lamplighter.errors import WrongUsage


def simulate(
    devices: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Simulated devices.", show_default=str(DEVICES))
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What the simulated city is drawn from.")] = SEED,
    speak: Speak = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Play a recorded series in place of devices."),
    ] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move the series so that it begins at this moment.")
    ] = False,
    registry: Annotated[
        bool, typer.Option("--registry", help="Print the devices for `lamplighter registry import`, and do no more.")
    ] = False,
    for_s: Annotated[
        float | None, typer.Option("--for", parser=parse_duration, metavar=DURATION, help="Stop by itself after this.")
    ] = None,
    config: Config = None,
) -> None:
    """Let simulated devices live against any broker, until Ctrl-C or the end of the replay."""
    settings = begin(config)
    from lamplighter import simulating  # heavy

    if replay is not None and speak is not None:
        raise WrongUsage("A recorded series speaks the city's own topics: give --speak or --replay.")
    if replay is not None and devices is not None:
        raise WrongUsage("Either devices are simulated or a series is played: give --devices or --replay.")
    if shift_to_now and replay is None:
        raise WrongUsage("Only a replay can be shifted: give --replay too.")
    series = simulating.open_series(replay) if replay else None
    speech = simulating.speech(speak)
    options = simulating.Options(0 if series else devices or DEVICES, seed, series, shift_to_now, for_s, speech)
    if registry:
        city = simulating.town(settings, options.devices, options.seed)
        print(simulating.registry_csv(city, options.series, options.speech), end="")
        return
    outcome = run(simulating.simulate(options, settings, need_broker(settings)))
    lost = f"; the broker has not taken {outcome.in_flight} of them" if outcome.in_flight else ""
    print(f"{outcome.sent:,} observations sent{lost}.")
