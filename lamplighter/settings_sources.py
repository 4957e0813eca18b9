"""Where settings come from: environment variables, or the same names in lower case in a TOML file or a folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from lamplighter.errors import WrongUsage
from lamplighter.settings_file import read_file, read_folder
from lamplighter.settings_refused import sentence

DEFAULT_FILE = Path("lamplighter.toml")
RULES_FILE = "rules.toml"
"""The rule file where none is set, beside the settings file."""


class FromSources(BaseSettings):
    """Settings that are read from all their sources; its `model_config` names the prefix of the variables."""

    @classmethod
    def read(cls, file: Path | None = None, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings of the environment over those of `secrets_dir`, over those of `file`.

        Args:
            file: a TOML file that must exist; None reads `lamplighter.toml` of the current folder if it is there.
            environment: the variables to look at; for the error's sentence only, the values come from `os.environ`.

        Raises:
            WrongUsage: a setting is wrong, or the file is; the sentence names which, and what it must be.
        """
        prefix = cls.model_config["env_prefix"]
        from_file = read_file(file or DEFAULT_FILE, must_exist=file is not None)
        beside = (file or DEFAULT_FILE).with_name(RULES_FILE)
        if beside.exists():
            from_file.setdefault("rules_file", beside)
        folder = os.environ.get(f"{prefix}SECRETS_DIR") or from_file.get("secrets_dir")
        from_folder = read_folder(Path(folder), cls.model_fields) if folder else {}

        class WithFile(cls):  # type: ignore[misc, valid-type]
            @classmethod
            def settings_customise_sources(
                cls, settings_cls: type[BaseSettings], **sources: PydanticBaseSettingsSource
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                return sources["env_settings"], InitSettingsSource(settings_cls, from_file | from_folder)

        try:
            return cls.model_construct(**dict(WithFile()))
        except ValidationError as error:
            raise WrongUsage(sentence(error.errors()[0], prefix, cls.model_fields, environment)) from error
