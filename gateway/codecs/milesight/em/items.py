"""The format of Milesight EM sensors: items of channel, type and value, up and down.

Source: Milesight, user guides of the EM series, "Uplink data", and the published payload tables of each model.

    byte 0      channel
    byte 1      type
    then        the value, whose length follows from channel and type; the next item follows

Numbers have their least significant byte first. Channels 0xFE and 0xFF are of the device itself, the same for all
models: what it is (said when it joins) and its settings (said in reply to a downlink; downlinks are made of the same
items). Other channels are the model's. An item that the model's guide does not name has no known length, so that
nothing after it could be read: the payload is refused. The port is the device's setting (85 unless changed).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.codecs.codec import Reading, Undecodable, Value
from gateway.codecs.milesight.em.settings import Setting, named
from gateway.codecs.wire import Cursor

PORT_MAX = 223
NO_READING = {0xFFFD: "no_target", 0xFFFE: "disabled", 0xFFFF: "sensor_fault"}
"""Words instead of a measured value of 16 bits."""
CLASSES = ("A", "B", "C", "C to B")


@dataclass(frozen=True, slots=True)
class Silent:
    """Why the device has no value."""

    why: str


Values = dict[str, Value | Silent]


@dataclass(frozen=True, slots=True)
class Item:
    """A value of fixed length and what it says, by our names."""

    length: int
    read: Callable[[Cursor], Values]


Table = Mapping[tuple[int, int], Item]


def number(name: str, count: int, per: float = 1, *, signed: bool = False) -> Item:
    """A number of `count` bytes that nothing is missing from; an integer where `per` is 1."""

    def read(cursor: Cursor) -> Values:
        whole = cursor.signed(count, little=True) if signed else cursor.unsigned(count, little=True)
        return {name: whole if per == 1 else whole / per}

    return Item(count, read)


def measured(name: str, per: float = 1, *, signed: bool = False, positive: bool = False) -> Item:
    """A measured value of 2 bytes, or the reason why there is none; a `positive` one cannot be 0 either."""

    def read(cursor: Cursor) -> Values:
        raw = cursor.unsigned(2, little=True)
        if raw in NO_READING:
            return {name: Silent(NO_READING[raw])}
        if positive and raw == 0:
            return {name: Silent("out_of_range")}
        return {name: (raw - 0x1_0000 if signed and raw >= 0x8000 else raw) / per}

    return Item(2, read)


def flag(name: str) -> Item:
    """A byte of 0 or 1."""
    return Item(1, lambda cursor: {name: _bit(cursor, name)})


def with_alarm(item: Item, name: str) -> Item:
    """A value, then a byte that says whether it is beyond its threshold."""
    return Item(item.length + 1, lambda cursor: item.read(cursor) | {name: _bit(cursor, name)})


def history(*items: Item, spare: int = 0) -> Item:
    """A stored measurement: seconds since 1970, `spare` bytes, then its values."""

    def read(cursor: Cursor) -> Values:
        row: Values = {"at_unix_s": cursor.unsigned(4, little=True)}
        cursor.take(spare)
        for item in items:
            row |= item.read(cursor)
        return {"history": [{name: value for name, value in row.items() if not isinstance(value, Silent)}]}

    return Item(4 + spare + sum(item.length for item in items), read)


def unread(name: str, count: int) -> Item:
    """Bytes that are kept as they are."""
    return Item(count, lambda cursor: {name: cursor.take(count).hex()})


ABOUT: Table = {
    (0xFF, 0x01): Item(1, lambda cursor: {"protocol_version": ".".join(f"{cursor.unsigned():02x}")}),
    (0xFF, 0x09): Item(2, lambda cursor: {"hardware": f"{cursor.unsigned():x}.{cursor.unsigned() >> 4:x}"}),
    (0xFF, 0x0A): Item(2, lambda cursor: {"firmware": f"{cursor.unsigned():x}.{cursor.unsigned():x}"}),
    (0xFF, 0x0B): Item(1, lambda cursor: {"powered_on": bool(cursor.unsigned())}),
    (0xFF, 0x0F): Item(1, lambda cursor: {"lorawan_class": named(cursor.unsigned(), CLASSES, "device class")}),
    (0xFF, 0x16): Item(8, lambda cursor: {"serial": cursor.take(8).hex()}),
    (0xFF, 0xFE): Item(1, lambda cursor: {"was_reset": bool(cursor.unsigned())}),
    (0xFF, 0xFF): Item(2, lambda cursor: {"tsl_version": f"{cursor.unsigned()}.{cursor.unsigned()}"}),
}
BATTERY: Table = {(0x01, 0x75): number("battery_pct", 1)}


def decode(
    port: int | None, data: bytes, *, table: Table, settings: Mapping[int, Setting], fields: tuple[str, ...]
) -> Reading:
    """One uplink of a model with this table of items and these settings."""
    if port is not None and not 1 <= port <= PORT_MAX:
        raise Undecodable(f"port {port} is none of 1 to {PORT_MAX}")
    if not data:
        raise Undecodable("no bytes, where at least one item is expected")
    cursor = Cursor(data)
    observation: dict[str, float | int | bool] = {}
    extra: dict[str, Value] = {}
    silent: dict[str, Value] = {}
    while cursor.left:
        for name, value in _item(cursor, table, settings).items():
            if isinstance(value, Silent):
                silent[name] = value.why
            elif name in fields and isinstance(value, int | float):
                observation[name] = float(value)
            elif isinstance(value, list):
                earlier = extra.get(name)
                extra[name] = [*earlier, *value] if isinstance(earlier, list) else value
            else:
                extra[name] = value
    return Reading(observation, extra | {"no_reading": silent} if silent else extra)


def _item(cursor: Cursor, table: Table, settings: Mapping[int, Setting]) -> Values:
    channel, kind = cursor.unsigned(), cursor.unsigned()
    item = table.get((channel, kind)) or ABOUT.get((channel, kind))
    if item is not None:
        return item.read(cursor)
    if channel in (0xFE, 0xFF) and kind in settings:
        said: Values = {}
        for name, value in settings[kind].read(cursor).items():
            said[f"{name}_s" if name.endswith("_interval") else name] = value
        return said
    raise Undecodable(f"an item of channel {channel:#04x} and type {kind:#04x} is none of this model")


def _bit(cursor: Cursor, name: str) -> bool:
    byte = cursor.unsigned()
    if byte > 1:
        raise Undecodable(f"{name} is {byte:#04x}, where 0x00 and 0x01 are defined")
    return byte == 1
