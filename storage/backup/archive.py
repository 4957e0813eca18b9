"""The file of a backup: a tar of compressed pieces, with a checksum of each at its end; written and read as a stream.

README.txt                      how to read it without Lamplighter
head.json                       what it is of
tables/<table>/000000.copy.gz   rows as `COPY … TO STDOUT` writes them, whole rows, at most `PIECE_BYTES` and a row
files/<name>                    files that the operator wanted in it
manifest.json                   SHA-256 and size of each, columns and rows of each table
manifest.sha256                 the manifest's own; whoever cut the file short lacks it
"""

import datetime as dt
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, BinaryIO

import msgspec

FORMAT = 1
PIECE_BYTES = 4 * 1024 * 1024
"""Rows are cut into pieces so large before compression: as much is in memory."""
_PIECE_BYTES_MAX = 64 * 1024 * 1024
"""A piece that unpacks to more is none of ours: `PIECE_BYTES` and the largest row."""
_CHUNK = 256 * 1024
_SMALL_BYTES_MAX = 16 * 1024 * 1024
"""Head, manifest and the operator's files are read whole."""

README = """\
A backup of Lamplighter. `lamplighter restore FILE` makes a database of it; `sha256sum` compares with manifest.json.

Without Lamplighter: tables/<table>/*.copy.gz are rows as PostgreSQL's COPY writes them, in the columns that
manifest.json lists. `zcat tables/asset/*.copy.gz | psql -c "COPY asset (COLUMNS) FROM STDIN"` reads them.
"""


Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class Damaged(Exception):
    """The backup is not whole, or not one of ours."""


class Migrated(msgspec.Struct, frozen=True):
    """A migration that the database has had."""

    number: int
    name: str
    checksum: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `made_at` is real time, `city_time` the city's at the moment of the snapshot."""

    format: int = FORMAT
    lamplighter: str
    made_at: Moment
    city_time: Moment
    server: str
    mode: str
    timezone: str
    schema: list[Migrated]


class Table(msgspec.Struct):
    """What is there of a table: rows in these columns, in so many pieces."""

    columns: list[str]
    rows: int = 0
    pieces: int = 0


class Member(msgspec.Struct, frozen=True):
    """A part of the file, by its SHA-256 in hexadecimal and its bytes."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, kw_only=True):
    """All that is in a backup: `tables` in the order of their restoring, `members` by name."""

    head: Head
    tables: dict[str, Table] = msgspec.field(default_factory=dict)
    members: dict[str, Member] = msgspec.field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    @property
    def files(self) -> list[str]:
        """The names of the operator's files."""
        return [name.removeprefix("files/") for name in self.members if name.startswith("files/")]


class Writer:
    """Writes a backup to a stream, which need not be seekable; it is one once `finish` has returned."""

    def __init__(self, out: BinaryIO, head: Head, made_s: int) -> None:
        self.manifest = Manifest(head=head)
        self._made_s = made_s
        self._tar = tarfile.open(fileobj=out, mode="w|", bufsize=_CHUNK)  # noqa: SIM115 (closed by finish; a half one is left as it is)
        self._add("README.txt", README.encode())
        self._add("head.json", msgspec.json.format(msgspec.json.encode(head), indent=1))

    def begin_table(self, name: str, columns: list[str]) -> None:
        """Say that pieces of a table follow."""
        self.manifest.tables[name] = Table(columns)

    def add_piece(self, name: str, data: bytes) -> None:
        """Add whole rows of a table, as COPY has written them; takes its time, and may run in a thread."""
        table = self.manifest.tables[name]
        squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
        self._add(f"tables/{name}/{table.pieces:06}.copy.gz", squeeze.compress(data) + squeeze.flush())
        table.pieces += 1
        table.rows += data.count(b"\n")  # COPY writes a line feed within a value as two characters

    def add_file(self, name: str, content: bytes) -> None:
        """Add a file of the operator's under a name of its own."""
        self._add(f"files/{name}", content)

    def finish(self) -> Manifest:
        """Write what tells a whole backup from a part of one."""
        text = msgspec.json.format(msgspec.json.encode(self.manifest), indent=1)
        self._write("manifest.json", text)
        self._write("manifest.sha256", hashlib.sha256(text).hexdigest().encode())
        self._tar.close()
        return self.manifest

    def _add(self, name: str, content: bytes) -> None:
        self._write(name, content)
        self.manifest.members[name] = Member(hashlib.sha256(content).hexdigest(), len(content))

    def _write(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(content), self._made_s, 0o600
        self._tar.addfile(entry, io.BytesIO(content))


def verify(file: BinaryIO) -> Manifest:
    """Read all of a backup and compare it with its manifest; bounded in memory.

    Raises:
        Damaged: it is not whole, is damaged, or is no backup.
    """
    found: dict[str, Member] = {}
    small: dict[str, bytes] = {}
    with _damage_told():
        for entry, content in _entries(file):
            if entry.name in found:
                raise Damaged(f"{entry.name} is in it twice")
            if entry.name.startswith("manifest") and entry.size <= _SMALL_BYTES_MAX:
                small[entry.name] = content.read()
                content = io.BytesIO(small[entry.name])
            found[entry.name] = _measured(content)
    return _compared(found, small)


def _measured(content: BinaryIO) -> Member:
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return Member(digest.hexdigest(), size)


def _compared(found: dict[str, Member], small: dict[str, bytes]) -> Manifest:
    if small.get("manifest.sha256") is None:
        raise Damaged("it has no end: its writing was interrupted, or it was cut short")
    text = small.get("manifest.json", b"")
    if hashlib.sha256(text).hexdigest().encode() != small["manifest.sha256"]:
        raise Damaged("its manifest is not as it was written")
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise Damaged(f"its manifest cannot be read ({error})") from error
    if manifest.head.format != FORMAT:
        raise Damaged(f"it is of format {manifest.head.format}, and this version reads format {FORMAT}")
    for name, member in manifest.members.items():
        if name not in found:
            raise Damaged(f"{name} is missing")
        if found[name] != member:
            raise Damaged(f"{name} is not as it was written")
    if extra := found.keys() - manifest.members.keys() - {"manifest.json", "manifest.sha256"}:
        raise Damaged(f"{min(extra)} does not belong to it")
    return manifest


def pieces(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The pieces of a verified backup in order, unpacked: the table and whole rows of it.

    Raises:
        Damaged: a piece cannot be unpacked.
    """
    with _damage_told():
        for entry, content in _entries(file):
            if entry.name.startswith("tables/"):
                yield entry.name.split("/")[1], _unpacked(entry.name, content.read())


def operators_files(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The operator's files of a verified backup."""
    with _damage_told():
        for entry, content in _entries(file):
            if entry.name.startswith("files/") and entry.size <= _SMALL_BYTES_MAX:
                yield entry.name.removeprefix("files/"), content.read()


def _unpacked(name: str, packed: bytes) -> bytes:
    unpack = zlib.decompressobj(31)
    try:
        data = unpack.decompress(packed, _PIECE_BYTES_MAX)
    except zlib.error as error:
        raise Damaged(f"{name} cannot be unpacked ({error})") from error
    if not unpack.eof:
        raise Damaged(f"{name} unpacks to more than {_PIECE_BYTES_MAX // 1024**2} MiB")
    return data


def _entries(file: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
    """The regular files of the tar, each to be read before the next."""
    with tarfile.open(fileobj=file, mode="r|", bufsize=_CHUNK) as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if content is None:
                raise Damaged(f"{entry.name} is no file")
            yield entry, content  # type: ignore[misc]


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise Damaged(f"it cannot be read ({error})") from error
