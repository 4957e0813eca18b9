"""A refused setting in one sentence: which, where it stands, and what it must be."""

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo


def sentence(error: Any, prefix: str, fields: Mapping[str, FieldInfo], environment: Mapping[str, str]) -> str:
    """What pydantic's error says, without repeating a value that may hold a password."""
    if not error["loc"]:
        return f"The settings do not fit together: {error['msg'].removeprefix('Value error, ')}."
    name = str(error["loc"][0])
    field = fields.get(name)
    if field is None:
        return f"The settings file has no setting {name}: `docs/settings.md` lists all of them."
    variable = prefix + name.upper()
    where = variable if variable in environment else f"{name} (in the settings file)"
    extra = field.json_schema_extra
    must = extra["must"] if isinstance(extra, dict) else "otherwise"
    example = (field.examples or [""])[0]
    value = repr(str(error["input"])) if field.repr else "set"
    return f"{where} is {value}, but it must be {must}, such as {example}."
