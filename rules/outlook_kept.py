"""What is known of a zone's coming and going, as bytes for a database, and back."""

from collections.abc import Sequence

import msgspec
import numpy as np

from rules.forecast import FEATURE_SCALE, HORIZONS_MIN, Look, Model, Outlook, Promise
from rules.week import SLOTS_A_DAY, Week

_FEATURES = len(FEATURE_SCALE)


class _Model(msgspec.Struct, array_like=True):
    normal: bytes
    moment: bytes
    low: float
    high: float
    error: float
    scored: int


class _Promise(msgspec.Struct, array_like=True):
    due_us: int
    horizon: int
    start: float
    features: bytes
    added: float


class _Kept(msgspec.Struct, array_like=True):
    """Arrays are little-endian bytes, of 64 bits a value."""

    week: tuple[bytes, bytes, bytes]
    models: list[_Model]
    looks: list[tuple[int, float, float]]
    unlearned: list[tuple[int, float]]
    promises: list[_Promise]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


def dump(outlook: Outlook) -> bytes:
    """The outlook as bytes."""
    week = outlook.week
    return _encode(
        _Kept(
            (
                week.mean.astype("<f8").tobytes(),
                week.weight.astype("<f8").tobytes(),
                week.learned_us.astype("<i8").tobytes(),
            ),
            [_model(each) for each in outlook.models],
            [(each.at_us, each.taken, each.deviation) for each in outlook.looks],
            list(outlook.unlearned),
            [
                _Promise(each.due_us, each.horizon, each.start, each.features.astype("<f8").tobytes(), each.added)
                for each in outlook.promises
            ],
        )
    )


def load(kept: bytes) -> Outlook:
    """The outlook that `dump` gave.

    Raises:
        ValueError: the bytes are none of ours, or of a version that looks at other things.
    """
    try:
        found = _decode(kept)
        size = 7 * SLOTS_A_DAY
        mean, weight, learned_us = found.week
        if len(found.models) != len(HORIZONS_MIN):
            raise ValueError("the outlook looks ahead to other times")
        return Outlook(
            Week(_reals(mean, (size,)), _reals(weight, (size,)), np.frombuffer(learned_us, "<i8").reshape(size)),
            tuple(_taught(each) for each in found.models),
            tuple(Look(*each) for each in found.looks),
            tuple(found.unlearned),
            tuple(
                Promise(each.due_us, each.horizon, each.start, _reals(each.features, (_FEATURES,)), each.added)
                for each in found.promises
            ),
        )
    except msgspec.DecodeError as error:
        raise ValueError(f"the outlook cannot be read: {error}") from None


def _model(model: Model) -> _Model:
    normal, moment = (each.astype("<f8").tobytes() for each in (model.normal, model.moment))
    return _Model(normal, moment, model.low, model.high, model.error, model.scored)


def _taught(kept: _Model) -> Model:
    normal, moment = _reals(kept.normal, (_FEATURES, _FEATURES)), _reals(kept.moment, (_FEATURES,))
    return Model(normal, moment, kept.low, kept.high, kept.error, kept.scored)


def _reals(kept: bytes, shape: Sequence[int]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.frombuffer(kept, "<f8").reshape(shape)
