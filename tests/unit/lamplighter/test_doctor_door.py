"""The broker's password file and access list, held against the registry."""

from pathlib import Path

import pytest

from gateway import broker_rules
from lamplighter.doctor import door
from lamplighter.doctor.findings import Finding
from lamplighter.embedded.broker import PLATFORM_USER
from lamplighter.install import logins
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Installation, Registry

ACCESS = broker_rules.access_list(PLATFORM_USER)


def registry() -> Registry:
    """`new` serves a lamp, `old` did before it, `ID:1` is a channel, `air` speaks by a gateway."""
    wire = KINDS["streetlight"].wire
    served = {1: "new", 2: "ID:1", 3: "air"}
    assets = [
        Asset(number, f"lamp-{number}", "streetlight", "", None, None, None, wire.attributes(), device)
        for number, device in served.items()
    ]
    gone = Installation("old", "streetlight", 1, served_to_us=0)
    return Registry.build(1, [], assets, [gone, *(Installation(each, "streetlight", n) for n, each in served.items())])


def said(users: set[str], behind: set[str] | None = None) -> list[tuple[str, str]]:
    found = door.compare(registry(), users | {PLATFORM_USER}, {"air"} if behind is None else behind)
    return [(each.weight, each.sentence) for each in found]


def test_who_is_in_service_and_nobody_else_is_all_right() -> None:
    assert [weight for weight, _ in said({"new"})] == ["ok"]


def test_a_device_out_of_service_that_may_still_enter_is_found_out() -> None:
    [(weight, words)] = said({"new", "old"})
    assert weight == "wrong"
    assert words == "1 device (old) out of service may still enter the broker: `lamplighter credentials revoke` each."


def test_who_has_no_password_and_needs_one_is_told() -> None:
    [(weight, words)] = said(set(), behind=set())
    assert weight == "note"
    assert "2 devices (air, new) in service with no password" in words


def test_users_that_are_no_devices_are_told() -> None:
    assert "1 user (bridge) in the password file" in said({"new", "bridge"})[0][1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ACCESS, None),
        (ACCESS.replace("pattern write city/v1/+/%u/ack\n", ""), "lacks `pattern write city/v1/+/%u/ack`"),
        ("pattern readwrite #\n" + ACCESS, "gives every device `pattern readwrite #`: take that line out"),
        ("topic write city/v1/+/+/command\n" + ACCESS, "gives every device `topic write city/v1/+/+/command`"),
        ("topic read weather/#\n# topic readwrite #\n" + ACCESS, None),
        (ACCESS + "user town\ntopic readwrite city/#\n", None),
        (ACCESS + "user api\ntopic write #\n", "gives api, our own, other rights than it needs"),
        (ACCESS.partition("\nuser ingest\n")[0], None),
    ],
)
def test_an_access_list_that_confines_devices_less_than_ours_is_found_out(
    tmp_path: Path, text: str, words: str | None
) -> None:
    file = tmp_path / "access.txt"
    file.write_text(text)
    found: list[Finding] = list(door._access(str(file)))
    assert [each.weight for each in found] == (["ok"] if words is None else ["wrong"])
    assert words is None or words in found[0].sentence


def test_services_that_share_the_user_who_may_do_everything_are_named() -> None:
    assert not list(door.shared(logins.names()))
    [found] = door.shared({PLATFORM_USER, "new", *logins.names(["ingest", "rules"]), "gateway-city"})
    assert (found.weight, "may do everything: gateway, api." in found.sentence) == ("note", True)


def test_our_own_users_are_no_strangers() -> None:
    assert [weight for weight, _ in said({"new", *logins.names()})] == ["ok"]


def test_without_an_access_list_any_device_may_speak_for_another() -> None:
    [found] = door._access(None)
    assert found.weight == "wrong"
