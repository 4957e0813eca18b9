"""Refused observations are kept: once a day each, by topic, digest and element, up to a bound a device and day.

A second bound holds for all devices of a day together, so that who invents devices does not fill the disk.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage import queries
from storage.pool import Connection
from telemetry import limits
from telemetry.clock import DAY_US, to_datetime
from telemetry.limits import QUARANTINE_BYTES_MAX
from telemetry.refusals import Reason, Refusal

SQL = queries.load("ingest")
TOPIC_LENGTH_MAX = 256
"""Characters of a refused uplink's topic that are kept as they are; no topic of the contract is longer."""

_ALL = None
"""Stands for all devices of a day among those that `kept` counts."""

Unit = tuple[int, int]
"""One observation of a batch: the position of its uplink, and its own in the uplink's array."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused observation as it is kept; `device` is `None` where the topic names none."""

    unit: Unit
    topic: str
    device: str | None
    received_us: int
    reason: Reason
    detail: str
    digest: bytes
    payload: bytes

    @classmethod
    def of(
        cls, unit: Unit, topic: str, device: str | None, received_us: int, refusal: Refusal, payload: bytes
    ) -> "Quarantined":
        """What the database takes of a refused observation, whatever its texts and bytes are."""
        return cls(
            unit,
            _indexable(storable(topic)),
            None if device is None else storable(device),
            received_us,
            refusal.reason,
            storable(refusal.detail),
            hashlib.sha256(payload).digest(),
            payload[:QUARANTINE_BYTES_MAX],
        )


@dataclass(slots=True)
class Outcome:
    """What became of refused observations; `unkept` are those of the `quarantined` whose bytes are not kept."""

    quarantined: Counter[Reason] = field(default_factory=Counter)
    duplicate: int = 0
    unkept: int = 0


async def quarantine(conn: Connection, day: int, refused: Sequence[Quarantined]) -> Outcome:
    """Give each refused observation its fate, within the caller's transaction; `day` is days since 1970 UTC."""
    outcome = Outcome()
    date = to_datetime(day * DAY_US).date()
    first = {(each.topic, each.digest, each.unit[1]): each for each in reversed(refused)}
    fresh = [each for each in refused if first[each.topic, each.digest, each.unit[1]] is each]
    known = await _places(conn, "quarantined_already", {"day": date, **_keys(fresh)})
    fresh = [each for place, each in enumerate(fresh, 1) if place not in known]
    outcome.duplicate = len(refused) - len(fresh)
    if not fresh:
        return outcome
    keep, beyond = await _within_bound(conn, date, fresh)
    new = await _places(conn, "quarantine", {"day": date, **_keys(keep), **_contents(keep)})
    outcome.duplicate += len(keep) - len(new)
    outcome.unkept = len(beyond)
    outcome.quarantined.update(each.reason for place, each in enumerate(keep, 1) if place in new)
    outcome.quarantined.update(each.reason for each in beyond)
    return outcome


async def _within_bound(
    conn: Connection, date: object, fresh: Sequence[Quarantined]
) -> tuple[list[Quarantined], list[Quarantined]]:
    """Those for which there is room, and those that are only counted."""
    devices = sorted({each.device or "" for each in fresh})
    cursor = await conn.execute(SQL["kept"], {"day": date, "devices": devices})
    kept = Counter[str | None](dict(await cursor.fetchall()))
    keep: list[Quarantined] = []
    beyond: list[Quarantined] = []
    for each in fresh:
        device = each.device or ""
        room = kept[device] < limits.QUARANTINE_ROWS_PER_DEVICE_DAY_MAX and _has_room(kept[_ALL], len(each.payload))
        kept[device] += room
        kept[_ALL] += room
        (keep if room else beyond).append(each)
    return keep, beyond


def _has_room(rows: int, payload_bytes: int) -> bool:
    """Whether a day that keeps so many rows keeps another one of this size."""
    if rows < limits.QUARANTINE_LARGE_ROWS_DAY_MAX:
        return True
    return rows < limits.QUARANTINE_ROWS_DAY_MAX and payload_bytes <= limits.QUARANTINE_SMALL_BYTES


async def _places(conn: Connection, name: str, parameters: dict[str, object]) -> set[int]:
    return {row[0] for row in await (await conn.execute(SQL[name], parameters)).fetchall()}


def _keys(refused: Sequence[Quarantined]) -> dict[str, object]:
    return {
        "topics": [each.topic for each in refused],
        "digests": [each.digest for each in refused],
        "elements": [each.unit[1] for each in refused],
    }


def _contents(refused: Sequence[Quarantined]) -> dict[str, object]:
    return {
        "received": [to_datetime(each.received_us) for each in refused],
        "devices": [each.device or "" for each in refused],
        "reasons": [each.reason.value for each in refused],
        "details": [each.detail for each in refused],
        "payloads": [each.payload for each in refused],
    }


def storable(text: str) -> str:
    """Text as PostgreSQL takes it: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()


def _indexable(topic: str) -> str:
    """A topic as the quarantine's index takes it: the end of an endless one is replaced by its digest."""
    if len(topic) <= TOPIC_LENGTH_MAX:
        return topic
    return f"{topic[:TOPIC_LENGTH_MAX]}…{hashlib.sha256(topic.encode()).hexdigest()}"
