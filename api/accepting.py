"""What a client says it takes: lists with weights (RFC 9110 §12.4.2), as `Accept` and `Accept-Encoding` have them.

Where a document has but one form, a client gets it whatever it says (§12.5.1 lets us). The page chooses its language in
the browser, so nothing here reads `Accept-Language`.
"""

import re
from functools import lru_cache

_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d*)?|1(?:\.0*)?)\s*")


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client takes gzip, and likes it no less than what is not packed (§12.5.3)."""
    weights = _weights(accept_encoding)
    gzip = weights.get("gzip", weights.get("*", 0.0))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def prefers(media_type: str, accept: str, usual: str) -> bool:
    """Whether of two forms a client wants this one and not the usual one, which is for whoever does not mind."""
    weights = _weights(accept)
    ours, other = _of_media_type(media_type, weights), _of_media_type(usual, weights)
    return ours > other or (ours == other > 0 and media_type in weights and usual not in weights)


def _weights(header: str) -> dict[str, float]:
    """All that a header names in lower case, from 0 (not taken) to 1; a weight that is none counts as 1."""
    found: dict[str, float] = {}
    for each in header.lower().split(","):
        name, *parameters = each.split(";")
        weights = (matched[1] for parameter in parameters if (matched := _WEIGHT.fullmatch(parameter)))
        found[name.strip()] = float(next(weights, 1))
    return found


def _of_media_type(media_type: str, weights: dict[str, float]) -> float:
    """The weight of the range that says most of the media type, 0 where none does."""
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((weights[each] for each in ranges if each in weights), 0.0)
