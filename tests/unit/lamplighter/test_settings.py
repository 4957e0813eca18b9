"""Settings come from the environment over a file; a wrong one is told in one sentence."""

from pathlib import Path

import pytest

from lamplighter import cleartext
from lamplighter.errors import WrongUsage
from lamplighter.settings import PREFIX, Settings, unknown_variables


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secrets").mkdir()


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_says_what_it_means_must_be_and_looks_like(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description
    assert field.description.endswith(".")
    assert field.examples
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["must"]


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_example_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = Settings.model_fields[name].examples
    assert examples
    monkeypatch.setenv(PREFIX + name.upper(), str(examples[0]))
    assert getattr(Settings.read(), name) is not None


def test_without_any_setting_the_city_lives_in_real_time_and_names_no_server() -> None:
    settings = Settings.read()
    assert (settings.clock_start, settings.clock_speed) == (None, 1.0)
    assert settings.database_url is None
    assert settings.mqtt_url is None


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_CITY_LAT", "")
    assert Settings.read().city_lat is None


def test_lamplighter_toml_of_the_current_folder_is_read() -> None:
    Path("lamplighter.toml").write_text("city_lat = 51.4\n")
    assert Settings.read().city_lat == 51.4


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text('timezone = "Europe/Paris"\nhttp_port = 9000\n')
    monkeypatch.setenv("LAMPLIGHTER_TIMEZONE", "Europe/Rome")
    settings = Settings.read(tmp_path / "town.toml")
    assert (settings.timezone, settings.http_port) == ("Europe/Rome", 9000)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CITY_LAT", "north", "LAMPLIGHTER_CITY_LAT is 'north', but it must be a number of degrees from -90 to 90"),
        ("CITY_LON", "181", "must be a number of degrees from -180 to 180"),
        ("TIMEZONE", "Mars/Olympus", "LAMPLIGHTER_TIMEZONE is 'Mars/Olympus', but it must be a name of the time zone"),
        ("CLOCK_START", "2026-11-22T15:10:00", "must be a moment as RFC 3339 with offset"),
        ("CLOCK_SPEED", "0", "must be a number above 0"),
        ("HTTP_PORT", "70000", "must be a port from 1 to 65535, such as 8080"),
        ("MQTT_URL", "http://broker", "must be an MQTT URL"),
        ("DATABASE_URL", "postgresql://", "must be a PostgreSQL URL"),
        ("DATABASE_URL", "postgresql://db1,db2:port/city", "must be a PostgreSQL URL"),
        ("DATABASE_URL", "postgresql://me:100%zz@localhost/city", "LAMPLIGHTER_DATABASE_URL is set, but it must be"),
        ("DATABASE_URL", "postgresql://me:1/2@localhost/city", "LAMPLIGHTER_DATABASE_URL is set, but it must be"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
    ],
)
def test_a_wrong_setting_is_named_with_its_mend(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(WrongUsage) as raised:
        Settings.read()
    assert sentence in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@db1:5432,db2:5433/city?sslmode=require", "postgresql:///city?host=/run/postgresql"]
)
def test_a_database_may_have_several_servers_or_a_socket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", url)
    assert Settings.read().database_url == url


def test_settings_that_do_not_fit_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_RAW_DAYS", "7")
    with pytest.raises(WrongUsage, match="compress_days, raw_days and hourly_days must not decrease"):
        Settings.read()


def test_each_kind_may_be_kept_for_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_RAW_DAYS_BY_KIND", "parking_bay=90, streetlight=365")
    assert Settings.read().raw_days_by_kind == {"parking_bay": 90, "streetlight": 365}
    for wrong in ("submarine=3", "parking_bay", "parking_bay=0"):
        monkeypatch.setenv("LAMPLIGHTER_RAW_DAYS_BY_KIND", wrong)
        with pytest.raises(WrongUsage, match="such as parking_bay=90,streetlight=365"):
            Settings.read()
    monkeypatch.setenv("LAMPLIGHTER_RAW_DAYS_BY_KIND", "parking_bay=4000")
    with pytest.raises(WrongUsage, match="parking_bay must not be kept longer than its hourly rollups"):
        Settings.read()


def test_only_a_kind_that_there_is_can_be_made_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_PUBLIC_KINDS", "drain_level, streetlight")
    assert Settings.read().public_kinds == ("drain_level", "streetlight")
    monkeypatch.setenv("LAMPLIGHTER_PUBLIC_KINDS", "drain_level,submarine")
    with pytest.raises(WrongUsage, match="must be kinds that there are"):
        Settings.read()


def test_a_wrong_url_is_not_repeated_since_it_may_hold_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "mysql://me:secret@db/city")
    with pytest.raises(WrongUsage) as raised:
        Settings.read()
    assert "secret" not in str(raised.value)


def test_passwords_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://me:hush@localhost/city")
    assert "hush" not in repr(Settings.read())


def test_a_name_in_the_file_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text("citylat = 51.4\n")
    with pytest.raises(WrongUsage, match="no setting citylat"):
        Settings.read(tmp_path / "town.toml")


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="is not there"):
        Settings.read(tmp_path / "none.toml")


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text("city_lat: 51\n")
    with pytest.raises(WrongUsage, match="is not TOML"):
        Settings.read(tmp_path / "town.toml")


def test_a_misspelt_variable_is_noticed() -> None:
    environment = {"LAMPLIGHTER_CITYLAT": "51", "LAMPLIGHTER_CITY_LON": "6", "LAMPLIGHTER_SHARED": "/x", "HOME": "/"}
    assert unknown_variables(environment) == ["LAMPLIGHTER_CITYLAT"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "DATABASE_URL",
            "postgresql://me:hush@db.example/city",
            "database_url reaches db.example in clear: add ?sslmode",
        ),
        ("DATABASE_URL", "postgresql://me:hush@[::1],10.0.0.7:5432/city?sslmode=prefer", "reaches 10.0.0.7 in clear"),
        ("DATABASE_URL", "postgresql:///city?host=db.example&user=me&password=hush", "reaches db.example in clear"),
        ("MQTT_URL", "mqtt://me:hush@broker.example", "mqtt_url reaches broker.example in clear: use mqtts://"),
        ("GATEWAY_NETWORKS", "chirpstack=mqtt://me:hush@lora.example", "reaches lora.example in clear: use mqtts://"),
        ("GRAFANA_URL", "http://grafana.example", "grafana_url reaches grafana.example in clear: use https://"),
        ("HTTP_HOST", "0.0.0.0", "http_host reaches 0.0.0.0 in clear: listen on 127.0.0.1, behind a proxy with TLS"),
    ],
)
def test_nothing_leaves_this_machine_in_clear_unless_its_host_is_named(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(WrongUsage) as raised:
        Settings.read()
    assert sentence in str(raised.value)
    assert "hush" not in str(raised.value)
    monkeypatch.setenv(
        "LAMPLIGHTER_CLEARTEXT_HOSTS", "db.example,10.0.0.7,broker.example,lora.example,grafana.example,0.0.0.0"
    )
    Settings.read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://me@localhost/city"),
        ("DATABASE_URL", "postgresql://me@db.example/city?sslmode=verify-full"),
        ("MQTT_URL", "mqtt://127.0.0.1"),
        ("MQTT_URL", "mqtt+unix:///run/mosquitto.sock"),
        ("GRAFANA_URL", "http://[::1]:3000"),
    ],
)
def test_what_stays_here_or_is_encrypted_is_accepted(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    assert getattr(Settings.read(), name.lower()) == value


def test_secrets_come_from_a_folder_below_the_environment_and_above_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = 'secrets_dir = "secrets"\nmqtt_url = "mqtt://127.0.0.1:1"\nhttp_port = 9000\n'
    (tmp_path / "town.toml").write_text(town, encoding="utf-8-sig")  # as some editors save it
    (tmp_path / "secrets" / "mqtt_url").write_text("mqtt://platform:hush@127.0.0.1:2\n", encoding="utf-8-sig")
    (tmp_path / "secrets" / "database_url").write_text("postgresql://me@localhost/file\n")
    (tmp_path / "secrets" / "server.key").write_text("no setting of ours")
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://me@localhost/environment")
    settings = Settings.read(tmp_path / "town.toml")
    assert settings.mqtt_url == "mqtt://platform:hush@127.0.0.1:2"
    assert settings.database_url == "postgresql://me@localhost/environment"
    assert settings.http_port == 9000
    (tmp_path / "secrets" / "mqtt_url").write_bytes(b"\xff")
    with pytest.raises(WrongUsage, match="mqtt_url is not UTF-8 text"):
        Settings.read(tmp_path / "town.toml")
    (tmp_path / "secrets" / "mqtt_url").unlink()
    (tmp_path / "secrets" / "mqtt_url").mkdir()
    with pytest.raises(WrongUsage, match=r"mqtt_url cannot be read \(Is a directory\)"):
        Settings.read(tmp_path / "town.toml")
    monkeypatch.setenv("LAMPLIGHTER_SECRETS_DIR", "nowhere")
    with pytest.raises(WrongUsage, match="The folder of secrets nowhere is not there"):
        Settings.read()


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("postgresql://me@/city?host=/run/postgresql", True),
        ("postgresql://me@127.0.0.1,[::1]:5432/city", True),
        ("mqtt://me:hush@localhost:1883", True),
        ("postgresql:///city?host=db.example", False),
        ("postgresql://me@localhost,db.example/city", False),
    ],
)
def test_a_url_leads_to_this_machine_only_if_all_its_hosts_are_it(url: str, here: bool) -> None:
    assert cleartext.is_here(url) is here
