"""Rule files and rule tests as files on a disk: what cannot be read is one sentence."""

from pathlib import Path

from rules.rulefile.document import BadDocument
from rules.rulefile.reading import Rules, read_rules
from telemetry.registry import Registry

BYTES_MAX = 4 * 1024 * 1024
"""A larger file is none of ours."""


class BadFile(Exception):
    """A file cannot be used: one sentence on the file, and its mistakes by line if it could be read."""

    def __init__(self, sentence: str, path: Path, mistakes: tuple[str, ...] = ()) -> None:
        self.path, self.mistakes = path, mistakes
        super().__init__(sentence)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every mistake, or what is wrong with the file as such."""
        return self.mistakes or (str(self),)


def read_text(path: Path) -> str:
    """The text of a file of ours.

    Raises:
        BadFile: it is not there, or no text.
    """
    try:
        if path.stat().st_size > BYTES_MAX:
            raise BadFile(f"{path} is larger than any rule file ({BYTES_MAX} bytes).", path)
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", path) from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text.", path) from error


def read_rule_file(path: Path, registry: Registry | None = None) -> Rules:
    """The rules that a file states; `registry` as for `rules.rulefile.reading.read_rules`.

    Raises:
        BadFile: the file cannot be used; all mistakes with their lines.
    """
    text = read_text(path)
    try:
        return read_rules(text, registry)
    except BadDocument as error:
        raise BadFile(f"{path} is no rule file.", path, tuple(map(str, error.mistakes))) from error
