"""From a command to frames for a device, and from what a network server says of them to the device's answer.

A downlink is always confirmed: only the device's own acknowledgement is one. That a radio gateway has accepted it
(`sent`) is counted and says nothing. An unacknowledged downlink is tried again, `TRIES_MAX` times in all while the
lease lasts, then the command is answered with `ok` false; so it is where the server drops it. After its expiry nothing
is sent and nothing answered, as a device would do. A newer command takes the place of an older one that waits: where
the server can take back its queue, it does; elsewhere the older one ends by its own expiry, and comes before the newer
in any case.

A command's id is that of its first downlink, so that an acknowledgement is understood after the gateway's own restart.
"""

import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec, Unencodable
from gateway.codecs.codec import Downlink as Frame
from gateway.events import Downlink, Message, Misspoken, Route, Server, Told, moment
from gateway.notes import Note
from gateway.standing import AGAIN_US, KEPT_S_MAX, SETTING, Standing, Stands
from telemetry import topics
from telemetry.clock import SECOND_US
from telemetry.commands import Ack, Command

TRIES_MAX = 3
"""So often a downlink goes out that the device does not acknowledge."""
ANSWERED_MAX = 50_000
"""Commands whose answer is remembered, for who asks again; beyond it the oldest is forgotten, and told to the device
anew."""
LEASE_S_MIN = 60
"""The shortest lease that a device is given (NAS UL20xx: 1 min); the longest is `KEPT_S_MAX`, after which it is told
again."""
UNACKNOWLEDGED = f"The device did not acknowledge the downlink, sent {TRIES_MAX} times."

LEASE = "lease_s"
Codecs = Callable[[str], Codec | None]
"""The codec that writes the downlinks of a model."""
Bounded = tuple[str, dict[str, Any]]
"""A model, and what its codec is told."""

_decode = msgspec.json.Decoder(Command).decode
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lamplighter:downlink")


@dataclass(slots=True)
class _Open:
    """A command on its way: its frames that the device has not acknowledged, by their ids."""

    id: str
    kind: str
    device: str
    note: Note
    settings: dict[str, Any]
    expires_us: int
    frames: dict[str, Downlink]
    tries: int = 1

    @property
    def network(self) -> str:
        """The gateway's name of the network that serves the device."""
        return self.note.network


@dataclass(slots=True)
class Step:
    """What is to be done: `pushes` for the server of `network`, `answers` for the city; `happened` is counted."""

    network: str = ""
    pushes: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)


class Courier:
    """Keeps the commands on their way to devices of all networks; `servers` by the gateway's name for each network.

    It has one open command a device and setting, so no more than devices have settings.
    """

    def __init__(self, servers: Mapping[str, Server], codecs: Codecs | None = None) -> None:
        self._servers, self._codecs = servers, codecs or catalogue().get
        self._open: dict[str, _Open] = {}
        self._of_device: dict[str, dict[str, _Open]] = {}
        self._by_frame: dict[str, str] = {}
        self._answered: OrderedDict[str, Message] = OrderedDict()
        self._standing = Standing()
        self._renewals: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def command(self, kind: str, device: str, payload: bytes, note: Note, now_us: int) -> Step:
        """Take a command for a device that a network serves."""
        try:
            command = _decode(payload)
            expires_us = moment(command.expires_at)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Misspoken):
            return Step(happened=["misspoken"])
        if expires_us is None or expires_us <= now_us:
            return Step(happened=["expired"])
        if command.id in self._answered:
            return Step(answers=[self._answered[command.id]], happened=["asked_again"])
        if command.id in self._open or note.network not in self._servers:
            return Step(happened=["asked_again" if command.id in self._open else "unserved"])
        settings: dict[str, Any] = msgspec.to_builtins(command.settings)
        opened = _Open(command.id, kind, device, note, settings, expires_us, {})
        try:
            frames = _frames(self._codecs(note.model), settings, (expires_us - now_us) // SECOND_US)
        except Unencodable as refusal:
            return self._answer(opened, False, str(refusal), "unencodable")
        for number, frame in enumerate(frames):
            name = _frame_id(command.id, number)
            opened.frames[name] = Downlink(name, note.route, frame.port, frame.payload, expires_us)
        return self._send(opened, note.route)

    def told(self, network: str, kind: str | None, device: str, told: Told, now_us: int) -> Step:
        """What a server says of downlinks to a device; `kind` is that of the device, where it is known."""
        if told.state in ("queued", "sent"):
            return Step(happened=[told.state])
        opened = self._meant(network, device, told)
        if opened is None:
            return self._of_before(kind, device, told)
        name = next((each for each in told.ids if each in opened.frames), None) or next(iter(opened.frames))
        if told.state == "acknowledged":
            del opened.frames[name]
            self._by_frame.pop(name, None)
            if opened.frames:
                return Step(happened=["delivered"])
            stands = Stands(opened.id, opened.note, device, opened.settings, opened.expires_us, now_us + AGAIN_US)
            self._standing.acknowledged(stands, now_us)
            return self._answer(opened, True, None, "delivered")
        if told.state == "failed":
            return self._answer(opened, False, told.error or "The network server dropped the downlink.", "failed")
        return self._again(opened, opened.frames[name], now_us)

    def expire(self, now_us: int) -> list[Step]:
        """Forget commands whose time has run out, and take them back where the server can; tell again what stands."""
        steps = [self._renewed(stands, now_us) for stands in self._standing.due(now_us)]
        for opened in [each for each in self._open.values() if each.expires_us <= now_us]:
            self._drop(opened)
            steps.append(Step(opened.network, self._flushed(opened), happened=["expired"]))
        return steps

    def wanted(self, payload: bytes, note: Note, now_us: int) -> list[Bounded]:
        """What `command` is going to have encoded, for codecs that have to be asked before."""
        try:
            command = _decode(payload)
            expires_us = moment(command.expires_at)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Misspoken):
            return []
        settings = msgspec.to_builtins(command.settings)
        return [] if expires_us is None else self._bounded(note, settings, expires_us, now_us)

    def wanted_again(self, now_us: int) -> list[Bounded]:
        """What `expire` is going to have encoded."""
        return [
            each
            for stands in self._standing.near(now_us)
            for each in self._bounded(stands.note, stands.settings, stands.until_us, now_us)
        ]

    def _bounded(self, note: Note, settings: Mapping[str, Any], until_us: int, now_us: int) -> list[Bounded]:
        lease_s = (until_us - now_us) // SECOND_US
        codec = self._codecs(note.model)
        return [] if codec is None else [(note.model, _told(codec, *each, lease_s)) for each in settings.items()]

    def _renewed(self, stands: Stands, now_us: int) -> Step:
        """Tell a device again what it would forget before the command ends."""
        try:
            frames = _frames(self._codecs(stands.note.model), stands.settings, (stands.until_us - now_us) // SECOND_US)
        except Unencodable:
            return Step(stands.note.network, happened=["unencodable"])
        name, until_us = stands.renewal(), min(stands.until_us, now_us + AGAIN_US)
        self._renewals[name] = None
        if len(self._renewals) > ANSWERED_MAX:
            self._renewals.popitem(last=False)
        downlink = Downlink(name, stands.note.route, frames[0].port, frames[0].payload, until_us)
        pushes = self._servers[stands.note.network].push(stands.note.route, [downlink], False)
        return Step(stands.note.network, pushes, happened=["renewed"])

    def _send(self, opened: _Open, route: Route) -> Step:
        server, happened = self._servers[opened.network], ["queued"]
        self._standing.replaced(opened.device, opened.settings)
        waiting = list(self._of_device.get(opened.device, {}).values())
        superseded = [each for each in waiting if each.settings.keys() <= opened.settings.keys()]
        for each in superseded:
            self._drop(each)
            happened.append("superseded")
        self._open[opened.id] = opened
        self._of_device.setdefault(opened.device, {})[opened.id] = opened
        self._by_frame |= dict.fromkeys(opened.frames, opened.id)
        downlinks = list(opened.frames.values())
        flush = bool(superseded) and server.can_flush()
        if flush:
            others = [frame for each in waiting if each not in superseded for frame in each.frames.values()]
            downlinks = others + downlinks
        return Step(opened.network, server.push(route, downlinks, flush), happened=happened)

    def _again(self, opened: _Open, frame: Downlink, now_us: int) -> Step:
        """A frame that was not acknowledged; a server that has a queue to take back repeats it by itself."""
        if opened.tries >= TRIES_MAX or opened.expires_us <= now_us:
            pushes = self._flushed(opened)
            step = self._answer(opened, False, UNACKNOWLEDGED, "unacknowledged")
            return Step(opened.network, pushes, step.answers, step.happened)
        opened.tries += 1
        server = self._servers[opened.network]
        pushes = [] if server.can_flush() else server.push(frame.route, [frame], False)
        return Step(opened.network, pushes, happened=["unacknowledged", "repeated"])

    def _meant(self, network: str, device: str, told: Told) -> _Open | None:
        """The open command that a server speaks of; where it names none, the device's oldest."""
        for name in told.ids:
            opened = self._open.get(self._by_frame.get(name, ""))
            if opened is not None and opened.device == device:
                return opened
        if told.ids:
            return None
        return next((each for each in self._of_device.get(device, {}).values() if each.network == network), None)

    def _of_before(self, kind: str | None, device: str, told: Told) -> Step:
        """A downlink from before the gateway's restart, or one that is settled or not ours."""
        if any(each in self._renewals for each in told.ids):
            return Step(happened=["delivered" if told.state == "acknowledged" else told.state])
        if kind is None or not told.ids or any(each in self._answered for each in told.ids):
            return Step(happened=["unknown"])
        said = Ack(told.ids[0], told.state == "acknowledged", None, told.error or None)
        if told.state == "unacknowledged":
            said = msgspec.structs.replace(said, error="The device did not acknowledge the downlink.")
        return Step(answers=[_message(kind, device, said)], happened=["delivered" if said.ok else told.state])

    def _flushed(self, opened: _Open) -> list[Message]:
        """Messages that take a command's frames back."""
        server = self._servers[opened.network]
        frame = next(iter(opened.frames.values()), None)
        if frame is None or not server.can_flush():
            return []
        others = [each for each in self._of_device.get(opened.device, {}).values() if each is not opened]
        return server.push(frame.route, [each for other in others for each in other.frames.values()], True)

    def _answer(self, opened: _Open, ok: bool, error: str | None, what: str) -> Step:
        self._drop(opened)
        said = Ack(opened.id, ok, opened.settings if ok else None, error)
        answer = _message(opened.kind, opened.device, said)
        self._answered[opened.id] = answer
        if len(self._answered) > ANSWERED_MAX:
            self._answered.popitem(last=False)
        return Step(opened.network, answers=[answer], happened=[what])

    def _drop(self, opened: _Open) -> None:
        self._open.pop(opened.id, None)
        of_device = self._of_device.get(opened.device, {})
        of_device.pop(opened.id, None)
        if not of_device:
            self._of_device.pop(opened.device, None)
        for name in opened.frames:
            self._by_frame.pop(name, None)


def _frames(codec: Codec | None, settings: Mapping[str, Any], lease_s: int) -> list[Frame]:
    """One frame a setting; a setpoint that a device can bound by itself ends with the command."""
    if codec is None or codec.encode is None:
        raise Unencodable("we know no downlinks of this device")
    if not settings:
        raise Unencodable("the command sets nothing")
    for name in settings:
        if name not in codec.downlinks:
            raise Unencodable(f"this device does not take {name}")
    return [codec.encode(_told(codec, name, value, lease_s)) for name, value in settings.items()]


def _told(codec: Codec, name: str, value: Any, lease_s: int) -> dict[str, Any]:
    """One setting as the codec is told, with its end where the device can end it by itself."""
    if name != SETTING or LEASE not in codec.downlinks:
        return {name: value}
    return {name: value, LEASE: min(max(LEASE_S_MIN, lease_s), KEPT_S_MAX)}


def _frame_id(command_id: str, number: int) -> str:
    """The command's own id for its first frame, if it is a UUID, as servers want it."""
    try:
        first = str(uuid.UUID(command_id))
    except ValueError:
        first = ""
    return (
        command_id
        if number == 0 and first == command_id.lower()
        else str(uuid.uuid5(_NAMESPACE, f"{command_id}|{number}"))
    )


def _message(kind: str, device: str, said: Ack) -> Message:
    return Message(topics.ack(kind, device), msgspec.json.encode(said))
