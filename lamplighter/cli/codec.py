"""`lamplighter codec`: makers' own JavaScript codecs, tried and kept; each runs sandboxed."""

import asyncio
import getpass
import re
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.codecs.answers import PORT_MAX, octets, refused
from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Undecodable, Unencodable
from gateway.scripts import vendor
from gateway.scripts.answers import answered_all
from gateway.scripts.bounds import SOURCE_BYTES_MAX
from gateway.scripts.mapping import FieldMapping
from gateway.scripts.mapping_file import MAPPING_BYTES_MAX, MappingMistakes, understand
from gateway.scripts.sandbox import NoWorker, ScriptFault
from gateway.scripts.vendor import VendorCodec
from lamplighter.cli.decode import settings_of
from lamplighter.cli.session import Config, begin, database, run
from lamplighter.cli.tables import print_table
from lamplighter.clock import real_now
from lamplighter.errors import Failure, WrongUsage
from storage import codecs
from storage.codecs import StoredCodec
from telemetry.clock import to_datetime

commands = typer.Typer(help="Makers' own JavaScript codecs: try one, keep one for a model, list them.")

_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")
_LICENCE = re.compile(r"SPDX-License-Identifier:\s*([A-Za-z0-9.+() -]+?)\s*(?:\*/)?\s*$", re.MULTILINE)
NO_LICENCE_KNOWN = "NOASSERTION"

File = Annotated[Path, typer.Argument(metavar="FILE", help="The maker's codec, one JavaScript file.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="TOML: which of its values are which of our fields, in which unit."),
]
Reuse = Annotated[
    bool, typer.Option("--reuse", help="Keep its context between messages: faster, for a codec that you trust.")
]


@commands.command()
def add(
    file: File,
    model: Annotated[
        str | None,
        typer.Option(metavar="VENDOR/DEVICE", help="Whose it is.", show_default="the file's name, vendor__device.js"),
    ] = None,
    origin: Annotated[str | None, typer.Option(metavar="URL", help="Where it was got from.")] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", metavar="SPDX", help="Its licence.", show_default="what the file says")
    ] = None,
    mapping: MappingFile = None,
    reuse: Reuse = False,
    config: Config = None,
) -> None:
    """Keep a maker's codec for a model, in place of the one before, once it has been read without a mistake."""
    settings = begin(config)
    data, source = _source(file)
    mapping_text = None if mapping is None else _mapping_text(mapping)
    name = _model(file, model)
    entries = run(_entries(source, None if mapping is None else _understood(mapping)))
    if not {"decodeUplink", "Decoder", "Decode"} & set(entries):
        raise Failure(f"{file} has none of decodeUplink, Decoder and Decode: it cannot read an uplink.")
    said = _LICENCE.search(source)
    kept = StoredCodec(
        model=name,
        source=source,
        sha256=vendor.digest(data),
        origin=origin or f"file {file.name}",
        licence=licence or (said[1] if said else NO_LICENCE_KNOWN),
        mapping=mapping_text,
        reused=reuse,
        added_at=to_datetime(real_now()),
        added_by=_user(),
    )

    async def work() -> str | None:
        async with database(settings) as connection:
            return await codecs.put(connection, kept)

    before = run(work())
    replaced = "" if before is None else f" It replaces {before[:12]}."
    print(f"{name} is read by {', '.join(entries)} of {kept.sha256[:12]} ({kept.licence}, {kept.origin}).{replaced}")
    if mapping is None:
        typer.echo("Without --mapping its values are kept beside observations, but make none.", err=True)
    if name in catalogue():
        typer.echo(f"Lamplighter has a codec of its own for {name}; this one goes before it.", err=True)


@commands.command("list")
def list_codecs(config: Config = None) -> None:
    """List the codecs that are kept."""
    settings = begin(config)

    async def work() -> list[StoredCodec]:
        async with database(settings) as connection:
            return await codecs.load(connection)

    rows = [
        [
            each.model, each.sha256[:12], each.licence, each.origin, "yes" if each.mapping else "no",
            "reused" if each.reused else "fresh", f"{each.added_at:%Y-%m-%d %H:%M}Z", each.added_by,
        ]
        for each in run(work())
    ]  # fmt: skip
    print_table(["model", "sha256", "licence", "origin", "mapping", "context", "added", "by"], rows)


@commands.command()
def remove(
    model: Annotated[str, typer.Argument(metavar="VENDOR/DEVICE", help="As `list` shows it.")], config: Config = None
) -> None:
    """Forget a model's codec."""
    settings = begin(config)

    async def work() -> bool:
        async with database(settings) as connection:
            return await codecs.remove(connection, model)

    if not run(work()):
        raise Failure(f"There is no codec for {model}: `lamplighter codec list` shows all.")
    print(f"The codec of {model} is forgotten.")


@commands.command("run")
def run_codec(
    file: File,
    port: Annotated[int | None, typer.Option(min=0, max=PORT_MAX, metavar="N", help="The LoRaWAN port.")] = None,
    payload: Annotated[
        str | None, typer.Option("--hex", metavar="BYTES", help="The payload, two hexadecimal digits a byte.")
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON lines, answered one for one; - is standard input. A line: kind (uplink, downlink-encode, "
            "downlink-decode), fport, bytes_hex or input.",
        ),
    ] = None,
    wanted: Annotated[
        str | None,
        typer.Option("--set", metavar="JSON", help='A downlink of ours by --mapping: {"setpoint_pct": 40}.'),
    ] = None,
    mapping: MappingFile = None,
    reuse: Reuse = False,
) -> None:
    """Run a maker's codec on an uplink or a batch and print its own output; with --mapping, our fields and settings."""
    _, source = _source(file)
    fields = None if mapping is None else _understood(mapping)
    if batch is not None:
        if not {payload, port, mapping, wanted} <= {None}:
            raise WrongUsage("--batch goes alone: each line has its own kind, port and bytes or input.")
        run(_print_batch(source, reuse, batch))
    elif wanted is not None:
        if fields is None or payload is not None or port is not None:
            raise WrongUsage("--set goes with --mapping, which says what our settings are called there, and alone.")
        run(_print_downlink(source, fields, reuse, settings_of(wanted)))
    elif payload is None:
        raise WrongUsage("Either --hex is needed, or --batch: see `lamplighter codec run --help`.")
    else:
        try:
            data = octets(payload)
        except ValueError as error:
            raise WrongUsage(f"The payload {error}.") from error
        run(_print_one(source, fields, reuse, port, data))


async def _print_one(source: str, fields: FieldMapping | None, reuse: bool, port: int | None, data: bytes) -> None:
    """One answer on standard output; a refusal also ends the command as a failure."""
    async with _opened(source, fields, reuse) as codec:
        try:
            if fields is None:
                _write(await codec.uplink(port, data))
            else:
                reading = await codec.decode(port, data)
                _write(msgspec.json.encode({"observation": reading.observation, "extra": reading.extra}))
        except Undecodable as refusal:
            _write(msgspec.json.encode(refused("undecodable", str(refusal))))
            raise Failure(f"Refused as undecodable: {refusal}.") from refusal


async def _print_downlink(source: str, fields: FieldMapping, reuse: bool, settings: dict[str, Any]) -> None:
    """The downlink of settings of ours on standard output; a refusal also ends the command as a failure."""
    async with _opened(source, fields, reuse) as codec:
        try:
            frame = await codec.encode(fields.wanted(settings))
        except Unencodable as refusal:
            _write(msgspec.json.encode(refused("unencodable", str(refusal))))
            raise Failure(f"Refused as unencodable: {refusal}.") from refusal
        _write(msgspec.json.encode({"port": frame.port, "fport": frame.port, "bytes_hex": frame.payload.hex()}))


async def _print_batch(source: str, reuse: bool, batch: Path) -> None:
    async def answer(lines: Iterable[bytes]) -> None:
        async with _opened(source, None, reuse) as codec, aclosing(answered_all(codec, lines)) as answers:
            async for each in answers:
                _write(each)

    if str(batch) == "-":
        await answer(sys.stdin.buffer)
        return
    try:
        lines = await asyncio.to_thread(batch.open, "rb")
    except OSError as error:
        raise WrongUsage(f"{batch} cannot be read: {error.strerror}.") from error
    with lines:
        await answer(lines)


async def _entries(source: str, fields: FieldMapping | None) -> list[str]:
    async with _opened(source, fields, False) as codec:
        try:
            return await codec.entries()
        except ScriptFault as fault:
            raise Failure(f"It is not kept: {fault}.") from fault


@asynccontextmanager
async def _opened(source: str, fields: FieldMapping | None, reuse: bool) -> AsyncIterator[VendorCodec]:
    codec = VendorCodec(source, fields, reuse=reuse)
    try:
        yield codec
    except NoWorker as error:
        raise Failure(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    finally:
        await codec.close()


def _source(file: Path) -> tuple[bytes, str]:
    """A codec's file as it is, and its text."""
    data = _bytes(file, SOURCE_BYTES_MAX)
    try:
        return data, vendor.source_text(data)
    except vendor.BadSource as error:
        raise WrongUsage(f"{file} is no codec: {error}.") from error


def _mapping_text(file: Path) -> str:
    try:
        return _bytes(file, MAPPING_BYTES_MAX).decode()
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{file} is no UTF-8 from its byte {error.start} on.") from error


def _understood(file: Path) -> FieldMapping:
    try:
        return understand(_mapping_text(file))
    except MappingMistakes as error:
        for mistake in error.mistakes[:-1]:
            typer.echo(f"{file}: {mistake}", err=True)
        raise WrongUsage(f"{file}: {error.mistakes[-1]}") from error


def _bytes(file: Path, most: int) -> bytes:
    """A file's bytes, and at most one more than are allowed."""
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        raise WrongUsage(f"{file} cannot be read: {error.strerror}.") from error
    if len(data) > most:
        raise WrongUsage(f"{file} is larger than {most >> 10} KiB.")
    return data


def _model(file: Path, model: str | None) -> str:
    """The model's name: as given, or by the file's name `vendor__device.js`, or by its folder's and its own."""
    name = (model or file.stem.replace("__", "/")).strip().lower()
    if "/" not in name and model is None:
        name = f"{file.resolve().parent.name}/{name}".lower()
    if not _MODEL.fullmatch(name):
        raise WrongUsage(f"{name!r} is no model: --model takes vendor/device, such as bosch/tps110.")
    return name


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _write(answer: bytes) -> None:
    sys.stdout.write(f"{answer.decode()}\n")
