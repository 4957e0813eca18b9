"""Names and topics of the contract."""

import pytest

from telemetry import topics


def test_a_topic_comes_apart_as_it_was_put_together() -> None:
    topic = topics.parse_device(topics.telemetry("streetlight", "a:1"))
    assert topic == topics.DeviceTopic("streetlight", "a:1", "telemetry")


@pytest.mark.parametrize(
    "topic", ["", "city/v1/x", "city/v2/a/b/ack", "city/v1/a/b c/ack", "city/v1/a/" + "b" * 65 + "/ack"]
)
def test_what_is_no_device_topic_is_none(topic: str) -> None:
    assert topics.parse_device(topic) is None


@pytest.mark.parametrize(
    ("name", "shown"), [("a b", "a b"), ("", ""), ("b" * 64, "b" * 64), ("b" * 65, "b" * 64 + "…")]
)
def test_a_device_that_cannot_be_is_named_as_far_as_that_goes(name: str, shown: str) -> None:
    assert topics.take_apart(topics.ack("a", name)) == topics.DeviceTopic("a", shown, "ack")


@pytest.mark.parametrize("name", ["nearest", "stream", "", "-a", "a b", "ä", "a" * 65])
def test_unlawful_zone_names(name: str) -> None:
    assert not topics.valid_zone(name)


@pytest.mark.parametrize("name", ["a", "Ruhrstr.12_b-3", "9" * 64])
def test_lawful_names(name: str) -> None:
    assert topics.valid_zone(name)
    assert topics.valid_asset(name)


def test_a_zones_topic_names_the_zone() -> None:
    assert topics.parse_zone_parking(topics.zone_parking("market-1")) == "market-1"
    assert topics.parse_zone_parking("city/v1/zones/a/b/parking") is None
