"""Who comes in at the broker after an installation, and after one of an older version was upgraded."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bus import users
from gateway import broker_rules, credentials
from lamplighter.cli import run
from lamplighter.install import logins
from storage import roles

DOORS = "mqtt://127.0.0.1:1883", "mqtt+unix:///run/mosquitto/platform.sock"


def installed(folder: Path) -> str:
    """Write the URLs and the password file as `lamplighter install` does; returns the latter."""
    passwords, file = logins.broker_passwords(folder), folder / "passwords.txt"
    text = logins.password_file(file, passwords, folder)
    for name, url in logins.broker_urls(passwords, *DOORS).items():
        (folder / name).write_text(url)
    file.write_text(text)
    return text


def test_every_session_of_a_service_comes_in_by_its_password_and_nobody_else_by_it(tmp_path: Path) -> None:
    text = installed(tmp_path)
    assert credentials.users(text) == logins.names() == {"platform", *(user for user, _ in users.everybody())}
    urls = [urlsplit((tmp_path / name).read_text()) for name in logins.URL_FILES.values()]
    assert [url.username for url in urls] == ["platform", "", "", "", "api"]
    assert len({url.password for url in urls}) == len(urls)


def test_who_has_a_role_in_the_database_has_users_at_the_broker() -> None:
    assert users.SESSIONS.keys() == roles.RIGHTS.keys()


def test_a_town_whose_services_shared_one_user_keeps_its_password_and_its_devices(tmp_path: Path) -> None:
    (tmp_path / "mqtt_url").write_text("mqtt://platform:old%2Fone@127.0.0.1:1883\n")
    before = broker_rules.passwords({"platform": "old/one", "lamp-1": "lamp"})
    (tmp_path / "passwords.txt").write_text(before)
    after = installed(tmp_path)
    assert after.startswith(before)
    assert credentials.users(after) == {"lamp-1", *logins.names()}
    assert (tmp_path / "mqtt_url").read_text() == "mqtt+unix://platform:old%2Fone@/run/mosquitto/platform.sock"
    assert installed(tmp_path) == after


def test_a_service_whose_url_is_lost_gets_another_password(tmp_path: Path) -> None:
    before = set(installed(tmp_path).splitlines())
    (tmp_path / "rules_mqtt_url").unlink()
    changed = {line.split(":")[0] for line in set(installed(tmp_path).splitlines()) - before}
    assert changed == users.users("rules").keys()


def test_a_lost_password_of_our_own_is_changed_for_all_sessions_of_its_service(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """`rotate platform` was refused, and named no way at all."""
    before = set(installed(tmp_path).splitlines())
    file = tmp_path / "passwords.txt"
    for user, said, users_changed in (("platform", "platform:", 1), ("ingest-clock", ":", len(users.users("ingest")))):
        assert run(["credentials", "rotate", user, "--passwords", str(file)]) == 0
        out, err = capfd.readouterr()
        assert out.splitlines()[1].strip().startswith(said)
        assert "reload" in err
        after = set(file.read_text().splitlines())
        assert len(before - after) == len(after - before) == users_changed
        before = after
    assert run(["credentials", "issue", "platform", "--passwords", str(file)]) == 1
    assert "is changed by `lamplighter credentials rotate platform`" in capfd.readouterr().err
