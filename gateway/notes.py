"""What the gateway must remember of a device over its own end: retained by the city's broker, one message a device.

That is where its downlinks go, and values that wait for an observation to join. Kept for registered devices only, so
that they are no more than the registry has.
"""

from typing import Any

import msgspec

from gateway.events import Message, Route
from telemetry import topics


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """`network` is the gateway's own name for the network server; `model` the codec's, empty where none reads it.

    `held` are fields of its kind that came at `held_us` (city time) without the one that the kind demands.
    """

    network: str = ""
    application: str = ""
    name: str = ""
    model: str = ""
    kind: str = ""
    firmware: str = ""
    held: dict[str, float | int | bool] = {}
    held_us: int = 0

    @property
    def route(self) -> Route:
        """Where its downlinks go."""
        return Route(self.application, self.name)


_decode = msgspec.json.Decoder(Note).decode


def message(device: str, note: Note) -> Message:
    """The message that has the broker remember."""
    return Message(topics.gateway_note(device), msgspec.json.encode(note), retain=True)


def read(topic: str, payload: bytes) -> tuple[str, Note] | None:
    """Device and note of a message; `None` if it is none of ours, or of another version."""
    device = topics.parse_gateway_note(topic)
    if device is None or not payload:
        return None
    try:
        return device, _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def with_route(note: Note, network: str, route: Route, model: str, kind: str) -> Note:
    """The note of a device that has been heard by this way."""
    given: dict[str, Any] = {"network": network, "application": route.application, "name": route.name}
    given |= {"model": model or note.model, "kind": kind or note.kind}
    same = all(getattr(note, name) == value for name, value in given.items())
    return note if same else msgspec.structs.replace(note, **given)
