"""What devices say of themselves on their status topics: online or not, and with which firmware.

On any one of its kinds a device speaks for all of them. The word is retained, and also the device's Will.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ingest.batch import Word
from ingest.statements import SQL
from storage.pool import Connection
from telemetry import topics
from telemetry.clock import to_datetime
from telemetry.commands import Status

FIRMWARE_LENGTH_MAX = 64
_decode = msgspec.json.Decoder(Status).decode


@dataclass(frozen=True, slots=True)
class DeviceWord:
    """A device's last word of a batch. `firmware` is `None` where it did not say."""

    device: str
    online: bool
    firmware: str | None
    retained: bool
    received_us: int


def words_of(statuses: Sequence[Word]) -> tuple[list[DeviceWord], int]:
    """The last word of each device, by device, and how many could not be understood. An emptied topic says nothing."""
    last: dict[str, DeviceWord] = {}
    misspoken = 0
    for status in statuses:
        if not status.payload:
            continue
        topic = topics.parse_device(status.topic.decode("utf-8", "replace"))
        said = _understood(status.payload)
        if topic is None or said is None:
            misspoken += 1
        else:
            word = DeviceWord(topic.device, said.online, said.firmware, status.retained, status.received_us)
            last[topic.device] = word
    return [last[device] for device in sorted(last)], misspoken


def _understood(payload: bytes) -> Status | None:
    try:
        said = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    firmware = said.firmware or ""
    return said if len(firmware) <= FIRMWARE_LENGTH_MAX and firmware.isprintable() else None


async def record(conn: Connection, words: Sequence[DeviceWord]) -> None:
    """Record the words on registered devices."""
    await conn.execute(
        SQL["presence"],
        {
            "devices": [word.device for word in words],
            "online": [word.online for word in words],
            "firmware": [word.firmware for word in words],
            "at": [to_datetime(word.received_us) for word in words],
            "retained": [word.retained for word in words],
        },
    )
