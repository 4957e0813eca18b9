"""A check of ours beside those of Schemathesis, and what it needs to run beside our other tools."""

import datetime as dt
import json

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.transport import requests

# The pools of `urllib3-future`, which another tool puts in the place of urllib3, cannot be counted; Schemathesis counts
# them only to tell a connection that was closed while idle, and then sends the request again.
requests._count_opened_connections = lambda session: 0

BEYOND_SCHEMAS = {
    "bad-cursor": "only what a list gave out is its cursor",
    "bad-query": "the grammar of SensorThings' options and paths, and what a request may cost",
    "guarded": "the guards know the lamp and whether it is night",
    "not-possible": "a time that has passed, a span turned round, an asset that there is not",
}
"""Problems by which a request that keeps to the document may be refused, and what no schema can say of it."""


@schemathesis.hook
def before_call(ctx: object, case: schemathesis.Case, kwargs: object) -> None:
    """Orders that keep to the document come about: what they name as their end lies ahead."""
    if _keeps_to_the_document(case) and isinstance(case.body, dict):
        ahead = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
        case.body |= {name: ahead for name in ("expires_at", "until") if case.body.get(name)}
        case.body.pop("starts_at", None)


@schemathesis.check
def refused_for_a_reason(ctx: object, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """A request that keeps to the document is refused only for a reason that the document cannot hold."""
    if not _keeps_to_the_document(case) or response.status_code not in (400, 422):
        return
    slug = json.loads(response.content)["type"].rpartition(":")[2]
    assert slug in BEYOND_SCHEMAS, f"a request that keeps to the document is refused as {slug}"


def _keeps_to_the_document(case: schemathesis.Case) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
