"""What the devices of a town speak: the city's own topics, or LoRaWAN behind one network server or another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firmware_sim.chance import Chance

NATIVE = "native"
NETWORK_SERVERS = ("chirpstack", "the_things_stack")
LANGUAGES = (NATIVE, *NETWORK_SERVERS)


class BadSpeech(ValueError):
    """The text names no languages; the message is a sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Languages and how many parts of the town speak each; the sum is the whole town."""

    parts: Mapping[str, float] = field(default_factory=lambda: {NATIVE: 1.0})

    def of(self, device: str, seed: int) -> str:
        """What a device speaks, whatever the size of its town."""
        draw = Chance.seeded("speaks", seed, device).unit() * sum(self.parts.values())
        for language, part in self.parts.items():
            draw -= part
            if draw < 0:
                return language
        return list(self.parts)[-1]


def parse_speech(text: str) -> Speech:
    """`chirpstack`, or parts: `native=70,chirpstack=20,the_things_stack=10`.

    Raises:
        BadSpeech: it is neither.
    """
    parts: dict[str, float] = {}
    for each in text.split(","):
        language, _, part = each.strip().partition("=")
        name = language.strip().replace("-", "_")
        if name not in LANGUAGES:
            raise BadSpeech(f"nobody speaks {language.strip()!r}; there are {', '.join(LANGUAGES)}")
        if name in parts:
            raise BadSpeech(f"{name} is named twice")
        try:
            parts[name] = float(part or 1)
        except ValueError:
            parts[name] = -1.0
        if not 0 < parts[name] < 1e9:
            raise BadSpeech(f"the part of {name} is a number above 0, not {part!r}")
    return Speech(parts)
