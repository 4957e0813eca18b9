"""The uplink format that all Decentlab DL devices share; what its words mean is each model's table.

Source: Decentlab GmbH, published payload decoders of the DL family (protocol version 2).

    byte 0        protocol version, 2
    bytes 1, 2    device number
    bytes 3, 4    flags: bit n (from the least significant) is set where the block of sensor n follows
    then          the blocks in the order of their bits, each of 16-bit words

All numbers have their most significant byte first. The last bit is always the battery's block, 1 word in mV. A word of
65535, which no sensor measures, means that its sensor had nothing to say; such a value is left out and named in
`no_reading`. The port is the device's setting (1 unless changed), so any port for applications is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.codecs.codec import Reading, Undecodable, Value
from gateway.codecs.wire import Cursor

VERSION = 2
NOTHING = 0xFFFF
PORT_MAX = 223
BAR_PER_METRE = 0.0980665
"""Fresh water of 1,000 kg/m³ under standard gravity."""

Words = Sequence[int]


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a block.

    Attributes:
        name: ours; a field of the codec's kind goes to the observation, any other to the extra values.
        of: the block's words to the value.
        marks: the words of the block of which none may be 65535.
        needs: a count among the block's words without which there is no value, such as that of valid samples.
    """

    name: str
    of: Callable[[Words], float | int]
    marks: tuple[int, ...] = ()
    needs: int | None = None

    def missing(self, words: Words) -> str | None:
        """Why there is no such value, if there is none."""
        if any(words[at] == NOTHING for at in self.marks):
            return "not_measured"
        if self.needs is not None and words[self.needs] in (0, NOTHING):
            return "no_valid_sample"
        return None


@dataclass(frozen=True, slots=True)
class Block:
    """The words of one sensor and what they mean."""

    words: int
    fields: tuple[Field, ...]


def word(name: str, at: int, *, per: float = 1, zero: int = 0, needs: int | None = None) -> Field:
    """A value of one word: (word - zero) / per, an integer where `per` is 1."""
    if per == 1:
        return Field(name, lambda words: words[at] - zero, (at,), needs)
    return Field(name, lambda words: (words[at] - zero) / per, (at,), needs)


def raw(name: str, at: int) -> Field:
    """A status or a count for which 65535 is a number like others."""
    return Field(name, lambda words: words[at])


def wide(name: str, at: int, *, per: float = 1) -> Field:
    """A counter of two words, the lower first."""
    return Field(name, lambda words: (words[at] + (words[at + 1] << 16)) / per)


BATTERY = Block(1, (word("battery_v", 0, per=1_000),))


def decode(port: int | None, data: bytes, *, model: str, blocks: tuple[Block, ...], fields: tuple[str, ...]) -> Reading:
    """One uplink of a model whose sensors have these blocks, the battery's among them."""
    if port is not None and not 1 <= port <= PORT_MAX:
        raise Undecodable(f"port {port} is none of 1 to {PORT_MAX}")
    cursor = Cursor(data)
    version = cursor.unsigned()
    if version != VERSION:
        raise Undecodable(f"protocol version {version}, where {VERSION} is the one that is documented")
    extra: dict[str, Value] = {"protocol_version": version, "device_id": cursor.unsigned(2)}
    flags = cursor.unsigned(2)
    if flags >> len(blocks):
        raise Undecodable(f"flags {flags:#06x} name more than the {len(blocks)} sensors of a {model}")
    observation: dict[str, float | int | bool] = {}
    silent: dict[str, Value] = {}
    for number, block in enumerate(blocks):
        if not flags >> number & 1:
            continue
        words = [cursor.unsigned(2) for _ in range(block.words)]
        for each in block.fields:
            why = each.missing(words)
            if why is not None:
                silent[each.name] = why
            elif each.name in fields:
                observation[each.name] = float(each.of(words))
            else:
                extra[each.name] = each.of(words)
    cursor.end()
    return Reading(observation, extra | {"no_reading": silent} if silent else extra)
