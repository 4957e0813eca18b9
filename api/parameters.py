"""Parameters that several addresses share, as their descriptions promise and as they are checked."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, WithJsonSchema

from api import paging, wording
from telemetry.kinds import KINDS


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"must be one of {', '.join(sorted(KINDS))}")
    return kind


Name = Annotated[str, Query(pattern=wording.NAME)]
"""Of an asset or a zone, in a query."""
Device = Annotated[str, Query(pattern=wording.DEVICE)]
Every = Annotated[str, Query(pattern=wording.EVERY, description="Width of a bucket, at most 366d.")]
KindName = Annotated[str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": sorted(KINDS)})]
Limit = Annotated[int, Query(ge=1, le=paging.LIMIT_MAX, description="The most items of a page.")]
Cursor = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=paging.CURSOR_CHARACTERS_MAX,
        description="The `next` of the page before; nothing else is one.",
    ),
]
AssetPath = Annotated[str, WithJsonSchema({"type": "string", "pattern": wording.NAME})]
"""In a path; a name that nothing can have is the name of nothing, and is looked for."""
ZonePath = AssetPath
AlarmPath = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9-]{1,64}$"})]
"""Ids of alarms and commands are UUIDs."""
CommandPath = AlarmPath
