"""`lamplighter dashboards preview`: what operators will see, without Grafana."""

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lamplighter.cli.dashboards import town_of
from lamplighter.cli.session import Config, begin, database, need_database, run
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from storage import reader
from storage.errors import StorageError
from telemetry.clock import to_us

if TYPE_CHECKING:
    from dashboards.preview.document import Look

Json = dict[str, Any]
Theme = Literal["dark", "light"]

_NOW = "SELECT city_now()"

Out = Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where the pages are written.")]
Png = Annotated[
    Path | None, typer.Option("--png", metavar="DIR", file_okay=False, help="Take a picture of each page, by Chromium.")
]
Boards = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]…", help="Which dashboards.", show_default="all of them")
]
Demo = Annotated[
    bool,
    typer.Option("--demo", help="Show a simulated evening, which takes two minutes, not a database of the settings."),
]
Choices = Annotated[
    list[str] | None,
    typer.Option(
        "--var",
        metavar="[DASHBOARD.]NAME=VALUE",
        help="What is chosen of a variable, in one dashboard or in all that have it; repeatable.",
    ),
]


def preview(
    names: Boards = None,
    out: Out = Path("preview"),
    png: Png = None,
    theme: Annotated[Theme, typer.Option("--theme", help="How the pictures look; pages take ?theme=light.")] = "dark",
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=24 * 366, help="How much time is shown.")] = 6,
    choices: Choices = None,
    demo: Demo = False,
    config: Config = None,
) -> None:
    """Draw dashboards with Grafana's own UI library from the answers of a database, read as Grafana's role.

    For developers, from the source tree: it needs Node.js with npm, and fetches Grafana's library at its first use.
    """
    settings = begin(config)
    shown = _chosen_boards(names or [])
    named = _named(choices or [])
    if not demo:
        need_database(settings)
    try:
        from dashboards.preview import bundle, pages
        from dashboards.preview.document import Look
    except ImportError as error:
        raise Failure("The preview is a tool for developers: run it from the source tree, which brings it.") from error
    try:
        made = bundle.bundle()
        documents = run(_documents(settings, shown, Look(0, "UTC", hours), named, demo))
        _check_used(named, documents)
        written = pages.write(out, made, documents)
        for page in written:
            print(page)
        if png is not None:
            pictures = [png / f"{name}.png" for name in documents]
            for page, document, picture in zip(written, documents.values(), pictures, strict=True):
                pages.picture(page, document, picture, theme)
                print(picture)
            bundle.shrink(pictures)
    except (bundle.CannotBundle, pages.NoPicture, StorageError) as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"The preview cannot be written ({error}): name another folder with --out or --png.") from error


def _chosen_boards(names: list[str]) -> list[str]:
    """The named dashboards, else all, in the order in which one looks at them."""
    from dashboards.build import BOARDS  # heavy

    for name in names:
        if name not in BOARDS:
            raise WrongUsage(f"There is no dashboard {name}: there are {', '.join(BOARDS)}.")
    return [name for name in BOARDS if not names or name in names]


def _named(choices: list[str]) -> dict[str, list[str]]:
    """The values named on the command line by their variable."""
    named: dict[str, list[str]] = {}
    for text in choices:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise WrongUsage(f"--var {text} cannot be read: write NAME=VALUE.")
        named.setdefault(name, []).append(value)
    return named


def _of_board(named: dict[str, list[str]], board: str) -> dict[str, list[str]]:
    """What is named for one dashboard: for all, and, with its name and a dot before it, for it alone."""
    return {
        variable: values
        for key, values in named.items()
        for of, _, variable in [key.rpartition(".")]
        if of in ("", board)
    }


def _check_used(named: dict[str, list[str]], documents: dict[str, Json]) -> None:
    """Refuse a value that no dashboard's variable has, because it was meant to do something."""
    used = {
        (key, value)
        for board, document in documents.items()
        for each in document["variables"]
        for value in ([each["value"]] if isinstance(each["value"], str) else each["value"])
        for key in (each["name"], f"{board}.{each['name']}")
    }
    for key, values in named.items():
        for value in values:
            if (key, value) not in used:
                raise WrongUsage(f"--var {key}={value} fits no variable of these dashboards.")


async def _documents(
    settings: Settings, shown: list[str], look: "Look", named: dict[str, list[str]], demo: bool
) -> dict[str, Json]:
    """The document of each dashboard, from the database of the settings or from a simulated evening.

    They have the figures of the rules that are active there, as those have that are pushed into a Grafana.
    """
    from dashboards import build  # heavy
    from dashboards.preview.document import document

    async with AsyncExitStack() as stack:
        if demo:
            from lamplighter.demo.evening import evening  # heavy: all rooms

            url = await stack.enter_async_context(evening(settings))
            settings = settings.model_copy(update={"database_url": url})
        connection = await stack.enter_async_context(database(settings))
        built = build.documents(await town_of(settings, connection))
        boards = {name: json.loads(built[f"{name}.json"]) for name in shown}
        ask = await stack.enter_async_context(reader.reading(connection))
        ((now,),) = (await ask(_NOW)).rows
        look = replace(look, now_us=to_us(now), timezone=settings.timezone)
        pages = {board["uid"]: f"{name}.html" for name, board in boards.items()}
        return {
            name: await document(board, ask, replace(look, chosen=_of_board(named, name)), pages)
            for name, board in boards.items()
        }
