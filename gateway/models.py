"""Which codec reads a device: what the town's own file says, or else a name that the network server gives.

The file (`gateway_models`, TOML) holds one `[[device]]` a rule; the first whose conditions all hold decides:

    [[device]]
    profile = "Parking Bosch"          # the name of ChirpStack's device profile
    model = "bosch/tps110"             # a model of docs/devices.md

    [[device]]
    brand = "nordic-automation"        # The Things Stack's version ids
    product = "ul2020"
    model = "nas/ul20xx-1.1"

    [[device]]
    profile = "Acme gauge"
    codec = "acme/gauge"               # the maker's own codec, kept by `lamplighter codec add`

    [[device]]
    eui = "70b3d57ba0"                 # how the EUI begins
    kind = "drain_level"               # no codec of ours: fields of what the server's own codec made of it
    [device.fields]
    distance_m = { path = "distance", factor = 0.001 }
    temp_c = "temperature"

    [[sparkplug]]                      # see gateway/sparkplug.py
    …

Without a rule, a device whose profile's name, tag `model`, or `brand/product` is the name of a model has that model,
else the one that the registry says; a maker's own codec that is kept under this name goes before ours.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec
from gateway.events import Source
from gateway.scripts.shelf import Shelf
from telemetry.kinds import KINDS

Fields = dict[str, float | int | bool]


class BadModels(ValueError):
    """The file cannot be used; the message is a sentence that says why."""


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a field comes from: a member, those inside one another separated by dots.

    A number is multiplied by `factor`, and `offset` is added; with `true_if` the field says whether the member is that.
    """

    path: str
    factor: float = 1.0
    offset: float = 0.0
    true_if: str | float | bool | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[device]]` of the file."""

    profile: str = ""
    brand: str = ""
    product: str = ""
    eui: str = ""
    model: str = ""
    codec: str = ""
    kind: str = ""
    fields: dict[str, Field | str] = {}


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[sparkplug]]`: a device behind an edge node, or with no `device` the node itself.

    `name` is the device's name in the registry; `path` of a field is the metric's whole name.
    """

    group: str
    node: str
    name: str
    kind: str
    metrics: dict[str, Field | str]
    device: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device: list[Rule] = []
    sparkplug: list[Metrics] = []


@dataclass(frozen=True, slots=True)
class Selection:
    """Fields of a kind out of what a server's own codec made of a payload."""

    kind: str
    fields: Mapping[str, Field]

    def of(self, decoded: Mapping[str, Any]) -> Fields:
        """The fields that are there.

        Raises:
            ValueError: one is there and is of another type.
        """
        found: Fields = {}
        for name, field in self.fields.items():
            value = _at(decoded, field.path)
            if value is not None:
                found[name] = converted(name, field, value)
        return found


class Models:
    """The rules in their order, all models of the catalogue, and on the `shelf` those of makers' own codecs."""

    def __init__(self, rules: list[Rule] | None = None, sparkplug: list[Metrics] | None = None) -> None:
        self._rules = [(rule, _target(rule)) for rule in rules or []]
        self.shelf = Shelf()
        self.sparkplug = tuple(sparkplug or ())
        for each in self.sparkplug:
            _check_fields(each.kind, each.metrics, f"the sparkplug device {each.name}")

    @classmethod
    def read(cls, file: Path) -> "Models":
        """The rules of a file.

        Raises:
            BadModels: it cannot be read, or a rule is wrong.
        """
        try:
            found = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _File)
        except (OSError, UnicodeDecodeError) as error:
            raise BadModels(f"The file of device models {file} cannot be read ({error}).") from error
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise BadModels(f"The file of device models {file} is wrong: {error}.") from error
        try:
            return cls(found.device, found.sparkplug)
        except BadModels as error:
            raise BadModels(f"The file of device models {file} is wrong: {error}.") from error

    def writer(self, model: str) -> Codec | None:
        """The codec that writes the downlinks of a model: a kept one whose mapping says how, else ours."""
        kept = self.shelf.codec(model)
        return kept if kept is not None and kept.encode is not None else catalogue().get(model, kept)

    def of(self, source: Source, registered: str | None = None) -> Codec | Selection | None:
        """What reads this device's payloads; `None` where nobody knows its model.

        `registered` is the model that the registry says, which counts where the network server does not say one.
        """
        for rule, target in self._rules:
            if _holds(rule, source):
                return self.shelf.codec(rule.codec.lower()) if rule.codec else target
        known = catalogue()
        for name in (source.tag, source.profile, f"{source.brand}/{source.product}", registered or ""):
            model = name.strip().lower()
            codec = self.shelf.codec(model) or known.get(model)
            if codec is not None:
                return codec
        return None


def long_form(fields: Mapping[str, Field | str]) -> dict[str, Field]:
    """The fields of a rule in their long form."""
    return {name: Field(field) if isinstance(field, str) else field for name, field in fields.items()}


def converted(name: str, field: Field, value: object) -> float | int | bool:
    """The value of a field.

    Raises:
        ValueError: it has another type than the rule expects.
    """
    if field.true_if is not None:
        return value == field.true_if
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{field.path} is {str(value)[:40]!r}, which is no number for {name}")
    plain = field.factor == 1 and field.offset == 0
    return value if plain else value * field.factor + field.offset


def _target(rule: Rule) -> Codec | Selection | None:
    """What a rule names; `None`: a maker's own codec, which is looked for at each message."""
    what = f"the rule for {rule.profile or rule.eui or rule.product or rule.brand or '(nothing)'}"
    if not (rule.profile or rule.brand or rule.product or rule.eui):
        raise BadModels("a rule has no condition: give profile, brand, product or eui")
    if [bool(rule.model), bool(rule.codec), bool(rule.kind)].count(True) != 1:
        raise BadModels(f"{what} gives not exactly one of model, codec and kind")
    if rule.codec:
        return None
    if rule.model:
        codec = catalogue().get(rule.model.lower())
        if codec is None:
            raise BadModels(f"{what} names the model {rule.model!r}, which docs/devices.md does not list")
        return codec
    _check_fields(rule.kind, rule.fields, what)
    return Selection(rule.kind, long_form(rule.fields))


def _check_fields(kind: str, fields: Mapping[str, object], what: str) -> None:
    if kind not in KINDS:
        raise BadModels(f"{what} names the kind {kind!r}, which is none of {', '.join(KINDS)}")
    unknown = sorted(fields.keys() - {each.name for each in KINDS[kind].properties})
    if unknown:
        raise BadModels(f"{what} names {', '.join(unknown)}, which {kind} does not have")


def _holds(rule: Rule, source: Source) -> bool:
    pairs = ((rule.profile, source.profile), (rule.brand, source.brand), (rule.product, source.product))
    return source.eui.startswith(rule.eui.lower()) and all(
        not wanted or wanted.lower() == given.lower() for wanted, given in pairs
    )


def _at(decoded: Mapping[str, Any], path: str) -> object:
    value: object = decoded
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
