"""What each codec of the catalogue promises for any payload; unit tests and fuzzing both look at it here."""

import json

from gateway.codecs.codec import Codec, Reading, Undecodable
from telemetry.kinds import KINDS


def keep(codec: Codec, port: int | None, data: bytes) -> None:
    """Fail unless these bytes are a reading with the fields of its kind, the same each time, or a refusal."""
    try:
        reading = codec.decode(port, data)
    except Undecodable as refusal:
        if not str(refusal):
            raise AssertionError("a refusal has a sentence") from refusal
        return
    where = f"{codec.models[0]} on port {port} of {data.hex()}"
    assert isinstance(reading, Reading), where
    types = {each.name: each.type for kind in kinds_of(codec) for each in KINDS[kind].properties}
    for name, value in reading.observation.items():
        assert type(value) is types.get(name), f"{name} = {value!r}: {where}"
        assert name in codec.fields, f"{name} is not among the codec's fields: {where}"
    assert not set(reading.observation) & set(reading.extra), where
    json.dumps([dict(reading.observation), dict(reading.extra)], allow_nan=False)
    assert codec.decode(port, data) == reading, f"another answer the second time: {where}"


def kinds_of(codec: Codec) -> list[str]:
    """The kinds whose fields a codec may give."""
    return [codec.kind] if codec.kind else list(KINDS)
