"""A device's registered model names its codec where the network server does not say what it is."""

from gateway.models import Models, Rule
from gateway.uplink import Outcome
from telemetry.registry import Installation, Registry
from tests.unit.gateway.test_uplink import EUI, Gateway, telemetry

TAKEN = b"\x01"
LEVEL = bytes.fromhex("02126700037ff47ffdffff00010bc2")
"""Of a Decentlab DL-CTD10: no Bosch TPS110 says so much."""


def heard(model: str, profile: str, data: bytes, rules: list[Rule] | None = None) -> Outcome:
    gateway = Gateway(models=Models(rules))
    served = [Installation(EUI.upper(), "parking_bay", 1), Installation(EUI.upper(), "drain_level", 2)]
    gateway.translator.use(Registry.build(1, [], [], served, models={EUI.upper(): model}))
    return gateway.up(EUI, data, profile=profile)


def test_it_counts_where_the_network_server_says_nothing_of_use() -> None:
    ((topic, said),) = telemetry(heard("bosch/tps110", "Sensors of the town", TAKEN))
    assert (topic, said["occupied"]) == (f"city/v1/parking_bay/{EUI.upper()}/telemetry", True)


def test_the_network_servers_word_goes_before_it() -> None:
    ((topic, _),) = telemetry(heard("bosch/tps110", "decentlab/dl-ctd10", LEVEL))
    assert "/drain_level/" in topic


def test_a_rule_goes_before_it() -> None:
    rules = [Rule(eui=EUI[:6], model="decentlab/dl-ctd10")]
    ((topic, _),) = telemetry(heard("bosch/tps110", "", LEVEL, rules))
    assert "/drain_level/" in topic
