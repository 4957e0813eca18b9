"""`lamplighter decode` and `encode`: a device's bytes and what they say, without any service running."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.codecs import answers
from gateway.codecs.answers import Answer
from gateway.codecs.codec import Codec
from lamplighter import plain_text
from lamplighter.errors import Failure, WrongUsage

Model = Annotated[str | None, typer.Argument(metavar="MODEL", help="vendor/device, as docs/devices.md lists them.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=answers.PORT_MAX, metavar="N", help="The LoRaWAN port (fPort) of the message.")
]
Bytes = Annotated[
    str | None, typer.Option("--hex", metavar="BYTES", help="The payload, two hexadecimal digits a byte.")
]
Batch = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON lines, answered one for one; - is standard input. A line: model, kind (uplink, downlink-encode, "
        "downlink-decode), fport, bytes_hex or input.",
    ),
]


def decode(model: Model = None, port: Port = None, payload: Bytes = None, batch: Batch = None) -> None:
    """Decode an uplink: our fields under observation, all else under extra, or why it is refused."""
    if batch is not None:
        if model is not None or port is not None or payload is not None:
            raise WrongUsage("--batch stands alone: each of its lines has its own model, port and bytes.")
        _answer_all(batch)
    elif model is None or payload is None:
        raise WrongUsage("Either MODEL with --hex is needed, or --batch: see `lamplighter decode --help`.")
    else:
        codec = _codec(model)
        try:
            data = answers.octets(payload)
        except ValueError as error:
            raise WrongUsage(f"The payload {error}.") from error
        _print(answers.decoded(codec, port, data))


def encode(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="vendor/device, as docs/devices.md lists them.")],
    wanted: Annotated[
        str, typer.Option("--set", metavar="JSON", help='What to set: {"setpoint_pct": 40}, or the maker\'s own input.')
    ],
) -> None:
    """Encode a downlink: its port and bytes, or why the device knows none."""
    _print(answers.encoded(_codec(model), settings_of(wanted)))


def settings_of(text: str) -> dict[str, Any]:
    """What `--set` says. Raises `WrongUsage`: it is no JSON object."""
    try:
        settings: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise WrongUsage(f"--set is no JSON: {error}.") from error
    if not isinstance(settings, dict):
        raise WrongUsage('--set takes a JSON object such as {"setpoint_pct": 40}.')
    return settings


def _codec(model: str) -> Codec:
    try:
        return answers.codec_of(model)
    except answers.UnknownModel as error:
        raise WrongUsage(str(error)) from error


def _print(answer: Answer) -> None:
    """One answer on standard output; a refusal also ends the command as a failure."""
    _write([answer])
    if "refused" in answer:
        raise Failure(f"Refused as {answer['refused']}: {answer['detail']}.")


def _answer_all(batch: Path) -> None:
    """Answer every line of a file as it is read; refused lines are answers too."""
    if str(batch) == "-":
        _write(map(answers.answered, sys.stdin.buffer))
        return
    try:
        with batch.open("rb") as lines:
            _write(map(answers.answered, lines))
    except OSError as error:
        raise WrongUsage(f"{batch} cannot be read: {error.strerror}.") from error


def _write(several: Iterable[Answer]) -> None:
    for answer in several:
        sys.stdout.write(f"{plain_text.line(msgspec.json.encode(answer).decode())}\n")
