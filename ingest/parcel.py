"""A decoded batch: rows to store, observations to quarantine, words on devices; and how culprits are taken out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import structlog

from ingest.batch import Batch
from ingest.presence import DeviceWord, words_of
from ingest.rows import Rows, join
from storage.quarantining import Quarantined, Unit
from telemetry import topics
from telemetry.decoding import Decoder, Refused
from telemetry.observation import split
from telemetry.refusals import Reason, Refusal

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Parcel:
    """All that one batch changes in the database. `day` is days since 1970 UTC; `rows` are by kind."""

    day: int
    received: int = 0
    rows: dict[str, Rows] = field(default_factory=dict)
    refused: list[Quarantined] = field(default_factory=list)
    words: list[DeviceWord] = field(default_factory=list)
    unknown_fields: int = 0
    misspoken: int = 0
    """Status words that could not be understood."""
    redelivered: bool = False


class Packing:
    """Decodes a batch piece by piece while it is gathered, so that little is left to do when it closes.

    `decoder` is asked for anew with each piece: the registry may move meanwhile.
    """

    def __init__(self, decoder: Callable[[], Decoder]) -> None:
        self._decoder = decoder
        self._begin()

    def _begin(self) -> None:
        self._reads = self._uplinks = self._unknown_fields = 0
        self._rows: dict[str, list[Rows]] = {}
        self._refused: list[Quarantined] = []

    def waiting(self, batch: Batch) -> int:
        """How many of the batch's uplinks have not been decoded."""
        return len(batch.topics) - self._uplinks

    def decode(self, batch: Batch) -> None:
        """Decode the uplinks that have come into the batch since."""
        first, received_us = self._uplinks, batch.received_us(self._reads)
        self._reads, self._uplinks = len(batch.times), len(batch.topics)
        decoded = self._decoder().decode(batch.topics[first:], batch.payloads[first:], received_us)
        if decoded.failure is not None:
            _log.error("decoding failed", uplinks=len(received_us), exc_info=decoded.failure)
        for name, columns in decoded.columns.items():
            if len(columns):
                rows = Rows(columns, received_us[columns.message])
                columns.message[:] += first
                self._rows.setdefault(name, []).append(rows)
        for refused in decoded.refused:
            moment_us = int(received_us[refused.message])
            self._refused.append(_quarantined(batch, replace(refused, message=refused.message + first), moment_us))
        self._unknown_fields += decoded.unknown_fields

    def close(self, batch: Batch) -> Parcel:
        """All that the batch changes; the next one begins."""
        if self.waiting(batch):
            self.decode(batch)
        parcel = Parcel(batch.day, batch.received, redelivered=batch.redelivered)
        parcel.rows = {name: join(parts) for name, parts in self._rows.items()}
        parcel.refused, parcel.unknown_fields = self._refused, self._unknown_fields
        parcel.words, parcel.misspoken = words_of(batch.statuses)
        self._begin()
        return parcel


def pack(batch: Batch, decoder: Decoder) -> Parcel:
    """Decode a batch at once."""
    return Packing(lambda: decoder).close(batch)


def units(parcel: Parcel) -> list[Unit]:
    """All observations of a parcel."""
    found = [each.unit for each in parcel.refused]
    for rows in parcel.rows.values():
        found += zip(rows.columns.message.tolist(), rows.columns.element.tolist(), strict=True)
    return found


def only(parcel: Parcel, chosen: Iterable[Unit]) -> Parcel:
    """The part of a parcel that concerns these observations; without an account, for a trial."""
    wanted = set(chosen)
    return Parcel(
        parcel.day,
        rows=_rows(parcel, wanted),
        refused=[each for each in parcel.refused if each.unit in wanted],
        redelivered=True,
    )


def condemn(parcel: Parcel, batch: Batch, culprits: Mapping[Unit, str]) -> Parcel:
    """The parcel with the observations that the database refuses, and its words on them, in quarantine."""
    innocent = set(units(parcel)) - culprits.keys()
    condemned = [_condemned(batch, unit, detail) for unit, detail in culprits.items()]
    return replace(
        parcel,
        rows=_rows(parcel, innocent),
        refused=[each for each in parcel.refused if each.unit in innocent] + condemned,
    )


def _rows(parcel: Parcel, wanted: set[Unit]) -> dict[str, Rows]:
    chosen: dict[str, Rows] = {}
    for name, rows in parcel.rows.items():
        found = zip(rows.columns.message.tolist(), rows.columns.element.tolist(), strict=True)
        part = rows.take(np.array([unit in wanted for unit in found], dtype=np.bool_))
        if len(part):
            chosen[name] = part
    return chosen


def _condemned(batch: Batch, unit: Unit, detail: str) -> Quarantined:
    message, element = unit
    payload = batch.payloads[message]
    parts = split(payload)
    topic = topics.take_apart(batch.topics[message].decode("utf-8", "replace"))
    refusal = Refusal(Reason.OUT_OF_RANGE, f"the database refuses it: {detail}")
    text = payload if isinstance(parts, Refusal) else parts[element]
    refused = Refused(message, element, topic.device if topic else None, refusal, text)
    return _quarantined(batch, refused, int(batch.received_us()[message]))


def _quarantined(batch: Batch, refused: Refused, received_us: int) -> Quarantined:
    topic = batch.topics[refused.message].decode("utf-8", "replace")
    unit = (refused.message, refused.element)
    return Quarantined.of(unit, topic, refused.device, received_us, refused.refusal, refused.payload)
