"""Whatever is written through the API stands in the audit: a new write endpoint without that fails here."""

from typing import Any

import httpx

from api.description import EXAMPLES, operations
from storage import alarms
from storage.alarms import Raised
from storage.pool import Connection
from telemetry.alarms import AlarmType
from telemetry.clock import to_us
from tests.integration.api.conftest import ago, text

NAMES = {"zone": "market", "alarm": "a1", "asset": "lamp-1"}


def order(body: Any) -> Any:
    """The example of a request with its end ahead, for a lamp of this town."""
    if not isinstance(body, dict):
        return None
    ahead = dict.fromkeys(("expires_at", "until"), text(ago(-3_600)))
    return body | {name: ahead.get(name, NAMES.get(name)) for name in body.keys() & (ahead.keys() | NAMES.keys())}


async def test_every_write_of_the_interface_leaves_a_row(operator: httpx.AsyncClient, conn: Connection) -> None:
    at_us = to_us(ago(60))
    await alarms.turn(conn, [Raised("a1", "asset:lamp-1", "lamp-1", AlarmType.LAMP_FAULT, at_us, at_us, {})])
    document = (await operator.get("/openapi.json")).json()
    writes = [(method, path) for method, path, _ in operations(document) if method != "GET"]
    assert len(writes) >= 10
    in_order = sorted(writes, key=lambda each: each[0] == "DELETE")  # what is to be ended is ordered before
    for seen, (method, path) in enumerate(in_order):
        command = await (await conn.execute("SELECT id FROM command LIMIT 1")).fetchone()
        address = path.format(**NAMES, command=command[0] if command else "")
        body = order(EXAMPLES["operations"][f"{method} {path}"].get("request"))
        answer = await operator.request(method, address, **({} if body is None else {"json": body}))
        assert answer.is_success, (method, path, answer.text)
        rows = await (await conn.execute("SELECT by, subject FROM audit ORDER BY id OFFSET %s", (seen,))).fetchall()
        assert [by for by, _ in rows] == ["operator of the test"], (method, path)
