"""Why an observation is not stored: the closed list of reasons, each with its sentence (contract §1)."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The reasons in the order in which they are looked for; the first match wins."""

    TOO_LARGE = "too_large"
    UNKNOWN_KIND = "unknown_kind"
    MALFORMED_JSON = "malformed_json"
    TOO_MANY = "too_many"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_DEVICE = "unknown_device"
    KIND_MISMATCH = "kind_mismatch"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_TIMESTAMP = "bad_timestamp"
    FUTURE_TIMESTAMP = "future_timestamp"
    OUT_OF_RANGE = "out_of_range"
    UNDECODABLE = "undecodable"

    @property
    def sentence(self) -> str:
        """What the reason means, for people."""
        return SENTENCES[self]


SENTENCES = {
    Reason.TOO_LARGE: "The uplink is larger than 256 KiB.",
    Reason.UNKNOWN_KIND: "The topic names a kind of sensor that this platform does not know.",
    Reason.MALFORMED_JSON: "The payload is not valid JSON.",
    Reason.TOO_MANY: "The array holds more than 500 observations.",
    Reason.NOT_AN_OBJECT: "The payload is neither an object nor an array of objects.",
    Reason.UNKNOWN_DEVICE: "The device is not in the registry; once it is, the uplink can be replayed.",
    Reason.KIND_MISMATCH: "The device is known but serves no asset of this kind at the time of the observation.",
    Reason.MISSING_FIELD: "A field without which the observation says nothing is missing.",
    Reason.WRONG_TYPE: "A field has another JSON type than its kind demands; nothing is coerced.",
    Reason.BAD_TIMESTAMP: "The timestamp is neither RFC 3339 with an offset nor integer milliseconds since 1970.",
    Reason.FUTURE_TIMESTAMP: "The timestamp is more than 5 minutes ahead of the city clock.",
    Reason.OUT_OF_RANGE: "A value lies outside the range of its field.",
    Reason.UNDECODABLE: "The vendor's payload cannot be decoded by the device's codec.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one observation is refused; `detail` says which value, for the one who mends it."""

    reason: Reason
    detail: str
