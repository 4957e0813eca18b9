"""The settings file and the folder of secrets, with a sentence for every way in which they cannot be read."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lamplighter.errors import WrongUsage


def read_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """What the file sets; nothing where there is none and none has to be.

    Raises:
        WrongUsage: it is not there, cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        if not must_exist:
            return {}
        raise WrongUsage(f"The settings file {path} is not there: name one that is with --config.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"The settings file {path} cannot be read ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"The settings file {path} is not TOML: {error}.") from error


def read_folder(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Those of the settings that have a file in the folder, each the file's text without the line's end.

    Raises:
        WrongUsage: the folder is none, or a file cannot be read.
    """
    if not folder.is_dir():
        raise WrongUsage(f"The folder of secrets {folder} is not there: mend LAMPLIGHTER_SECRETS_DIR.")
    found = {}
    for name in names:
        try:
            found[name] = (folder / name).read_text(encoding="utf-8-sig").strip()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise WrongUsage(f"The secret {folder / name} cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError:
            raise WrongUsage(f"The secret {folder / name} is not UTF-8 text.") from None
    return found
