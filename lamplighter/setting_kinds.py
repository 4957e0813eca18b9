"""The value of a setting that names kinds of sensors."""

from typing import Annotated

from pydantic import AfterValidator

from lamplighter.setting_values import Words
from telemetry.kinds import KINDS


def _known(names: Words) -> Words:
    if not set(names) <= KINDS.keys():
        raise ValueError("no such kind")
    return names


KindNames = Annotated[Words, AfterValidator(_known)]
