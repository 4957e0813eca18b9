"""From messages of the broker to what a step takes: observations in columns, acknowledgements, and what was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from rules.inputs import Acked
from telemetry import topics
from telemetry.columns import Columns
from telemetry.commands import Ack
from telemetry.decoding import Decoder

_decode_ack = msgspec.json.Decoder(Ack).decode


@dataclass(frozen=True, slots=True)
class Uplinks:
    """What messages say. `observed_us` is the median time of their observations, `None` without any.

    `refused` observations are ingest's to keep; `misspoken` are answers that nobody understands.
    """

    columns: dict[str, Columns]
    acks: list[Acked]
    observed_us: int | None = None
    observations: int = 0
    refused: int = 0
    misspoken: int = 0


def read(decoder: Decoder, names: Sequence[bytes], payloads: Sequence[bytes], received_us: int) -> Uplinks:
    """Understand messages in their order of arrival, all received at one moment of the city clock."""
    telling = [place for place, name in enumerate(names) if name.endswith(topics.TELEMETRY_SUFFIX)]
    acks, misspoken = _acks(names, payloads) if len(telling) < len(names) else ([], 0)
    decoded = decoder.decode([names[each] for each in telling], [payloads[each] for each in telling], received_us)
    place_of = np.array(telling, np.int32)
    columns = {kind: replace(found, message=place_of[found.message]) for kind, found in decoded.columns.items()}
    observed = [found.observed_us for found in columns.values() if len(found)]
    return Uplinks(
        columns,
        acks,
        int(np.median(np.concatenate(observed))) if observed else None,
        sum(map(len, observed)),
        len(decoded.refused),
        misspoken,
    )


def _acks(names: Sequence[bytes], payloads: Sequence[bytes]) -> tuple[list[Acked], int]:
    """Answers to commands, and how many messages that should be such are not."""
    acks: list[Acked] = []
    misspoken = 0
    for place, name in enumerate(names):
        if name.endswith(topics.TELEMETRY_SUFFIX):
            continue
        topic = topics.parse_device(name.decode("utf-8", "replace"))
        try:
            said = _decode_ack(payloads[place])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = None
        if topic is None or said is None:
            misspoken += 1
            continue
        acks.append(Acked(place, topic.device, said.id, said.ok, said.error))
    return acks, misspoken
