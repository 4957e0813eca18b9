"""What is asked of simulated devices on the command line."""

import csv

import pytest

from firmware_sim.city import City
from firmware_sim.speech import Speech
from lamplighter import simulating
from lamplighter.cli import run
from lamplighter.errors import WrongUsage


def test_without_a_word_devices_speak_the_citys_own_topics() -> None:
    assert simulating.speech(None) == Speech()


@pytest.mark.parametrize("text", ["klingon", "native=0", "chirpstack,chirpstack"])
def test_what_nobody_speaks_is_refused_in_one_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WrongUsage):
        simulating.speech(text)
    assert run(["simulate", "--registry", "--devices", "1", "--speak", text]) == 2
    assert capsys.readouterr().err.startswith("--speak cannot be read: ")


def test_the_registry_has_a_column_for_models_only_where_there_are_some() -> None:
    city = City(20, 1)
    plain = list(csv.DictReader(simulating.registry_csv(city, None, Speech()).splitlines()))
    mixed = list(csv.DictReader(simulating.registry_csv(city, None, Speech({"chirpstack": 1})).splitlines()))
    assert "model" not in plain[0]
    assert [{**row, "model": each["model"]} for row, each in zip(plain, mixed, strict=True)] == mixed
    assert {bool(each["model"]) for each in mixed if each["kind"] != "zone"} == {True}
