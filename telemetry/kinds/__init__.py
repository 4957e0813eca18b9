"""The kinds of sensors, one file each; a file put here is a kind that every room knows.

A module of this package defines exactly one subclass of `Observation`.
"""

import importlib
import pkgutil
from types import MappingProxyType

from telemetry.kind import Kind, Observation


def _discover() -> dict[str, Kind]:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    kinds = [Kind(wire) for wire in Observation.__subclasses__() if wire.__module__.startswith(f"{__name__}.")]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: kind.name)}


KINDS = MappingProxyType(_discover())
