"""All native codecs by model, found by looking into the makers' folders: adding one is adding a file."""

import importlib
import pkgutil
from functools import cache

from gateway import codecs
from gateway.codecs.codec import Codec


@cache
def catalogue() -> dict[str, Codec]:
    """Every supported model with its codec, by name."""
    found: dict[str, Codec] = {}
    for module in pkgutil.walk_packages(codecs.__path__, f"{codecs.__name__}."):
        for codec in getattr(importlib.import_module(module.name), "CODECS", ()):
            for model in codec.models:
                if found.setdefault(model, codec) is not codec:
                    raise ValueError(f"two codecs claim {model}")
    return dict(sorted(found.items()))
