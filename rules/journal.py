"""The leader's journal: records on its own disk while the database is away, in order, synced, bounded.

A file of frames: the length of the payload and its CRC-32 as two big-endian 32-bit numbers, then the payload, which is
MessagePack, compressed. The first frame names the term; each further one is a record. A frame that a crash has cut
short was never durable, so nobody has been told that it was: it is cut off. What lies behind a frame that is damaged
otherwise goes with it. Both are kept beside the journal for people, and the log says so.
"""

import asyncio
import errno
import fcntl
import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from rules.record import Record
from telemetry.limits import RULES_JOURNAL_BYTES_MAX

_FRAME = struct.Struct(">II")
_FORMAT = 1
_LEVEL = 1
_encode = msgspec.msgpack.Encoder().encode
_records = msgspec.msgpack.Decoder(Record)
_log = structlog.get_logger(__name__)


class _Head(msgspec.Struct, frozen=True):
    """The first frame."""

    term: int
    format: int = _FORMAT


_heads = msgspec.msgpack.Decoder(_Head)


class InUse(Exception):
    """Another process of this machine has the journal."""


class Journal:
    """The journal in a folder of its own, which is made if need be; `open` it, then use it, then `close` it.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._path, self._lock_path, self._cut = folder / "journal", folder / "lock", folder / "journal.cut"
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        self._lock = self._file = -1
        self.size = 0
        self.owner = _name_of(folder)
        """A name for whoever writes here, the same after a restart."""
        self.term = 0
        """The term of what is in it; 0 while nothing is."""
        self.appending = False
        """Whether a record is being written at the moment."""

    def open(self) -> None:
        """Take it for this process alone, and look what is in it.

        Raises:
            InUse: another process has it.
            OSError: it cannot be read or written.
        """
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise InUse from error
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._mend()

    def close(self) -> None:
        """Let go of it; what is in it stays."""
        os.close(self._file)
        os.close(self._lock)

    @property
    def holds_something(self) -> bool:
        """Whether there is anything in it, open or not."""
        return self._path.exists() and self._path.stat().st_size > 0

    @property
    def empty(self) -> bool:
        """Whether all that was in it has been passed on."""
        return self.term == 0

    @property
    def full(self) -> bool:
        """Whether it is at its bound."""
        return self.size >= RULES_JOURNAL_BYTES_MAX

    async def append(self, term: int, decided: Record) -> None:
        """Write a record behind the others; it is durable when this returns. All are of one term.

        Raises:
            OSError: it is not durable, and not in the journal.
        """
        assert self.term in (0, term), "what another term has left is passed on first"
        frames = b"" if self.term else _frame(_Head(term))
        frames += _frame(decided)
        self.appending = True
        try:
            await asyncio.to_thread(self._write, frames)
            self.term, self.size = term, self.size + len(frames)
        finally:
            self.appending = False

    def _write(self, frames: bytes) -> None:
        try:
            if os.pwrite(self._file, frames, self.size) < len(frames):
                raise OSError("the disk is full")
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self.size)
            raise

    def lots(self, bytes_max: int, after: int = 0) -> Iterator[list[Record]]:
        """The records with a number above `after`, also those that are added meanwhile, in lots of about so many bytes.

        Bytes are those of the records as they are worked with, not as they are kept: a lot is bounded in memory.

        Raises:
            OSError: it cannot be read.
        """
        lot: list[Record] = []
        size = 0
        for start, end, payload in self._frames():
            if start == 0:
                continue
            text = zlib.decompress(payload)
            found = _records.decode(text)
            if found.number > after:
                lot.append(found)
                size += len(text)
            if lot and (size >= bytes_max or end >= self.size):
                yield lot
                lot, size = [], 0

    def set_aside(self) -> None:
        """Nobody can use what is in it: it is kept beside the journal for people.

        Raises:
            OSError: it is still there.
        """
        self._cut.write_bytes(os.pread(self._file, self.size, 0))
        self.clear()

    def clear(self) -> None:
        """All has been passed on, and nothing is being written.

        Raises:
            OSError: it is still there.
        """
        os.ftruncate(self._file, 0)
        os.fsync(self._file)
        self.term = self.size = 0

    def _frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Where each sound frame begins and ends, and its payload; up to the first that is not sound."""
        start = 0
        while start < self.size:
            header = os.pread(self._file, _FRAME.size, start)
            if len(header) < _FRAME.size:
                return
            length, checksum = _FRAME.unpack(header)
            end = start + _FRAME.size + length
            payload = os.pread(self._file, length, start + _FRAME.size) if end <= self.size else b""
            if len(payload) < length or zlib.crc32(payload) != checksum:
                return
            yield start, end, payload
            start = end

    def _mend(self) -> None:
        """Find the end of what is sound, and set aside what lies behind it."""
        self.term, self.size = 0, os.fstat(self._file).st_size
        there, sound = self.size, 0
        for start, end, payload in self._frames():
            try:
                if start:
                    _records.decode(zlib.decompress(payload))
                else:
                    self.term = _heads.decode(zlib.decompress(payload)).term
            except (zlib.error, msgspec.MsgspecError):
                break
            sound = end
        self.size = sound
        if sound < there:
            _log.warning(
                "the rules' journal is cut off where it is not sound", kept_as=str(self._cut), bytes=there - sound
            )
            self._cut.write_bytes(os.pread(self._file, there - sound, sound))
            os.ftruncate(self._file, sound)
            os.fsync(self._file)


def _frame(content: _Head | Record) -> bytes:
    payload = zlib.compress(_encode(content), _LEVEL)
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _name_of(folder: Path) -> str:
    """The name of the journal in a folder, given to it the first time."""
    path = folder / "name"
    if not path.exists() or not path.read_text(encoding="ascii").strip():
        path.write_text(secrets.token_hex(8), encoding="ascii")
    return path.read_text(encoding="ascii").strip()
