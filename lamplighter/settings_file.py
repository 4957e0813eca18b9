"""The settings file: TOML, with a sentence for every way in which it cannot be read."""

import tomllib
from pathlib import Path
from typing import Any

from lamplighter.errors import WrongUsage


def read_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """What the file sets; nothing where there is none and none has to be.

    Raises:
        WrongUsage: it is not there, cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not must_exist:
            return {}
        raise WrongUsage(f"The settings file {path} is not there: name one that is with --config.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"The settings file {path} cannot be read ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"The settings file {path} is not TOML: {error}.") from error
