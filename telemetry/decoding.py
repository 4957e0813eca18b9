"""From uplinks to columns: a batch of MQTT messages becomes observations by kind, or refusals with their reasons.

Shared by ingest and rules. Every payload is decoded on its own, so that no device's bytes can spill into another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry import topics
from telemetry.clock import SECOND_US, to_us
from telemetry.columns import NO_SEQ, Columns, join
from telemetry.kind import Column, Kind, Observation
from telemetry.kinds import KINDS
from telemetry.limits import FUTURE_S_MAX, PAYLOAD_BYTES_MAX
from telemetry.observation import SEQ_OUT_OF_RANGE, parse_object, read, real, split, unknown_fields
from telemetry.refusals import Reason, Refusal
from telemetry.registry import ALWAYS_US, EVER_US, Registry

ROUTES_MAX = 200_000
"""Topics remembered by a decoder; beyond it the memory starts anew."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class _Route:
    """What a topic leads to. `sole` is the one asset ever served by the device, -1 where time decides."""

    kind: Kind | None
    device: str | None
    known: bool
    sole: int


@dataclass(slots=True)
class _Found:
    """Observations of one kind while a batch is taken apart."""

    observations: list[Observation] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    assets: list[int] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    elements: list[int] = field(default_factory=list)


class Decoder:
    """Decodes batches against one version of the registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._routes: dict[bytes, _Route] = {}
        self._attributes: dict[tuple[str, str], Column] = {}

    def decode(
        self, topic_names: Sequence[bytes], payloads: Sequence[bytes], received_us: int | NDArray[np.int64]
    ) -> Decoded:
        """Decode the telemetry messages of one batch; whatever they are, nothing is raised.

        `received_us` is when they were received by the city clock: one moment for all, or a `(n,) int64` array, never
        falling, with one a message.
        """
        received = np.broadcast_to(np.asarray(received_us, dtype=np.int64), len(payloads))
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
        if len(self._routes) > ROUTES_MAX:
            self._routes.clear()
        cached = self._routes.get
        routes = [cached(name) or self._route(name) for name in topic_names]
        by_kind: dict[str, list[int]] = {}
        for index, route in enumerate(routes):
            by_kind.setdefault(route.kind.name if route.kind else "", []).append(index)
        for name, indices in by_kind.items():
            found = _Found()
            if not (name and self._decode_alike(KINDS[name], routes, indices, payloads, found)):
                for index in indices:
                    self._decode_one(routes[index], index, payloads[index], int(received[index]), found, decoded)
            if found.observations:
                columns = self._check(KINDS[name], found, routes, received, decoded)
                decoded.columns[name] = columns
        return decoded

    def _route(self, topic_name: bytes) -> _Route:
        topic = topics.take_apart(topic_name.decode("utf-8", "replace"))
        if topic is None:
            return _Route(None, None, False, -1)
        served = self.registry.served(topic.device, topic.kind)
        always = len(served) == 1 and served[0].served_from_us == EVER_US and served[0].served_to_us == ALWAYS_US
        sole = served[0].asset_id if always else -1
        route = _Route(KINDS.get(topic.kind), topic.device, self.registry.knows(topic.device), sole)
        if route.known:
            self._routes[topic_name] = route
        return route

    def _decode_alike(
        self, kind: Kind, routes: list[_Route], indices: list[int], payloads: Sequence[bytes], found: _Found
    ) -> bool:
        """The short-cut: every uplink one well-formed object of a device with one asset. False if any is not."""
        assets = [routes[index].sole for index in indices]
        texts = [payloads[index] for index in indices]
        if min(assets) < 0 or max(map(len, texts)) > PAYLOAD_BYTES_MAX:
            return False
        try:
            found.observations = list(map(kind.strict.decode, texts))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        found.texts, found.assets, found.messages, found.elements = texts, assets, indices, [0] * len(indices)
        return True

    def _decode_one(
        self, route: _Route, index: int, payload: bytes, received_us: int, found: _Found, decoded: Decoded
    ) -> None:
        parts = split(payload)
        if isinstance(parts, Refusal):
            parts = self._earlier(route, parts)
            decoded.refused.append(Refused(index, 0, route.device, parts, payload))
            return
        for element, text in enumerate(parts):
            refusal = self._decode_part(route, index, element, text, received_us, found, decoded)
            if refusal is not None:
                decoded.refused.append(Refused(index, element, route.device, refusal, text))

    def _earlier(self, route: _Route, refusal: Refusal) -> Refusal:
        """The reason that comes first in the contract's order for an uplink that cannot be split."""
        if route.kind is None and refusal.reason is not Reason.TOO_LARGE:
            return _unknown_kind()
        if refusal.reason is Reason.MISSING_FIELD:
            return self._unserved(route) or refusal
        return refusal

    def _decode_part(
        self,
        route: _Route,
        index: int,
        element: int,
        text: bytes,
        received_us: int,
        found: _Found,
        decoded: Decoded,
    ) -> Refusal | None:
        """Put one observation among those found, or say why not."""
        kind = route.kind
        if kind is None:
            return _unknown_kind()
        observation: Observation | Refusal
        try:
            observation = kind.strict.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raw = parse_object(text)
            if isinstance(raw, Refusal):
                return raw
            observation = self._unserved(route) or self._underivable(route, kind, raw) or read(kind, raw)
            decoded.unknown_fields += unknown_fields(kind, raw)
        if isinstance(observation, Refusal):
            return observation
        asset = self._asset(route, observation, received_us)
        if isinstance(asset, Refusal):
            return asset
        found.observations.append(observation)
        found.texts.append(text)
        found.assets.append(asset)
        found.messages.append(index)
        found.elements.append(element)
        return None

    def _underivable(self, route: _Route, kind: Kind, raw: dict[str, Any]) -> Refusal | None:
        """Why the first marked field stays unknown whatever the values: neither given nor derivable for this asset."""
        given = {each.name: np.array([np.nan if raw.get(each.name) is None else 0.0]) for each in kind.properties}
        if not np.isnan(given[kind.marked[0]][0]) or all(raw.get(name) is None for name in kind.marked):
            return None
        newest = self.registry.served(route.device or "", kind.name)[-1].asset_id
        kind.wire.complete(given, lambda name: self._attribute(kind, name)[[newest]])
        missing = bool(np.isnan(given[kind.marked[0]][0]))
        return Refusal(Reason.MISSING_FIELD, _underived(kind)) if missing else None

    def _unserved(self, route: _Route) -> Refusal | None:
        """Why nothing of the device can be stored, whatever it says."""
        assert route.kind is not None
        if not route.known:
            return Refusal(Reason.UNKNOWN_DEVICE, f"device {route.device} is not registered")
        if not self.registry.served(route.device or "", route.kind.name):
            return Refusal(Reason.KIND_MISMATCH, f"device {route.device} serves no {route.kind.name}")
        return None

    def _asset(self, route: _Route, observation: Observation, received_us: int) -> int | Refusal:
        """The asset that the device served at the observation's time."""
        if route.sole >= 0:
            return route.sole
        unserved = self._unserved(route)
        if unserved is not None:
            return unserved
        assert route.kind is not None
        moment_us = received_us if observation.ts is None else _observed_us(observation.ts)
        asset = self.registry.asset_at(route.device or "", route.kind.name, moment_us)
        if asset is None:
            return Refusal(Reason.KIND_MISMATCH, f"device {route.device} served no {route.kind.name} at that time")
        return asset

    def _check(
        self,
        kind: Kind,
        found: _Found,
        routes: list[_Route],
        received_by_message: NDArray[np.int64],
        decoded: Decoded,
    ) -> Columns:
        """Columns of what was found, without the rows that a column at a time refuses."""
        received_us = received_by_message[np.array(found.messages, dtype=np.int32)]
        columns = _columns(kind, found, received_us)
        kind.wire.complete(columns.fields, lambda name: self._attribute(kind, name)[columns.asset_id])
        refusals: dict[int, Refusal] = {}
        for reason, bad, detail in _objections(columns, received_us):
            for row in np.flatnonzero(bad).tolist():
                refusals.setdefault(row, Refusal(reason, detail(row)))
        for row, refusal in refusals.items():
            message, element = int(columns.message[row]), int(columns.element[row])
            decoded.refused.append(Refused(message, element, routes[message].device, refusal, found.texts[row]))
        if not refusals:
            return columns
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


def _underived(kind: Kind) -> str:
    return f"{kind.marked[0]} is neither given nor derivable"


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


def _observed_us(moment: Any) -> int:
    """`ts` of the wire in microseconds since 1970."""
    return moment * 1000 if type(moment) is int else to_us(moment)


def _columns(kind: Kind, found: _Found, received_us: NDArray[np.int64]) -> Columns:
    """One column a property. Observations without `ts` get the time of receipt, a microsecond apart."""
    observations = found.observations
    rows = list(map(kind.field_values, observations))
    try:
        values = np.array(rows, dtype=np.float64)
    except OverflowError:  # an integer that no double holds
        values = np.array([[_bounded(value) for value in row] for row in rows], dtype=np.float64)
    moments = [observation.ts for observation in observations]
    from_receipt = np.array([moment is None for moment in moments], dtype=np.bool_)
    observed = np.array([0 if moment is None else _observed_us(moment) for moment in moments], dtype=np.int64)
    if from_receipt.any():
        observed[from_receipt] = received_us[from_receipt] + np.arange(int(from_receipt.sum()))
    return Columns(
        kind,
        np.array(found.assets, dtype=np.int32),
        observed,
        from_receipt,
        np.array([NO_SEQ if o.seq is None else o.seq for o in observations], dtype=np.int64),
        {each.name: np.ascontiguousarray(values[:, i]) for i, each in enumerate(kind.properties)},
        np.array(found.messages, dtype=np.int32),
        np.array(found.elements, dtype=np.int32),
    )


def _bounded(value: Any) -> Any:
    return value if isinstance(value, bool) else real(value)


def _objections(columns: Columns, received_us: NDArray[np.int64]) -> list[tuple[Reason, NDArray[np.bool_], Any]]:
    """Masks of refused rows with the sentence for each, in the contract's order."""
    kind, fields = columns.kind, columns.fields
    observed, latest_us = columns.observed_us, received_us + FUTURE_S_MAX * SECOND_US
    missing = np.isnan(fields[kind.marked[0]])
    result: list[tuple[Reason, NDArray[np.bool_], Any]] = [
        (Reason.MISSING_FIELD, missing, lambda row: _underived(kind)),
        (Reason.BAD_TIMESTAMP, observed < 0, lambda row: "ts lies before 1970"),
        (Reason.FUTURE_TIMESTAMP, observed > latest_us, lambda row: _ahead(int(observed[row] - received_us[row]))),
        (Reason.OUT_OF_RANGE, columns.seq == SEQ_OUT_OF_RANGE, lambda row: "seq is negative or too large"),
    ]
    for each in kind.properties:
        column, low, high = fields[each.name], each.measure.low, each.measure.high
        bad = (column < low) | (column > high) | np.isinf(column)
        if bad.any():
            words = f"is outside {low:g} to {high:g} {each.unit}"
            result.append(
                (
                    Reason.OUT_OF_RANGE,
                    bad,
                    lambda row, c=column, n=each.name, w=words: f"{n} {float(c[row]):g} {w}",
                )
            )
    return result


def _ahead(us: int) -> str:
    return f"ts is {us // SECOND_US} s ahead of the city clock"
