"""The demo's words: as JSON for programs, as lines for a file, as a live screen for people."""

import json
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lamplighter.demo.report import Glance, Ready, Summary
from telemetry.clock import to_datetime


class JsonView:
    """One line when ready, one at the end."""

    is_live = False

    def ready(self, ready: Ready) -> None:
        """The first line."""
        print(json.dumps(ready.document()), flush=True)

    def glance(self, glance: Glance) -> None:
        """Nothing in between."""

    def finished(self, summary: Summary) -> None:
        """The last line."""
        print(json.dumps(summary.document()), flush=True)


class LinesView:
    """Plain lines, where standard output is no terminal."""

    is_live = False

    def ready(self, ready: Ready) -> None:
        """Where the city answers."""
        for name, value in _links(ready):
            print(f"{name:<18}{value}", flush=True)
        if ready.missing:
            print(f"Note: {ready.missing}.", flush=True)

    def glance(self, glance: Glance) -> None:
        """Nothing in between."""

    def finished(self, summary: Summary) -> None:
        """How it went."""
        print(_closing_words(summary), flush=True)


class ScreenView:
    """A live screen; `async with` nothing, but `with` it."""

    is_live = True

    def __init__(self, title: str) -> None:
        self._title = title
        self._console = Console()
        self._live = Live(Text("Starting the city …"), console=self._console, auto_refresh=False)
        self._ready: Ready | None = None

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def ready(self, ready: Ready) -> None:
        """Where the city answers."""
        self._ready = ready

    def glance(self, glance: Glance) -> None:
        """Draw the city of this moment."""
        self._live.update(self._picture(glance), refresh=True)

    def finished(self, summary: Summary) -> None:
        """How it went, below the last picture."""
        self._live.stop()
        self._console.print(_closing_words(summary), highlight=False)

    def _picture(self, glance: Glance) -> Panel:
        figures = Table.grid(padding=(0, 2))
        figures.add_column(style="bold")
        for name, value in _figures(glance):
            figures.add_row(name, value)
        links = Table.grid(padding=(0, 2))
        links.add_column(style="bold")
        links.add_column(overflow="fold")
        if self._ready is not None:
            for name, value in _links(self._ready):
                links.add_row(name, Text(value))
        parts: list[RenderableType] = [figures, Text(), links]
        if self._ready is not None and self._ready.missing:
            parts += [Text(), Text(f"Note: {self._ready.missing}.", style="yellow")]
        fast = "" if glance.speed == 1 else f", {glance.speed:g} × real time"
        title = f"{self._title}, {to_datetime(glance.city_us):%Y-%m-%d %H:%M:%S} UTC{fast}"
        return Panel(Group(*parts), title=title, subtitle="Ctrl-C ends it", padding=(1, 2))


def _figures(glance: Glance) -> list[tuple[str, str]]:
    now, account = glance.figures, glance.figures.ledger
    fates = f"{account.stored:,} stored + {account.duplicate:,} duplicate + {account.quarantined:,} quarantined"
    flying = f" + {account.in_flight:,} in flight" if account.in_flight else ""
    behind = f", {glance.lag_s:.1f} s behind" if glance.lag_s > 1 else ""
    return [
        ("Messages", f"{glance.per_s:,.0f} a second from {glance.devices:,} simulated devices{behind}"),
        ("Ledger", f"{account.received:,} received = {fates}{flying}"),
        ("Alarms", f"{now.alarms_active} active, {now.alarms_raised} raised"),
        (
            "Commands",
            f"{now.commands_verified} verified of {now.commands_queued}"
            + (f", {now.commands_lost} lost" if now.commands_lost else ""),
        ),
        ("Lamps", f"{now.lamps_lit} of {now.lamps} lit, {now.light_pct:.0f} % light on average"),
        ("Parking", f"{now.bays_free} of {now.bays} bays free"),
    ]


def _links(ready: Ready) -> list[tuple[str, str]]:
    return [
        ("Residents' page", ready.http),
        ("API", f"{ready.http}/docs"),
        ("MQTT", ready.mqtt),
        ("Database", ready.database),
        ("Admin's token", ready.ops_token),
    ]


def _closing_words(summary: Summary) -> str:
    account, figures = summary.figures.ledger, summary.figures
    return (
        f"{summary.received:,} observations in {summary.seconds:.0f} s. Ledger: {account.received:,} received = "
        f"{account.stored:,} stored + {account.duplicate:,} duplicate + {account.quarantined:,} quarantined. "
        f"{figures.alarms_raised} alarm{'' if figures.alarms_raised == 1 else 's'} raised, "
        f"{figures.commands_verified} command{'' if figures.commands_verified == 1 else 's'} verified."
    )
