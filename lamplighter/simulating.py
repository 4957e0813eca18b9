"""The simulated devices alone, against a broker that somebody else runs."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim import elsewhere, fleet, places, replay
from firmware_sim.city import COLUMNS, City, write_csv
from firmware_sim.series.recording import BadRecording
from firmware_sim.speech import BadSpeech, Speech, parse_speech
from firmware_sim.vendors import models
from lamplighter.clock import start_clock, ticking
from lamplighter.compose import reach_broker
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from lamplighter.supervise import crew
from telemetry.clock import CityClock


@dataclass(frozen=True)
class Options:
    """What is simulated: a town of so many devices that speak as `speech` says, or a recorded series that is played."""

    devices: int
    seed: int
    series: replay.Replay | None = None
    shift_to_now: bool = False
    for_s: float | None = None
    speech: Speech = field(default_factory=Speech)


@dataclass(frozen=True)
class Outcome:
    """How it went: observations sent, of which the broker has not taken `in_flight`."""

    sent: int
    in_flight: int


def open_series(file: Path) -> replay.Replay:
    """Check a recorded series.

    Raises:
        Failure: it cannot be played; the sentence names file and line.
    """
    try:
        return replay.open_replay(file)
    except BadRecording as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{file} cannot be read ({error.strerror}).") from error


def speech(text: str | None) -> Speech:
    """What devices speak, as the command line spells it; without a word the city's own topics.

    Raises:
        WrongUsage: the text names no languages.
    """
    try:
        return Speech() if text is None else parse_speech(text)
    except BadSpeech as error:
        raise WrongUsage(f"--speak cannot be read: {error}.") from error


def town(settings: Settings, devices: int, seed: int) -> City:
    """The simulated town, at its own place where the settings name none."""
    lat = places.LAT if settings.city_lat is None else settings.city_lat
    lon = places.LON if settings.city_lon is None else settings.city_lon
    return City(devices, seed, lat, lon, settings.timezone)


def registry_csv(city: City, series: replay.Replay | None, speech: Speech) -> str:
    """The devices as `lamplighter registry import` reads them; behind network servers with their models."""
    rows = [*city.rows(), *(series.registry if series else ())]
    named = models(city, speech)
    if not named:
        return write_csv(rows)
    return write_csv([{**row, "model": named.get(row["device"], "")} for row in rows], (*COLUMNS, "model"))


async def simulate(options: Options, settings: Settings, mqtt_url: str) -> Outcome:
    """Let the devices live until a signal, the end of the series, or `options.for_s` seconds.

    They live by the clock that the platform retains at the broker; where there is none, by that of the settings.

    Raises:
        Failure: the broker cannot be used, or a series cannot be played on this clock.
    """
    async with crew() as members:
        await reach_broker(mqtt_url)
        clock = await elsewhere.platform_clock(mqtt_url)
        clock = clock or start_clock(settings.clock_start, settings.clock_speed)
        stop = asyncio.Event()
        work = asyncio.create_task(_live(options, settings, mqtt_url, clock, stop))
        work.add_done_callback(lambda _: members.ask_to_stop())
        await members.until_asked_to_stop(options.for_s)
        stop.set()
        return await work


async def _live(options: Options, settings: Settings, mqtt_url: str, clock: CityClock, stop: asyncio.Event) -> Outcome:
    now = ticking(clock)
    if options.series is None:
        city = town(settings, options.devices, options.seed)
        lived = await fleet.run(mqtt_url, city, now, speed=clock.speed, stop=stop, speech=options.speech)
        return Outcome(lived.observations, lived.in_flight)
    try:
        played = await replay.run(
            options.series, mqtt_url, now, speed=clock.speed, stop=stop, shift_to_now=options.shift_to_now
        )
    except elsewhere.ClockElsewhere as error:
        raise Failure(str(error)) from error
    return Outcome(played.published, played.in_flight)
