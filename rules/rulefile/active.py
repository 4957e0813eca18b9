"""The rules in force: those of the rule file while it is good, looked at again whenever the file has changed.

A file that cannot be used changes nothing: what was active stays so, over restarts too, because the database knows it.
"""

import os
import pwd
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from rules.rulefile.files import BadFile, read_rule_file
from rules.rulefile.reading import digest, versioned
from storage import rule_versions
from storage.pool import Connection
from storage.rule_versions import RuleVersion
from telemetry.registry import Registry
from telemetry.thresholds import Thresholds

LOOK_EVERY_S = 1.0
"""The file is looked at this often, in real seconds; it is read once two looks find it the same, so never half
written."""
FileState = tuple[int, int, int]
SHIPPED_BY = "lamplighter"
"""The author of the defaults."""


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """What there is to say of the rules in force. `mistakes` of the file as it is; `reloads`, `refusals` so far."""

    version: str
    mistakes: int
    reloads: int
    refusals: int


_log = structlog.get_logger(__name__)


class ActiveRules:
    """What the rules decide by. `begin` first; then `look` again and again, and `keep` what is `unkept`.

    `mistakes` are those of the file as it is now, empty if it is in force.
    """

    def __init__(self, file: Path | None = None, author: str = "", usual: Thresholds | None = None) -> None:
        self._file, self._author = file, author
        self.thresholds = versioned(usual or Thresholds())
        self._version = _version(self.thresholds, "", SHIPPED_BY)
        self._seen: FileState | None = None
        self._read: FileState | None = None
        self._looked_s = float("-inf")
        self.unkept = True
        self.mistakes: tuple[str, ...] = ()
        self._reloads = self._refusals = 0
        self._refused_by: int | None = None

    @property
    def standing(self) -> RuleStanding:
        """What there is to say of them now."""
        return RuleStanding(self.thresholds.version, len(self.mistakes), self._reloads, self._refusals)

    def check(self) -> None:
        """Say at once what is wrong with the file: who stands by may not `begin` for months."""
        if self._file is None:
            return
        self._seen = self._read = _state_of(self._file)
        try:
            read_rule_file(self._file)
        except BadFile as error:
            self._refuse(error.sentences)

    async def begin(self, conn: Connection, registry: Registry) -> Thresholds | None:
        """Take up the file, or what was active last if it is bad; returns what was active last, `None` for nothing."""
        known = await rule_versions.active(conn)
        before = None if known is None else of_content(known[0].content)
        if self._file is not None:
            self._seen = _state_of(self._file)
            self._take_up(registry)
            if self.mistakes and known is not None and before is not None:
                self.thresholds, self._version = before, known[0]
        return before

    def look(self, registry: Registry) -> bool:
        """Read the file if it, or the registry that it was refused by, is another; whether other rules are in force.

        A zone that the file names may have been imported since.
        """
        if self._file is None or time.monotonic() - self._looked_s < LOOK_EVERY_S:
            return False
        self._looked_s = time.monotonic()
        before, self._seen = self._seen, _state_of(self._file)
        due = self._seen != self._read or (bool(self.mistakes) and registry.version != self._refused_by)
        return due and self._seen == before and self._take_up(registry)

    async def keep(self, conn: Connection, at_us: int) -> None:
        """Write down the version in force."""
        await rule_versions.activate(conn, self._version, at_us)
        self.unkept = False

    def _take_up(self, registry: Registry) -> bool:
        """Read the file as it is; whether other rules are in force by that."""
        assert self._file is not None
        anew, self._read = self._seen != self._read, self._seen
        try:
            rules = read_rule_file(self._file, registry)
        except BadFile as error:
            self._refused_by = registry.version
            if anew or error.sentences != self.mistakes:
                self._refuse(error.sentences)
            return False
        self.mistakes = ()
        for note in rules.notes:
            _log.info("note on the rule file", file=str(self._file), line=note.line, note=note.sentence)
        if rules.thresholds == self.thresholds:
            return False
        self.thresholds = rules.thresholds
        self._version = _version(rules.thresholds, rules.text, self._author or _owner(self._file))
        self.unkept, self._reloads = True, self._reloads + 1
        _log.info("rules in force", version=self.thresholds.version, author=self._version.author)
        return True

    def _refuse(self, mistakes: tuple[str, ...]) -> None:
        self.mistakes, self._refusals = mistakes, self._refusals + 1
        _log.error(
            "rule file refused, the active rules stay",
            file=str(self._file),
            active=self.thresholds.version,
            mistakes=len(mistakes),
            first=mistakes[0],
        )


def content(thresholds: Thresholds) -> str:
    """Every figure as JSON."""
    return msgspec.json.encode(thresholds).decode()


def of_content(kept: str) -> Thresholds | None:
    """What was kept as `content`; figures that came later are as usual. `None` if it is not ours any more."""
    try:
        return msgspec.json.decode(kept, type=Thresholds)
    except msgspec.DecodeError:
        return None


def _version(thresholds: Thresholds, source: str, author: str) -> RuleVersion:
    return RuleVersion(thresholds.version, content(thresholds), source, digest(thresholds), author)


def _state_of(file: Path) -> FileState | None:
    """What tells one state of a file from another, `None` while it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _owner(file: Path) -> str:
    """Who owns the file: its last author, as far as the machine knows."""
    try:
        number = file.stat().st_uid
    except OSError:
        return "unknown"
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
