"""The network servers of the setting `gateway_networks`: each a kind, `=`, and the URL of its MQTT broker."""

from collections.abc import Iterable
from pathlib import Path

from bus.address import parse_address
from gateway.events import Network
from gateway.models import BadModels, Models
from lamplighter.errors import Failure

KINDS = ("chirpstack", "the_things_stack", "sparkplug")


def checked_network(text: str) -> str:
    """One network as it was given.

    Raises:
        ValueError: it is none.
    """
    kind, _, url = text.partition("=")
    if kind not in KINDS:
        raise ValueError(f"it begins with none of {', '.join(KINDS)}")
    parse_address(url)
    return text


def networks(given: Iterable[str]) -> list[Network]:
    """The networks with names of their own: the second of a kind is `kind-2`."""
    found: list[Network] = []
    for each in given:
        kind, _, url = each.partition("=")
        number = 1 + sum(other.kind == kind for other in found)
        found.append(Network(kind if number == 1 else f"{kind}-{number}", kind, url))
    return found


def device_models(file: Path | None) -> Models:
    """What the setting `gateway_models` says, if it is set.

    Raises:
        Failure: the file is wrong; the sentence says how.
    """
    try:
        return Models() if file is None else Models.read(file)
    except BadModels as error:
        raise Failure(f"{error} Mend it, or LAMPLIGHTER_GATEWAY_MODELS.") from error
