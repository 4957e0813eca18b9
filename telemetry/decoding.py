"""From uplinks to columns: a batch of MQTT messages becomes observations by kind, or refusals with their reasons.

Shared by ingest and rules. Every payload is decoded on its own, so that no device's bytes can spill into another's; one
that is not plain is taken out and looked at with the definition (`observation`), while its neighbours go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry import topics
from telemetry.columns import Columns, join
from telemetry.compiled import UNREADABLE, Compiled, compiled, microseconds
from telemetry.kind import Column, Kind
from telemetry.kinds import KINDS
from telemetry.limits import ARRAY_OBSERVATIONS_MAX, PAYLOAD_BYTES_MAX
from telemetry.objections import objections, underived
from telemetry.observation import parse_object, read, split, timestamp, unknown_fields
from telemetry.refusals import Reason, Refusal
from telemetry.registry import Registry
from telemetry.routes import STRANGE, Routes


@dataclass(slots=True)
class Refused:
    """One observation that is not stored; `payload` is its own text, the whole uplink where that cannot be split."""

    message: int
    element: int
    device: str | None
    refusal: Refusal
    payload: bytes


@dataclass(slots=True)
class Decoded:
    """The fate so far of a batch: columns a kind, refusals, and how many fields nobody knew.

    `failure` is a mistake of the decoder's that nobody foresaw; what it struck is among the refused as `undecodable`.
    """

    columns: dict[str, Columns] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    unknown_fields: int = 0
    failure: Exception | None = None


@dataclass(slots=True)
class _Lot:
    """The uplinks of one kind in a batch, each `(n,)`, and the observations found in them.

    `message` is each one's place in the batch, `asset` what `Routes.find` says of it. Once an uplink brings other than
    one observation, `counts` says how many each brings; `arrays` are then the rows at which arrays begin, and the
    numbers of their elements.
    """

    kind: Compiled
    message: NDArray[np.intp]
    asset: NDArray[np.int32]
    received_us: NDArray[np.int64]
    names: Sequence[bytes]
    texts: Sequence[bytes]
    observations: list[Any] = field(default_factory=list)
    counts: NDArray[np.intp] | None = None
    arrays: list[tuple[int, Sequence[int]]] = field(default_factory=list)

    def add(self, place: int, observations: Sequence[Any], elements: Sequence[int]) -> None:
        """Take what was found in an uplink that is not plain."""
        if self.counts is None:
            self.counts = np.ones(len(self.message), np.intp)
        self.counts[place] = len(observations)
        if len(elements):
            self.arrays.append((len(self.observations), elements))
            self.observations.extend(observations)

    def uplinks(self) -> NDArray[np.intp]:
        """Which uplink each observation comes from."""
        each = np.arange(len(self.message))
        return each if self.counts is None else np.repeat(each, self.counts)

    def elements(self) -> NDArray[np.int32]:
        """The place of each observation in its uplink's array."""
        result = np.zeros(len(self.observations), np.int32)
        for row, elements in self.arrays:
            result[row : row + len(elements)] = elements
        return result

    def refused(self, place: int, element: int, refusal: Refusal, text: bytes) -> Refused:
        """An observation of this uplink with its fate."""
        message = int(self.message[place])
        return Refused(message, element, topics.device_of(self.names[message]), refusal, text)


class Decoder:
    """Decodes batches against one version of the registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._kinds = [compiled(kind) for kind in KINDS.values()]
        self._routes = Routes(registry)
        self._attributes: dict[tuple[str, str], Column] = {}

    def decode(
        self, topic_names: Sequence[bytes], payloads: Sequence[bytes], received_us: int | NDArray[np.int64]
    ) -> Decoded:
        """Decode the telemetry messages of one batch; whatever they are, nothing is raised.

        `received_us` is when they were received by the city clock: one moment for all, or a `(n,) int64` array, never
        falling, with one a message.
        """
        received = np.empty(len(payloads), np.int64)
        received[:] = received_us
        try:
            return self._decode(topic_names, payloads, received)
        except Exception as error:
            return self._decode_apart(topic_names, payloads, received, error)

    def _decode_apart(
        self,
        topic_names: Sequence[bytes],
        payloads: Sequence[bytes],
        received: NDArray[np.int64],
        failure: Exception,
    ) -> Decoded:
        """Decode one by one where the whole fails in a way nobody foresaw: poison does not stop its neighbours."""
        whole = Decoded(failure=failure)
        parts: dict[str, list[Columns]] = {}
        before = 0
        for index, (name, payload) in enumerate(zip(topic_names, payloads, strict=True)):
            try:
                # those without a time of their own stay a microsecond apart
                one = self._decode([name], [payload], received[index : index + 1] + before)
            except Exception as error:
                one = _indigestible(name, payload, error)
            for kind, columns in one.columns.items():
                columns.message[:] = index
                parts.setdefault(kind, []).append(columns)
            whole.refused += [replace(refused, message=index) for refused in one.refused]
            whole.unknown_fields += one.unknown_fields
            before += len(one.refused) + sum(map(len, one.columns.values()))
        whole.columns = {kind: join(columns) for kind, columns in parts.items()}
        return whole

    def _decode(self, topic_names: Sequence[bytes], payloads: Sequence[bytes], received: NDArray[np.int64]) -> Decoded:
        decoded = Decoded()
        kinds, assets = self._routes.find(topic_names)
        for number, kind in enumerate(self._kinds):
            message = (kinds == number).nonzero()[0]
            if len(message):
                texts = payloads if len(message) == len(payloads) else [payloads[place] for place in message.tolist()]
                lot = _Lot(kind, message, assets[message], received[message], topic_names, texts)
                self._read_all(lot, decoded)
                if lot.observations:
                    decoded.columns[kind.kind.name] = self._columns(lot, decoded)
        for place in (kinds == STRANGE).nonzero()[0].tolist():
            self._refuse(place, topic_names[place], payloads[place], decoded)
        return decoded

    def _read_all(self, lot: _Lot, decoded: Decoded) -> None:
        """Find the observations of a lot; an uplink over which the compiled decoder stumbles is taken out."""
        texts = lot.texts
        if max(map(len, texts)) > PAYLOAD_BYTES_MAX:
            texts = [text if len(text) <= PAYLOAD_BYTES_MAX else b"" for text in texts]
        waiting, place = iter(texts), 0
        while True:
            before = len(lot.observations)
            try:
                lot.observations.extend(map(lot.kind.one, waiting))
                return
            except UNREADABLE:  # those before it are in the list, and `waiting` goes on behind it
                place += len(lot.observations) - before
                self._read_odd(lot, place, decoded)
                place += 1

    def _read_odd(self, lot: _Lot, place: int, decoded: Decoded) -> None:
        """Find the observations of an uplink that is no plain object: an array, unknown fields, or a mistake."""
        payload = lot.texts[place]
        if payload[:1] == b"{" and len(payload) <= PAYLOAD_BYTES_MAX:
            observation = self._read_one(lot, place, payload, decoded)
            if not isinstance(observation, Refusal):
                lot.observations.append(observation)
                return
            decoded.refused.append(lot.refused(place, 0, observation, payload))
            lot.add(place, (), ())
            return
        if payload[:1] == b"[" and len(payload) <= PAYLOAD_BYTES_MAX:
            try:
                observations = lot.kind.many(payload)
            except UNREADABLE:
                observations = []
            if 0 < len(observations) <= ARRAY_OBSERVATIONS_MAX:
                lot.add(place, observations, range(len(observations)))
                return
        parts = split(payload)
        if isinstance(parts, Refusal):
            decoded.refused.append(lot.refused(place, 0, parts, payload))
            parts = []
        found: dict[int, Any] = {}
        for element, text in enumerate(parts):
            observation = self._read_one(lot, place, text, decoded)
            if isinstance(observation, Refusal):
                decoded.refused.append(lot.refused(place, element, observation, text))
            else:
                found[element] = observation
        lot.add(place, [*found.values()], [*found])

    def _read_one(self, lot: _Lot, place: int, text: bytes, decoded: Decoded) -> Any:
        """The compiled observation of one text, or why it is refused."""
        if text is not lot.texts[place]:  # an element of an array, which may be plain
            try:
                return lot.kind.one(text)
            except UNREADABLE:
                pass
        kind = lot.kind.kind
        raw = parse_object(text)
        if isinstance(raw, Refusal):
            return raw
        unknown = unknown_fields(kind, raw)
        if unknown:
            decoded.unknown_fields += unknown
            try:
                return lot.kind.tolerant(text)
            except UNREADABLE:
                pass
        observation = self._underivable(kind, int(lot.asset[place]), raw) or read(kind, raw)
        if not isinstance(observation, Refusal):
            return lot.kind.of(observation)
        return self._elsewhere(lot, place, raw) or observation

    def _elsewhere(self, lot: _Lot, place: int, raw: dict[str, Any]) -> Refusal | None:
        """Why an observation that has mistakes does not even reach an asset: its device served none at the time."""
        asset, moment = int(lot.asset[place]), timestamp(raw.get("ts"))
        if asset >= 0 or isinstance(moment, Refusal):
            return None
        moment_us = lot.received_us[place] if moment is None else microseconds([moment])[0][0]
        return _elsewhere() if self._routes.asset_at(asset, int(moment_us)) is None else None

    def _underivable(self, kind: Kind, asset: int, raw: dict[str, Any]) -> Refusal | None:
        """Why the first marked field stays unknown whatever the values: neither given nor derivable for this asset."""
        if raw.get(kind.marked[0]) is not None or all(raw.get(name) is None for name in kind.marked):
            return None
        given = {each.name: np.array([np.nan if raw.get(each.name) is None else 0.0]) for each in kind.properties}
        newest = asset if asset >= 0 else self._routes.newest(asset)
        kind.wire.complete(given, lambda name: self._attribute(kind, name)[[newest]])
        missing = bool(np.isnan(given[kind.marked[0]][0]))
        return Refusal(Reason.MISSING_FIELD, underived(kind)) if missing else None

    def _refuse(self, message: int, name: bytes, payload: bytes, decoded: Decoded) -> None:
        """Refuse the uplink of a topic that leads to no asset; what is wrong with its form comes first."""
        topic = topics.take_apart(name.decode("utf-8", "replace"))
        device = topic.device if topic else None
        kind = KINDS.get(topic.kind) if topic else None
        unserved = self._unserved(topic) if topic and kind else _unknown_kind()
        parts = split(payload)
        if isinstance(parts, Refusal):
            formal = parts.reason is Reason.TOO_LARGE or (kind and parts.reason is not Reason.MISSING_FIELD)
            decoded.refused.append(Refused(message, 0, device, parts if formal else unserved, payload))
            return
        for element, text in enumerate(parts):
            raw = parse_object(text) if kind else {}
            if kind and not isinstance(raw, Refusal):
                decoded.unknown_fields += unknown_fields(kind, raw)
            refusal = raw if isinstance(raw, Refusal) else unserved
            decoded.refused.append(Refused(message, element, device, refusal, text))

    def _unserved(self, topic: topics.DeviceTopic) -> Refusal:
        """Why nothing of the device can be stored, whatever it says."""
        if not topic.device:
            return Refusal(Reason.UNKNOWN_DEVICE, "the topic names no device")
        if not self.registry.knows(topic.device):
            return Refusal(Reason.UNKNOWN_DEVICE, f"device {topic.device} is not registered")
        return Refusal(Reason.KIND_MISMATCH, f"device {topic.device} serves no {topic.kind}")

    def _columns(self, lot: _Lot, decoded: Decoded) -> Columns:
        """Columns of what was found, without the rows that a column at a time refuses."""
        kind = lot.kind.kind
        uplink = slice(None) if lot.counts is None else lot.uplinks()
        received_us, asset = lot.received_us[uplink], lot.asset[uplink]
        moments, seq, table = lot.kind.table(lot.observations)
        observed_us, from_receipt = microseconds(moments)
        if from_receipt.any():
            observed_us[from_receipt] = received_us[from_receipt]
        refusals = {row: _elsewhere() for row in self._settle(asset, observed_us)}
        if from_receipt.any():  # they stay distinct, a microsecond apart
            observed_us[from_receipt] += np.arange(int(from_receipt.sum()))
        fields = {each.name: row for each, row in zip(kind.properties, table, strict=True)}
        kind.wire.complete(fields, lambda name: self._attribute(kind, name)[asset])
        message = lot.message[uplink].astype(np.int32)
        columns = Columns(kind, asset, observed_us, from_receipt, seq, fields, message, lot.elements())
        for objection in objections(columns, table, received_us):
            for row in np.flatnonzero(objection.rows).tolist():
                if row not in refusals:
                    refusals[row] = Refusal(objection.reason, objection.detail(row))
        return self._without(lot, columns, refusals, decoded) if refusals else columns

    def _settle(self, asset: NDArray[np.int32], observed_us: NDArray[np.int64]) -> list[int]:
        """Put in the assets that the time decides; the rows of which the device served none then."""
        elsewhere: list[int] = []
        for row in (asset < 0).nonzero()[0].tolist():
            served = self._routes.asset_at(int(asset[row]), int(observed_us[row]))
            if served is None:
                elsewhere.append(row)
            asset[row] = served or 0
        return elsewhere

    def _without(self, lot: _Lot, columns: Columns, refusals: dict[int, Refusal], decoded: Decoded) -> Columns:
        """The columns without the rows that are refused."""
        uplinks = lot.uplinks()
        parts: dict[int, Any] = {}
        for row, refusal in refusals.items():
            place, element = int(uplinks[row]), int(columns.element[row])
            if place not in parts:
                parts[place] = split(lot.texts[place])
            decoded.refused.append(lot.refused(place, element, refusal, parts[place][element]))
        keep = np.ones(len(columns), dtype=np.bool_)
        keep[list(refusals)] = False
        return columns.take(keep)

    def _attribute(self, kind: Kind, name: str) -> Column:
        """A registered number of every asset, by asset id; NaN where not registered."""
        key = (kind.name, name)
        if key not in self._attributes:
            column = np.full(max(self.registry.assets, default=0) + 1, np.nan)
            for asset in self.registry.assets.values():
                value = getattr(asset.attributes, name, None)
                if value is not None:
                    column[asset.asset_id] = value
            self._attributes[key] = column
        return self._attributes[key]


def _indigestible(name: bytes, payload: bytes, error: Exception) -> Decoded:
    """An uplink on which decoding itself fails; each of its observations has this fate."""
    topic = topics.take_apart(name.decode("utf-8", "replace"))
    refusal = Refusal(Reason.UNDECODABLE, f"decoding failed: {type(error).__name__}: {error}")
    parts = split(payload)
    texts = [payload] if isinstance(parts, Refusal) else parts
    device = topic.device if topic else None
    return Decoded(refused=[Refused(0, element, device, refusal, text) for element, text in enumerate(texts)])


def _unknown_kind() -> Refusal:
    return Refusal(Reason.UNKNOWN_KIND, f"the topic's kind is none of {', '.join(KINDS)}")


def _elsewhere() -> Refusal:
    return Refusal(Reason.KIND_MISMATCH, "the device served no asset of this kind at that time")
