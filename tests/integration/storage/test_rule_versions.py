"""Versions of the rules are kept once, and each change of the active one is a row."""

from storage import rule_versions
from storage.pool import Connection
from storage.rule_versions import RuleVersion
from telemetry.clock import to_us
from tests.integration.storage.rows import at, table


def version(name: str, author: str = "mayor") -> RuleVersion:
    return RuleVersion(name, "{}", f"version = '{name}'", "0" * 64, author)


async def test_the_last_activated_version_is_active_an_older_one_too_if_it_comes_back(native: Connection) -> None:
    assert await rule_versions.active(native) is None
    for hour, (name, author) in enumerate([("a", "mayor"), ("b", "mayor"), ("b", "clerk"), ("a", "clerk")]):
        await rule_versions.activate(native, version(name, author), to_us(at(f"2026-11-22 0{hour}:00")))
    assert await rule_versions.active(native) == (version("a", "clerk"), at("2026-11-22 03:00"))
    assert await table(native, "SELECT version, author FROM rule_activation ORDER BY id") == [
        ("a", "mayor"),
        ("b", "mayor"),
        ("a", "clerk"),
    ]
    assert await table(native, "SELECT version, author FROM rule_version ORDER BY version") == [
        ("a", "mayor"),
        ("b", "mayor"),
    ]
