"""What the operators' routes stand on, and the answer they give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from api.auth import Gate
from api.database import Database
from api.settings import ApiSettings
from telemetry.clock import Now

Dark = Callable[[int, int], bool]
"""Whether it is between dusk and dawn in the city at any time in [from, to), microseconds of city time."""


@dataclass(frozen=True, slots=True)
class OpsParts:
    """`now` is the city clock, `real_now` the machine's, both in microseconds since 1970 UTC."""

    database: Database
    gate: Gate
    now: Now
    real_now: Now
    dark: Dark
    settings: ApiSettings


def json_answer(content: Any, status: int = 200) -> Response:
    """A document of the present moment, for nobody to keep. Times become RFC 3339 in UTC with `Z`."""
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, "application/json")
