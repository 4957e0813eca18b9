"""`lamplighter backup` and `lamplighter restore`: out of danger."""

import datetime as dt
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from lamplighter import backup_files, backup_settings
from lamplighter.cli.session import Config, begin, need_database, run
from lamplighter.clock import real_now
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from lamplighter.settings_sources import DEFAULT_FILE
from storage.backup import archive, restoring, taking
from storage.backup.archive import Manifest
from storage.whole_file import written_whole
from telemetry.clock import to_datetime

STREAM = Path("-")
_MOMENT = "%Y-%m-%d %H:%M:%S UTC"
CLOCKS_APART = dt.timedelta(minutes=5)
"""A city clock further from the real one is worth a word."""

Target = Annotated[
    Path | None,
    typer.Argument(
        help="A folder, a new file, or `-` for standard output. Not given: the folder backup_dir is set to."
    ),
]
Keep = Annotated[int | None, typer.Option(min=1, help="Delete all but so many of the folder's newest backups.")]
WithSettings = Annotated[
    bool, typer.Option("--settings", help="Take settings file, rule file and models along, passwords blanked.")
]
WithSecrets = Annotated[bool, typer.Option("--secrets", help="With --settings: leave passwords in, in clear.")]
BrokerConfig = Annotated[
    Path | None,
    typer.Option("--broker-config", help="Take a Mosquitto's configuration, password file and access list along."),
]


def backup(
    target: Target = None,
    keep: Keep = None,
    with_settings: WithSettings = False,
    secrets: WithSecrets = False,
    broker_config: BrokerConfig = None,
    config: Config = None,
) -> None:
    """Write a backup of all rows as they are at one moment; services go on meanwhile."""
    settings = begin(config)
    made_at = to_datetime(real_now())
    path = _path(target or settings.backup_dir, made_at)
    if keep is not None and path in (STREAM, target):
        raise WrongUsage("--keep counts the backups of a folder: name a folder.")
    if secrets and not with_settings:
        raise WrongUsage("--secrets leaves the passwords of the settings in: it needs --settings.")
    files = _files(config or DEFAULT_FILE, settings, with_settings, secrets, broker_config)
    url = need_database(settings)

    def write(out: BinaryIO) -> Manifest:
        return run(taking.take(url, out, made_at=made_at, files=files))

    try:
        if path == STREAM:
            manifest = write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            with written_whole(path) as out:
                manifest = write(out)
    except OSError as error:
        raise Failure(
            f"The backup {path} cannot be written ({error.strerror or error}): make room, or name another place."
        ) from error
    _say_taken(manifest, path, secrets)
    if keep is not None:
        for gone in backup_files.let_go(path.parent, keep):
            _say(f"deleted {gone}")


def _path(target: Path | None, made_at: dt.datetime) -> Path:
    if target is None:
        raise WrongUsage("Where to? Name a folder or a file, or set LAMPLIGHTER_BACKUP_DIR.")
    if target.is_dir():
        return target / backup_files.name_of(made_at)
    if target != STREAM and target.is_file():
        raise WrongUsage(f"{target} is there already: name a new file, or a folder.")
    return target


def _files(
    file: Path, settings: Settings, with_settings: bool, with_secrets: bool, broker_config: Path | None
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if with_settings:
        files |= backup_settings.settings_files(file, settings, with_secrets=with_secrets)
    if broker_config is not None:
        files |= backup_settings.broker_files(broker_config)
    return files


def _say_taken(manifest: Manifest, path: Path, with_secrets: bool) -> None:
    size = sum(member.size for member in manifest.members.values())
    spelled = f"{size / 1024**2:.1f} MiB" if size >= 1024**2 else f"{size / 1024:.0f} KiB"
    _say(f"wrote {path}: {manifest.rows} rows of {len(manifest.tables)} tables, {spelled}")
    if manifest.files:
        _say(f"with {', '.join(manifest.files)}")
    if "password_file.txt" in manifest.files:
        _say("It holds the salted digests of the broker's passwords: keep it as you keep those.")
    if with_secrets:
        _say("It holds passwords IN CLEAR (--secrets): encrypt it, or keep it where nobody else reads.")
    elif "settings.toml" in manifest.files:
        _say(f"Passwords of the settings are not in it ({backup_settings.BLANK}): keep those elsewhere.")


def restore(
    source: Annotated[Path, typer.Argument(help="The backup, or `-` for standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Compare it with its checksums, and do no more.")] = False,
    files_to: Annotated[
        Path | None, typer.Option("--files-to", metavar="FOLDER", help="Also write the files it took along there.")
    ] = None,
    config: Config = None,
) -> None:
    """Restore a backup into an empty database, after comparing it with its checksums; an older one is upgraded."""
    settings = begin(config)
    url = None if check else need_database(settings)
    try:
        with _opened(source) as file:
            manifest = archive.verify(file)
            _say_found(manifest)
            if files_to is not None:
                file.seek(0)
                _write_files(file, files_to)
            if url is not None:
                file.seek(0)
                _say_restored(run(restoring.restore(url, file, manifest)))
    except archive.Damaged as error:
        raise Failure(f"{source} is no whole backup: {error}. Use another one.") from error
    except OSError as error:
        raise Failure(
            f"{error.filename or source} cannot be used ({error.strerror or error}): name another, or run this as one "
            "who may."
        ) from error


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    """The backup as a file that can be read twice."""
    if source != STREAM:
        with source.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.seek(0)
        yield spool


def _write_files(file: BinaryIO, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in archive.operators_files(file):
        path = folder / Path(name).name
        if path.exists():
            raise Failure(f"{path} is there already: name an empty folder with --files-to.")
        with written_whole(path) as out:
            out.write(content)
        _say(f"wrote {path}")


def _say_found(manifest: Manifest) -> None:
    head = manifest.head
    elsewhere = abs(head.city_time - head.made_at) > CLOCKS_APART
    clock = f", when it was {head.city_time:{_MOMENT}} in the city" if elsewhere else ""
    newest = head.schema[-1].name if head.schema else "none"
    _say(
        f"A whole backup of {head.made_at:{_MOMENT}}{clock}: {manifest.rows} rows, schema {newest}, by Lamplighter "
        f"{head.lamplighter} on PostgreSQL {head.server}"
    )


def _say_restored(done: restoring.Restored) -> None:
    for table, rows in done.rows.items():
        _say(f"{rows:>12} {table}")
    for name in done.schema.applied:
        _say(f"applied {name}")
    for note in done.schema.notes:
        _say(note)
    mode = "TimescaleDB" if done.schema.mode == "timescale" else "plain PostgreSQL"
    _say(
        f"Restored on {mode}. API tokens hold as before; roles of the server have their passwords from you "
        "(`lamplighter_reader` for Grafana). Then `lamplighter doctor`, and `lamplighter up`."
    )


def _say(sentence: str) -> None:
    """On standard error, since a backup may be on standard output."""
    typer.echo(sentence, err=True)
