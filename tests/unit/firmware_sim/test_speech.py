"""What a town's devices speak, as the command line spells it."""

from collections import Counter

import pytest

from firmware_sim.city import City
from firmware_sim.speech import NATIVE, BadSpeech, Speech, parse_speech
from firmware_sim.vendors import models


def test_one_language_is_spoken_by_all() -> None:
    assert {parse_speech("the-things-stack").of(str(number), 1) for number in range(50)} == {"the_things_stack"}


def test_parts_are_parts_of_the_town_whatever_their_sum() -> None:
    speech = parse_speech("native=6, chirpstack=3,the_things_stack=1")
    spoken = Counter(speech.of(str(number), 7) for number in range(3_000))
    assert {name: round(count / 300) for name, count in spoken.items()} == {
        NATIVE: 6,
        "chirpstack": 3,
        "the_things_stack": 1,
    }


@pytest.mark.parametrize("text", ["", "klingon", "native=0", "native=nan", "native=x", "native,native=2"])
def test_what_is_no_speech_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadSpeech, match=r"nobody speaks|above 0|twice"):
        parse_speech(text)


def test_the_registry_names_the_models_of_devices_behind_network_servers() -> None:
    city = City(40, 1)
    named = models(city, parse_speech("native,chirpstack"))
    assert 0 < len(named) < 40
    assert set(named.values()) <= {"nas/ul20xx-1.1", "bosch/tps110", "milesight/em500-udl", "decentlab/dl-pr26"}
    assert models(city, Speech()) == {}
