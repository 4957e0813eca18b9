"""The makers' codecs that a gateway has, by model: each in its sandbox, and each as a `Codec` like the native ones.

A sandbox has to be waited for, and a native codec has not. So all uplinks of a batch are asked at once (`ask`), and
while their answers are at hand (`holding`), `Codec.decode` only looks them up. Downlinks are alike (`ask_wanted`,
`Codec.encode`).
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import msgspec
import structlog

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable
from gateway.scripts.mapping import FieldMapping
from gateway.scripts.mapping_file import MappingMistakes, understand
from gateway.scripts.sandbox import NoWorker, ScriptFault
from gateway.scripts.vendor import VendorCodec

Question = tuple[str, int | None, bytes]
"""Model, port and bytes of an uplink."""
Answers = Mapping[Question, Reading | Undecodable]
Wanted = tuple[str, bytes]
"""Model and settings of a downlink, these as JSON."""
Frames = Mapping[Wanted, Downlink | Unencodable]
COSTLY = frozenset({"time", "memory", "died"})
COSTLY_MAX = 3
"""After as many costly faults in a row a codec rests, so that it cannot hold up the devices of others."""
REST_S = 60.0

_log = structlog.get_logger(__name__)


def said(settings: Mapping[str, Any]) -> bytes:
    """Settings as a question has them."""
    return msgspec.json.encode(settings, order="sorted")


class Kept(Protocol):
    """A codec as it is kept."""

    @property
    def model(self) -> str:
        """`vendor/device`, in lower case."""

    @property
    def source(self) -> str:
        """Its text."""

    @property
    def mapping(self) -> str | None:
        """Its mapping file's text, if it has one."""

    @property
    def reused(self) -> bool:
        """Whether its context is kept between messages."""


@dataclass(slots=True)
class _Place:
    """One model's codec on the shelf."""

    text: tuple[str, str | None, bool]
    vendor: VendorCodec
    codec: Codec
    costly: int = 0
    rests_until_s: float = 0.0

    def judge(self, fault: ScriptFault | None) -> None:
        """Count what a message cost."""
        self.costly = self.costly + 1 if fault is not None and fault.fault in COSTLY else 0
        if self.costly >= COSTLY_MAX:
            self.costly, self.rests_until_s = 0, time.monotonic() + REST_S
            _log.warning("a maker's codec rests", model=self.codec.models[0], seconds=REST_S, reason=str(fault))


class Shelf:
    """The codecs that are kept now."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._answers: Answers = {}
        self._frames: Frames = {}

    def __bool__(self) -> bool:
        return bool(self._places)

    async def __aenter__(self) -> "Shelf":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def fill(self, several: Iterable[Kept]) -> list[str]:
        """Have exactly these codecs; those that have not changed keep their processes.

        Returns a sentence for each that cannot be used.
        """
        complaints = []
        before, self._places = self._places, {}
        for each in several:
            text = (each.source, each.mapping, each.reused)
            place = before.get(each.model)
            if place is not None and place.text == text:
                self._places[each.model] = before.pop(each.model)
                continue
            try:
                mapping = None if each.mapping is None else understand(each.mapping)
            except MappingMistakes as error:
                complaints.append(f"The mapping of {each.model} cannot be used: {error}")
                continue
            vendor = VendorCodec(each.source, mapping, reuse=each.reused)
            self._places[each.model] = _Place(text, vendor, self._codec(each.model, mapping))
        for place in before.values():
            await place.vendor.close()
        return complaints

    def codec(self, model: str) -> Codec | None:
        """The codec of a model, `None` where none is kept."""
        place = self._places.get(model)
        return None if place is None else place.codec

    def keeps(self, codec: Codec) -> bool:
        """Whether a codec is one of these."""
        place = self._places.get(codec.models[0])
        return place is not None and place.codec is codec

    async def ask(self, questions: Mapping[Question, int | None]) -> Answers:
        """What the codecs make of uplinks; each has the time it was received, ms since 1970, where that is known."""
        if not questions:
            return {}
        answers = await asyncio.gather(*(self._one(question, at_ms) for question, at_ms in questions.items()))
        return dict(zip(questions, answers, strict=True))

    async def ask_wanted(self, wanted: Iterable[Wanted]) -> Frames:
        """What the codecs make of settings, as far as these are of kept models whose mapping has a downlink."""
        ours = [each for each in dict.fromkeys(wanted) if self.writes(each[0])]
        return dict(zip(ours, await asyncio.gather(*map(self._encoded, ours)), strict=True))

    def writes(self, model: str) -> bool:
        """Whether a kept codec writes the downlinks of a model."""
        codec = self.codec(model)
        return codec is not None and codec.encode is not None

    @contextmanager
    def holding(self, answers: Answers | None = None, frames: Frames | None = None) -> Iterator[None]:
        """Within the block, which must not wait for anything, the codecs know these answers."""
        self._answers, self._frames = answers or {}, frames or {}
        try:
            yield
        finally:
            self._answers, self._frames = {}, {}

    async def close(self) -> None:
        """End all processes."""
        await self.fill(())

    async def _one(self, question: Question, at_ms: int | None) -> Reading | Undecodable:
        model, port, data = question
        place = self._places.get(model)
        if place is None:
            return Undecodable(f"the codec of {model} is kept no longer")
        if time.monotonic() < place.rests_until_s:
            return Undecodable(f"the codec has cost too much {COSTLY_MAX} times in a row and rests for {REST_S:.0f} s")
        try:
            reading = await place.vendor.decode(port, data, at_ms)
        except ScriptFault as fault:
            place.judge(fault)
            return fault
        except Undecodable as refusal:
            place.judge(None)
            return refusal
        except NoWorker as error:
            is_replaced = self._places.get(model) is not place
            return await self._one(question, at_ms) if is_replaced else Undecodable(str(error))
        place.judge(None)
        return reading

    def _codec(self, model: str, mapping: FieldMapping | None) -> Codec:
        return Codec(
            models=(model,),
            kind=None if mapping is None else mapping.kind,
            words="the maker's own codec",
            fields=() if mapping is None else tuple(rule.name for rule in mapping.observation),
            decode=partial(self._answer, model),
            encode=partial(self._frame, model) if mapping and mapping.downlink else None,
            downlinks=tuple(each.name for each in mapping.downlink) if mapping else (),
        )

    async def _encoded(self, wanted: Wanted) -> Downlink | Unencodable:
        model, settings = wanted
        place = self._places.get(model)
        if place is None or place.vendor.mapping is None:
            return Unencodable(f"the codec of {model} is kept no longer")
        if time.monotonic() < place.rests_until_s:
            return Unencodable(f"the codec has cost too much {COSTLY_MAX} times in a row and rests for {REST_S:.0f} s")
        try:
            return await place.vendor.encode(place.vendor.mapping.wanted(msgspec.json.decode(settings)))
        except Unencodable as refusal:
            place.judge(refusal.__cause__ if isinstance(refusal.__cause__, ScriptFault) else None)
            return refusal
        except NoWorker as error:
            return Unencodable(str(error))

    def _frame(self, model: str, settings: Mapping[str, Any]) -> Downlink:
        answer = self._frames.get((model, said(settings)))
        if isinstance(answer, Downlink):
            return answer
        raise answer or Unencodable(f"the codec of {model} was not asked")

    def _answer(self, model: str, port: int | None, data: bytes) -> Reading:
        answer = self._answers.get((model, port, data))
        if isinstance(answer, Reading):
            return answer
        raise answer or Undecodable(f"the codec of {model} was not asked")
