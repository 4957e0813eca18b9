"""`docs/settings.md`, written from the settings themselves."""

from lamplighter.settings import PREFIX, Settings

_HEAD = """\
# Settings

Each setting is an environment variable, or the name in lower case without prefix in a TOML file (`--config FILE`,
by default `lamplighter.toml` in the current folder if it is there). The environment goes before the file. A list is
separated by commas in the environment. A wrong setting ends the command with one sentence and exit code 2.

This page is written from the code by `make docs`, and a test compares them.
"""


def page() -> str:
    """The whole page as Markdown."""
    return _HEAD + "".join(_entry(name) for name in Settings.model_fields)


def _entry(name: str) -> str:
    field = Settings.model_fields[name]
    extra = field.json_schema_extra
    must = extra["must"] if isinstance(extra, dict) else ""
    default = "not set" if field.default is None else f"`{_spell(field.default)}`"
    example = (field.examples or [""])[0]
    return (
        f"\n## `{PREFIX}{name.upper()}`\n\n{field.description}\n\n"
        f"- In the file: `{name}`\n- Must be {must}\n- Default: {default}\n- Example: `{example}`\n"
    )


def _spell(default: object) -> str:
    return ",".join(map(str, default)) if isinstance(default, tuple | dict) else str(default)
