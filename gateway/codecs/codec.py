"""What a codec of a device offers, whatever its maker: bytes in, a reading or one refusal out.

Codecs are pure and know neither each other nor the network server that brought the bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = float | int | bool | str | None | list["Value"] | dict[str, "Value"]
"""What an extra may be: anything that JSON can say."""


class Undecodable(ValueError):
    """The payload is none that the data sheet describes; the message says where and what was expected."""


class Unencodable(ValueError):
    """The device knows no downlink for what is wanted; the message says which part."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one uplink says.

    `observation` holds fields of the codec's kind in our names and units, as the contract's wire has them; it is empty
    for a valid message without a reading. It may lack the field that the kind demands (a message with nothing but a
    temperature): then it is no observation that can be published. `extra` holds all other values, in snake_case with
    their unit as suffix.
    """

    observation: Mapping[str, float | int | bool] = field(default_factory=dict)
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Downlink:
    """Bytes for a device on a LoRaWAN port (1 to 223)."""

    port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Codec:
    """The codec of one model, or of several with one format.

    Attributes:
        models: names `vendor/device`, lower case, as `lamplighter decode` takes them.
        kind: the kind of sensor whose fields `decode` gives; `None` for a format that serves any kind.
        words: maker and product, for the list of supported devices.
        fields: every field of the kind that `decode` may give; its golden vectors show each.
        decode: port (`None` where the source did not say) and bytes to a reading; raises `Undecodable` and nothing
            else, whatever the bytes.
        encode: settings to a downlink: our own (`setpoint_pct`, `report_every_s`) or the maker's published input;
            raises `Unencodable` and nothing else. `None`: the device takes no downlinks that we know.
        decode_downlink: a downlink's port and bytes back to the maker's published input; raises `Undecodable` and
            nothing else.
        downlinks: names of the settings that `encode` takes, for the list of supported devices.
    """

    models: tuple[str, ...]
    kind: str | None
    words: str
    fields: tuple[str, ...]
    decode: Callable[[int | None, bytes], Reading]
    encode: Callable[[Mapping[str, Any]], Downlink] | None = None
    decode_downlink: Callable[[int | None, bytes], dict[str, Value]] | None = None
    downlinks: tuple[str, ...] = ()
