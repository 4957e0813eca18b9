"""Sparkplug B edge nodes: births and deaths, aliases, sequence numbers, history.

Source: Eclipse Sparkplug specification 3.0. Topics: `spBv1.0/{group}/{NBIRTH | NDATA | NDEATH}/{node}` and
`…/{DBIRTH | DDATA | DDEATH}/{node}/{device}`. A birth names metrics and their aliases; data may have the alias alone.
Births and data come at QoS 0: a gap of `seq` is counted, and the node is asked for a new birth, once in a while.

Which metric is which field is the town's to say, in the file of device models:

    [[sparkplug]]
    group = "Drains"
    node = "pump-station-3"
    device = "level"                  # none: metrics of the node itself
    name = "PS3"                      # the device's name in the registry
    kind = "drain_level"
    metrics = { level_m = { path = "Inputs/Level", factor = 0.001 } }

Historical values are observations of their own time; they are late, and so change no alarm and no latest value.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway import sparkplug_wire as wire
from gateway.events import Downlink, Event, Heard, Measured, Message, Misspoken, Nothing, Presence, Request, Route
from gateway.models import Field, Fields, Metrics, converted, long_form
from telemetry.clock import SECOND_US
from telemetry.limits import PAYLOAD_BYTES_MAX
from telemetry.refusals import Reason

ROOT = "spBv1.0"
NODES_MAX = 10_000
"""Edge nodes whose births are remembered; beyond it the one silent for longest is forgotten, and asked again."""
REBIRTH_US = 10 * SECOND_US
"""A node is asked for a new birth once in this time."""
REBIRTH = "Node Control/Rebirth"
SEQUENCE = 256

_TOPIC = re.compile(rf"{re.escape(ROOT)}/([^/]+)/([ND])(BIRTH|DATA|DEATH)/([^/]+)(?:/([^/]+))?")


@dataclass(slots=True)
class _Node:
    """An edge node: `known` are names and datatypes by device and alias, `seq` the newest number."""

    known: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    datatypes: dict[tuple[str, str], int] = field(default_factory=dict)
    seq: int | None = None
    birth: int | None = None
    asked_us: int | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    name: str
    kind: str
    fields: Mapping[str, Field]


class Sparkplug:
    """Reads the messages of edge nodes; remembers what their births have told."""

    overheard = ()
    filters = tuple(
        f"{ROOT}/+/{each}" for each in ("NBIRTH/+", "NDATA/+", "NDEATH/+", "DBIRTH/#", "DDATA/#", "DDEATH/#")
    )

    def __init__(self, metrics: tuple[Metrics, ...] = ()) -> None:
        self._targets: dict[tuple[str, str, str], list[_Target]] = {}
        for each in metrics:
            target = _Target(each.name, each.kind, long_form(each.metrics))
            self._targets.setdefault((each.group, each.node, each.device), []).append(target)
        self._nodes: OrderedDict[tuple[str, str], _Node] = OrderedDict()

    def brings_measurements(self, topic: str) -> bool:
        """Data and births do."""
        found = _TOPIC.fullmatch(topic)
        return found is not None and found[3] != "DEATH"

    def push(self, route: Route, downlinks: list[Downlink], flush: bool) -> list[Message]:
        """Nothing: nobody has said which metric of a node takes a setting."""
        return []

    def can_flush(self) -> bool:
        """There is no queue."""
        return False

    def hear(self, topic: str, payload: bytes, now_us: int) -> Heard:
        """One message of one node."""
        found = _TOPIC.fullmatch(topic)
        if found is None or (found[2] == "D") != (found[5] is not None):
            raise Misspoken(f"{topic[:100]!r} is no topic of an edge node's births, data or deaths")
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise Misspoken(f"{len(payload)} bytes", Reason.TOO_LARGE)
        said = wire.read(payload)
        place, device, what = (found[1], found[4]), found[5] or "", found[3]
        if what == "DEATH":
            return Heard(self._death(place, device, said))
        return self._values(place, device, said, now_us, born=what == "BIRTH")

    def _values(self, place: tuple[str, str], device: str, said: wire.Payload, now_us: int, born: bool) -> Heard:
        node = self._node(place)
        heard = Heard()
        if born and not device:
            node.known.clear()
            node.datatypes.clear()
            node.birth = _birth(said)
        elif node.seq is not None and said.seq is not None:
            heard.missed = (said.seq - node.seq - 1) % SEQUENCE
        node.seq = said.seq if said.seq is not None else node.seq
        if born:
            _learn(node, device, said)
            heard.events += self._presence(place, device, online=True)
        values, strange = _named(node, device, said)
        measured = self._measured(place, device, values, said.timestamp_ms, now_us)
        heard.events += measured
        if strange and not values:
            heard.unread = "its metrics have only aliases that no birth has told"
        if (strange or heard.missed) and (node.asked_us is None or now_us - node.asked_us >= REBIRTH_US):
            node.asked_us = now_us
            topic = f"{ROOT}/{place[0]}/NCMD/{place[1]}"
            heard.events.append(Request(Message(topic, wire.command(REBIRTH, now_us // 1_000))))
        heard.events = heard.events or [Nothing("no metric that a rule names")]
        return heard

    def _measured(
        self, place: tuple[str, str], device: str, values: dict[str, tuple[wire.Value, int | None]],
        sent_ms: int | None, now_us: int,
    ) -> list[Event]:  # fmt: skip
        """One observation for each device of ours and moment."""
        events: list[Event] = []
        for target in self._targets.get((*place, device), ()):
            moments: dict[int, Fields] = {}
            for name, rule in target.fields.items():
                value, at_ms = values.get(rule.path, (None, None))
                if value is None:
                    continue
                at_ms = sent_ms if at_ms is None else at_ms
                at_us = now_us if at_ms is None else at_ms * 1_000
                try:
                    moments.setdefault(at_us, {})[name] = converted(name, rule, value)
                except ValueError as error:
                    raise Misspoken(str(error)) from None
            events += [Measured(target.name, target.kind, moments[at], at) for at in sorted(moments)]
        return events

    def _death(self, place: tuple[str, str], device: str, said: wire.Payload) -> list[Event]:
        """A node that dies takes its devices with it; a death of an earlier life says nothing."""
        node = self._nodes.get(place)
        if node is not None and not device:
            birth = _birth(said)
            if None not in (birth, node.birth) and birth != node.birth:
                return [Nothing("death of an earlier session")]
            del self._nodes[place]
        return self._presence(place, device, online=False) or [Nothing("death")]

    def _presence(self, place: tuple[str, str], device: str, online: bool) -> list[Event]:
        whole = not device and not online
        return [
            Presence(target.name, target.kind, online)
            for where, targets in self._targets.items()
            if where[:2] == place and (whole or where[2] == device)
            for target in targets
        ]

    def _node(self, place: tuple[str, str]) -> _Node:
        node = self._nodes.setdefault(place, _Node())
        self._nodes.move_to_end(place)
        if len(self._nodes) > NODES_MAX:
            self._nodes.popitem(last=False)
        return node


def _birth(said: wire.Payload) -> int | None:
    return next((each.value for each in said.metrics if each.name == "bdSeq" and isinstance(each.value, int)), None)


def _learn(node: _Node, device: str, said: wire.Payload) -> None:
    for each in said.metrics:
        if each.name:
            node.datatypes[device, each.name] = each.datatype
            if each.alias is not None:
                node.known[device, each.alias] = each.name, each.datatype
        if len(node.datatypes) >= wire.METRICS_MAX:
            return


def _named(node: _Node, device: str, said: wire.Payload) -> tuple[dict[str, tuple[wire.Value, int | None]], bool]:
    """Values and times by the metric's name, and whether there are aliases that nobody has told."""
    values: dict[str, tuple[wire.Value, int | None]] = {}
    strange = False
    for each in said.metrics:
        name, datatype = each.name, node.datatypes.get((device, each.name), 0)
        if not name:
            alias = -1 if each.alias is None else each.alias
            name, datatype = node.known.get((device, alias), node.known.get(("", alias), ("", 0)))
        if not name:
            strange = True
            continue
        values[name] = wire.resolved(each, datatype), each.timestamp_ms
    return values, strange
