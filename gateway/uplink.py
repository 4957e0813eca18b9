"""From what a network server says of a device to the city's own topics: known again, decoded, named, completed.

A reading without the field that its kind demands (a lamp's energy without its level, a battery without a water level)
is no observation. Nothing is invented to make it one: its values are held, and join the next observation of the device
if that comes within `HELD_INTERVALS` of its report interval. They are then up to that much older than its `ts`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.codecs.codec import Codec, Reading, Undecodable
from gateway.events import Condition, Event, Joined, Measured, Message, Presence, Radio, Request, Source, Uplink
from gateway.models import Fields, Models, Selection
from gateway.notes import Note, message, with_route
from gateway.radios import Radios
from gateway.repeats import Counters, Frames, Key
from gateway.scripts.shelf import Question, Shelf
from telemetry import topics
from telemetry.clock import SECOND_US, to_rfc3339
from telemetry.kinds import KINDS
from telemetry.refusals import Reason
from telemetry.registry import ALWAYS_US, Registry

HELD_INTERVALS = 1.5
"""One report interval, and room for reports that come late."""
SESSION_BITS = 31
STATUS_AGAIN_US = 60 * SECOND_US
"""A device that joins again and again is said to be online once in this time."""
FIRMWARE_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Unread:
    """Why an uplink brings no observation although it should."""

    device: str
    reason: Reason
    detail: str


@dataclass(slots=True)
class Outcome:
    """What is to be done for one event. `fate` is counted; `answers` go to the network server.

    `lapsed`: values that were held have been dropped, because no observation came in time.
    """

    fate: str
    messages: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)
    unread: Unread | None = None
    missed: int = 0
    lapsed: bool = False


class Translator:
    """Translates the events of one network server; pure but for what it remembers.

    `registry` is replaced as it changes; `notes` and `radios` are shared by all networks.
    """

    def __init__(self, network: str, models: Models, notes: dict[str, Note], radios: Radios | None = None) -> None:
        self._network, self._models = network, models
        self.notes, self.radios = notes, radios or Radios()
        self.registry = Registry()
        self._spelt: dict[str, str] = {}
        self._frames, self._counters = Frames(), Counters()
        self._said_us: dict[str, int] = {}

    def use(self, registry: Registry) -> None:
        """Names and assets as they are now."""
        self.registry = registry
        in_service_last = sorted(registry.installations, key=lambda device: _serves(registry, device))
        self._spelt = {device.lower(): device for device in in_service_last}

    def device(self, source: Source) -> str:
        """The device's name: as the registry spells it, in upper or lower case, else the likeliest in lower case."""
        return next((self._spelt[name] for name in source.names if name in self._spelt), source.names[0])

    @property
    def shelf(self) -> Shelf:
        """The makers' own codecs."""
        return self._models.shelf

    def questions(self, events: Iterable[Event]) -> dict[Question, int | None]:
        """What makers' own codecs have to be asked before these events are taken."""
        found: dict[Question, int | None] = {}
        for event in events if self.shelf else ():
            if isinstance(event, Uplink) and not event.simulated and (event.data or event.port is not None):
                target = self._target(self.device(event.source), event.source)
                if isinstance(target, Codec) and self.shelf.keeps(target):
                    at_ms = None if event.at_us is None else event.at_us // 1_000
                    found[target.models[0], event.port, event.data] = at_ms
        return found

    def take(self, event: Event, now_us: int) -> Outcome:
        """What an event means for the city; `now_us` is the city's time."""
        match event:
            case Uplink():
                return self._uplink(event, now_us)
            case Joined():
                return self._joined(self.device(event.source), event.source, now_us)
            case Condition():
                return self._condition(event, now_us)
            case Measured():
                fields = dict(event.fields)
                return self._observed(event.device, event.kind, fields, {"ts": to_rfc3339(event.at_us)}, event.at_us)
            case Presence():
                return Outcome("presence", [_status(event.kind, event.device, event.online, "")])
            case Request():
                return Outcome("request", answers=[event.message])
            case Radio():
                self.radios.told(self._network, event.gateway, event.online, now_us)
                return Outcome("radio")
        return Outcome("ignored")

    def once(self, uplink: Uplink, now_us: int) -> Outcome:
        """What a frame means by itself, whether it is known or not."""
        return Outcome("simulated") if uplink.simulated else self._decoded(self.device(uplink.source), uplink, now_us)

    def _uplink(self, uplink: Uplink, now_us: int) -> Outcome:
        if uplink.simulated:
            return Outcome("simulated")
        device = self.device(uplink.source)
        if uplink.radios and self.registry.knows(device):
            self.radios.brought(self._network, device, filter(topics.valid_device, uplink.radios), now_us)
        keys = _keys(device, uplink)
        if self._frames.known(keys, now_us):
            return Outcome("duplicate")
        missed = self._counters.missed(device, uplink.session, uplink.counter)
        outcome = self._decoded(device, uplink, now_us)
        outcome.missed = missed
        if outcome.unread is None:
            self._frames.remember(keys, now_us)
        return outcome

    def _decoded(self, device: str, uplink: Uplink, now_us: int) -> Outcome:
        target = self._target(device, uplink.source)
        if not topics.valid_device(device):
            return _unread("", Reason.UNKNOWN_DEVICE, f"{device[:80]!r} is no lawful name of a device")
        if target is None:
            return self._nobody_reads(device, uplink.source)
        try:
            kind, reading = self._read(device, target, uplink)
        except (Undecodable, ValueError) as error:
            return _unread(device, Reason.UNDECODABLE, str(error))
        if kind is None:
            return _unread(device, Reason.UNKNOWN_DEVICE, "its format serves any kind, and the registry names none")
        model = target.models[0] if isinstance(target, Codec) else ""
        outcome = Outcome("without_reading")
        self._keep(outcome, device, lambda note: with_route(note, self._network, uplink.source.route, model, kind))
        self._tell_firmware(outcome, device, kind, reading.extra)
        if reading.observation:
            stamp: dict[str, Any] = {"seq": sequence(uplink.session, uplink.counter)}
            if uplink.at_us is not None:
                stamp = {"ts": to_rfc3339(uplink.at_us), **stamp}
            at_us = now_us if uplink.at_us is None else uplink.at_us
            observed = self._observed(device, kind, dict(reading.observation), stamp, at_us)
            outcome.fate, outcome.unread, outcome.lapsed = observed.fate, observed.unread, observed.lapsed
            outcome.messages = _merged(outcome.messages, observed.messages)
        return outcome

    def _target(self, device: str, source: Source) -> Codec | Selection | None:
        return self._models.of(source, self.registry.model(device))

    def _nobody_reads(self, device: str, source: Source) -> Outcome:
        given = (f"profile {source.profile!r}", f"version {source.brand}/{source.product}", f"tag {source.tag!r}")
        said = ", ".join(each for each in given if each[-2:] not in ("''", " /"))[:200] or "nothing"
        detail = f"no codec is named for its model (the network server says {said}): see gateway_models, or register it"
        known = self.registry.knows(device)
        return _unread(device, Reason.UNDECODABLE if known else Reason.UNKNOWN_DEVICE, detail)

    def _read(self, device: str, target: Codec | Selection, uplink: Uplink) -> tuple[str | None, Reading]:
        if isinstance(target, Selection):
            return target.kind, Reading(target.of(uplink.decoded or {}))
        if not uplink.data and uplink.port is None:
            return target.kind or self._kind(device, {}), Reading()  # a frame without payload, but a sign of life
        reading = target.decode(uplink.port, uplink.data)
        if target.kind is not None:
            return target.kind, reading
        kind = self._kind(device, reading.observation)
        if kind is None:
            return None, reading
        names = {each.name for each in KINDS[kind].properties}
        return kind, Reading({n: v for n, v in reading.observation.items() if n in names}, reading.extra)

    def _kind(self, device: str, observed: Mapping[str, object]) -> str | None:
        """The kind that a device serves; of several the one whose demanded field it gives."""
        kinds = [kind for kind in self.registry.installations.get(device, {}) if kind in KINDS]
        fitting = [kind for kind in kinds if any(name in observed for name in KINDS[kind].marked)]
        return next(iter(fitting or kinds), None)

    def _observed(self, device: str, kind: str, fields: Fields, stamp: dict[str, Any], at_us: int) -> Outcome:
        """An observation with what was held for it, or fields to hold."""
        note = self.notes.get(device, Note())
        held_for_us = HELD_INTERVALS * self._interval_us(device, kind)
        fresh = note.held if note.kind == kind and 0 <= at_us - note.held_us <= held_for_us else {}
        outcome = Outcome("published", lapsed=bool(note.held) and not fresh)
        if any(name in fields for name in KINDS[kind].marked):
            body = {**stamp, **fresh, **fields}
            outcome.messages.append(Message(topics.telemetry(kind, device), msgspec.json.encode(body)))
            if note.held:
                self._keep(outcome, device, lambda note: msgspec.structs.replace(note, held={}, held_us=0))
            return outcome
        if not self.registry.knows(device):
            return _unread(device, Reason.UNKNOWN_DEVICE, f"it says {', '.join(fields)} alone, which nobody waits for")
        outcome.fate = "held"
        held = {**fresh, **fields}
        self._keep(outcome, device, lambda n: msgspec.structs.replace(n, kind=kind, held=held, held_us=at_us))
        return outcome

    def _condition(self, condition: Condition, now_us: int) -> Outcome:
        device = self.device(condition.source)
        kind = self.notes[device].kind if device in self.notes else self._kind(device, {})
        named = kind is not None and kind in KINDS and any(p.name == "battery_pct" for p in KINDS[kind].properties)
        if condition.battery_pct is None or kind is None or not named:
            return Outcome("condition")
        at_us = now_us if condition.at_us is None else condition.at_us
        outcome = self._observed(device, kind, {"battery_pct": condition.battery_pct}, {}, at_us)
        outcome.fate = "condition"
        return outcome

    def _joined(self, device: str, source: Source, now_us: int) -> Outcome:
        """A device that joins is there: said once in a while, however often it joins."""
        outcome = Outcome("joined")
        kind = self._kind(device, {})
        if kind is None or now_us - self._said_us.get(device, -STATUS_AGAIN_US) < STATUS_AGAIN_US:
            return outcome
        self._said_us[device] = now_us  # of registered devices only, so bounded
        self._keep(outcome, device, lambda note: with_route(note, self._network, source.route, "", kind))
        outcome.messages.append(_status(kind, device, True, self.notes[device].firmware))
        return outcome

    def _tell_firmware(self, outcome: Outcome, device: str, kind: str, extra: Mapping[str, Any]) -> None:
        firmware = extra.get("firmware")
        note = self.notes.get(device)
        if note is None or not isinstance(firmware, str) or not firmware or note.firmware == firmware:
            return
        short = firmware[:FIRMWARE_CHARACTERS_MAX]
        if short != note.firmware:
            outcome.messages.append(_status(kind, device, True, short))
            self._keep(outcome, device, lambda note: msgspec.structs.replace(note, firmware=short))

    def _keep(self, outcome: Outcome, device: str, change: Any) -> None:
        """Change the note of a registered device, and have it retained if it is another."""
        before = self.notes.get(device, Note())
        after: Note = change(before)
        if after != before and self.registry.knows(device):
            self.notes[device] = after
            outcome.messages = _merged(outcome.messages, [message(device, after)])

    def _interval_us(self, device: str, kind: str) -> int:
        served = self.registry.served(device, kind)
        asset = self.registry.assets.get(served[-1].asset_id) if served else None
        every_s = asset.report_every_s if asset is not None else KINDS[kind].wire.report_every_s
        return every_s * SECOND_US


def _serves(registry: Registry, device: str) -> bool:
    """Whether a device serves anything now; of two that are spelt alike it is the one."""
    return any(rows[-1].served_to_us == ALWAYS_US for rows in registry.installations[device].values())


def sequence(session: str, counter: int) -> int:
    """A frame's number that no other session of the device has: its counter, behind a digest of the session.

    A frame counter begins anew with each session, and a redelivery without a time is known by its number alone.
    """
    digest = int.from_bytes(hashlib.blake2b(session.encode(), digest_size=4).digest(), "big") >> (32 - SESSION_BITS)
    return digest << 32 | counter


def _keys(device: str, uplink: Uplink) -> list[Key]:
    """What a frame is known by. The payload is part of it: a device that counts anew sends another one."""
    names: list[Key] = [("id", each) for each in uplink.identities]
    return [*names, (device, uplink.session, uplink.counter, uplink.port, uplink.data)]


def _unread(device: str, reason: Reason, detail: str) -> Outcome:
    return Outcome("refused", unread=Unread(device, reason, detail))


def _status(kind: str, device: str, online: bool, firmware: str) -> Message:
    said: dict[str, Any] = {"online": online}
    if firmware:
        said["firmware"] = firmware
    return Message(topics.status(kind, device), msgspec.json.encode(said), retain=True)


def _merged(before: list[Message], more: list[Message]) -> list[Message]:
    """Both in order; of messages that are retained under one topic the last."""
    newer = {each.topic for each in more if each.retain}
    return [each for each in before if not (each.retain and each.topic in newer)] + more
