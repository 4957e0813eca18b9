"""Check of the residents' page: whether it links to what the law wants it to link to."""

from lamplighter.doctor.findings import Finding, note, ok
from lamplighter.settings import Settings

_LINKS = {
    "imprint_url": "the imprint",
    "privacy_url": "the privacy notice",
    "accessibility_url": "the accessibility statement",
}


def examine(settings: Settings) -> Finding:
    """Name the links that are missing, and the settings that make them."""
    missing = [name for name in _LINKS if not getattr(settings, name)]
    if not missing:
        return ok("residents' page", "It links to imprint, privacy notice and accessibility statement.")
    what = ", ".join(_LINKS[name] for name in missing)
    names = ", ".join(f"LAMPLIGHTER_{name.upper()}" for name in missing)
    return note("residents' page", f"It does not link to {what}: set {names}.")
