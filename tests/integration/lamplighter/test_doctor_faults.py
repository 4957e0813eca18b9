"""`lamplighter doctor` names each mistake that a town can make, with its mend, and finds none where there is none.

A row is a fault: where it lies, how it is planted, and what doctor says of it.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from bus import users
from bus.session import Publisher
from gateway import broker_rules
from lamplighter.clock import real_now
from lamplighter.doctor import database as database_checks
from lamplighter.doctor import machine, queue
from lamplighter.doctor.examination import Patient, examine
from lamplighter.embedded import ports
from lamplighter.embedded.postgres import embedded_postgres
from lamplighter.install import logins
from storage.migrate import migrate
from telemetry import topics
from telemetry.backlog import Backlog
from telemetry.clock import to_rfc3339
from tests.integration.lamplighter.conftest import StartMosquitto
from tests.integration.lamplighter.town_under_examination import DEVICES, Town, days_ago, findings
from tests.parts.background import Background
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually
from tests.parts.service import Service

Plant = Callable[[Town, pytest.MonkeyPatch], Awaitable[Patient]]
FAULTS: dict[str, tuple[str, Plant, str]] = {}
"""By its name: the part that is examined, how it is planted, and what is said."""


def fault(part: str, said: str, name: str | None = None) -> Callable[[Plant], Plant]:
    """Enter a fault in the table, by the name of the function that plants it."""

    def enter(plant: Plant) -> Plant:
        FAULTS[(name or plant.__name__).replace("_", " ")] = (part, plant, said)
        return plant

    return enter


# ── the broker ──


@fault("broker", "kept 1000: set `max_queued_messages 2000000`")
async def a_broker_as_delivered_keeps_1000_messages(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(mqtt_url=await town.start_mosquitto())


@fault("broker", "lets anybody in without a password: set `allow_anonymous false`")
async def a_broker_is_open_to_anybody(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(mqtt_url=await town.start_mosquitto("max_queued_messages 0"))


@fault("broker", "16 MiB for a service that was away and kept")
async def a_broker_bounds_the_bytes_of_its_queues(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(mqtt_url=await town.start_mosquitto("max_queued_messages 0", "max_queued_bytes 5000000"))


@fault("broker", "set `max_packet_size 1048576` and no `message_size_limit`")
async def a_broker_takes_no_large_message(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(mqtt_url=await town.start_mosquitto("max_queued_messages 0", "max_packet_size 65536"))


@fault("broker", "give our user all rights below `city/v1`")
async def a_broker_gives_our_user_no_rights(town: Town, _: pytest.MonkeyPatch) -> Patient:
    rights = town.folder / "rights"
    rights.write_text("topic read $SYS/#\n")
    rights.chmod(0o644)
    return town.patient(mqtt_url=await town.start_mosquitto(f"acl_file {rights}"))


@fault("broker", "start it, or mend LAMPLIGHTER_MQTT_URL")
async def a_broker_is_not_there(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(mqtt_url="mqtt://127.0.0.1:1")


@fault("broker", "mend user and password in LAMPLIGHTER_MQTT_URL")
async def the_broker_s_password_is_wrong(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(mqtt_url=f"mqtt://platform:wrong@{town.broker_url.rpartition('@')[2]}")


async def with_tls(town: Town, days: int, *, trusted: bool) -> Patient:
    key, certificate = town.certificate(days)
    port = ports.free_port()
    await town.start_mosquitto(f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}")
    return town.patient(mqtt_url=f"mqtts://localhost:{port}", mqtt_ca=certificate if trusted else None)


@fault("broker", "name who vouches for its certificate in LAMPLIGHTER_MQTT_CA")
async def nobody_vouches_for_the_broker_s_certificate(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return await with_tls(town, 9, trusted=False)


@fault("broker", "renew its certificate, and see that this machine's clock is right")
async def the_broker_s_certificate_has_run_out(town: Town, _: pytest.MonkeyPatch) -> Patient:
    patient = await with_tls(town, 0, trusted=True)
    await asyncio.sleep(1.1)
    return patient


@fault("broker", "Its certificate runs out in 8 days: renew it")
async def the_broker_s_certificate_is_about_to_run_out(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return await with_tls(town, 9, trusted=True)


@fault("broker", "63 % full, and drops when it is full: 1260000 messages wait")
async def the_queue_is_more_than_half_full(town: Town, _: pytest.MonkeyPatch) -> Patient:
    url = await town.start_mosquitto("max_queued_messages 0")
    waits = {"age_s": 812.4, "messages": 1_260_000, "bytes": 10**9, "filled_pct": 63.0, "slowest": "ingest-2"}
    word = Backlog(**waits, lost_probes=0, dropped_messages=0, at=to_rfc3339(real_now()))  # type: ignore[arg-type]
    async with Publisher(url, "rules-out") as publisher:
        await publisher.publish(topics.BACKLOG, msgspec.json.encode(word), retain=True)
    return town.patient(mqtt_url=url)


# ── the broker's files ──


@fault("broker file", "set `persistence true`")
async def a_restart_of_the_broker_loses_its_queues(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(broker_config=town.broker_files("persistence false"))


@fault("broker file", "loses up to 1800 s of what it acknowledged (0: all), and devices resend 60 s")
async def the_broker_saves_too_seldom(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(broker_config=town.broker_files("autosave_interval 1800"))


@fault("broker file", "LAMPLIGHTER_BROKER_QUEUE_MESSAGES says 2000000")
async def the_broker_drops_before_the_alarm(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(broker_config=town.broker_files("max_queued_messages 500"))


def with_passwords(town: Town, *users: str) -> Patient:
    (town.folder / "passwords").write_text(broker_rules.passwords(dict.fromkeys(users, "x")))
    (town.folder / "access").write_text(broker_rules.access_list("platform"))
    return town.patient(broker_config=town.broker_files())


@fault("broker file", "1 device (B1) in service with no password: `lamplighter credentials issue --all-missing`")
async def a_device_has_no_credentials(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return with_passwords(town, "platform", "L1", "D1")


@fault("broker file", "out of service may still enter the broker: `lamplighter credentials revoke`")
async def a_device_out_of_service_may_still_enter(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("DELETE FROM installation WHERE device = 'B1'")
    return with_passwords(town, "platform", *DEVICES)


@fault("broker file", "platform, who may do everything: gateway, rules, api. `lamplighter install`")
async def services_share_the_user_who_may_do_everything(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return with_passwords(town, "platform", *DEVICES, "ingest", "ingest-clock", "ingest-door")


@fault("broker file", "gives every device `pattern readwrite #`: take that line out")
async def every_device_may_write_everything(town: Town, _: pytest.MonkeyPatch) -> Patient:
    patient = with_passwords(town, "platform", *DEVICES)
    (town.folder / "access").write_text("pattern readwrite #\n" + broker_rules.access_list("platform"))
    return patient


# ── the database ──


@fault("database", "start it, or mend LAMPLIGHTER_DATABASE_URL")
async def the_database_is_not_there(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(database_url="postgresql://nobody@127.0.0.1:1/city")


@fault("database", "password authentication failed")
async def the_database_s_password_is_wrong(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(database_url=town.with_user("lamplighter", "wrong"))


@fault("database", "createdb --encoding=UTF8 --template=template0")
async def the_database_is_not_utf8(town: Town, _: pytest.MonkeyPatch) -> Patient:
    options = "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    return town.patient(database_url=town.beside("doctor_ascii", options))


@fault("database", "lacks a table or column; run `lamplighter migrate`")
async def the_schema_is_missing(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(database_url=town.beside("doctor_empty"))


@fault("database", "made by a newer Lamplighter; install that version or restore an older backup")
async def the_schema_is_newer(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO schema_migration VALUES (9999, '9999_future', 'x')")
    return town.patient()


@fault("database", "A restore into the database has not come to its end")
async def a_restore_was_broken_off(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("CREATE TABLE restore_unfinished ()")
    return town.patient()


@fault("database", "grant the right, or name another user in LAMPLIGHTER_DATABASE_URL")
async def our_database_user_has_no_rights(town: Town, _: pytest.MonkeyPatch) -> Patient:
    town.on_server("CREATE ROLE doctor_stranger LOGIN PASSWORD 'x'")
    town.cleanup.callback(town.on_server, "DROP ROLE doctor_stranger")
    return town.patient(database_url=town.with_user("doctor_stranger", "x"))


@fault("database", "lets us have 5 connections, and services need 20: raise max_connections")
async def too_few_connections(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql(f"ALTER DATABASE {town.database_url.rpartition('/')[2]} CONNECTION LIMIT 5")
    return town.patient()


@fault("database", "It may lose commits at a power cut: set fsync and full_page_writes to on")
async def fsync_is_off(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient()  # the server of these tests is careless, for speed


@fault("database", "set autovacuum to on")
async def autovacuum_is_off(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient()


@fault("database", "synchronise both (NTP)")
async def the_clocks_differ(town: Town, changed: pytest.MonkeyPatch) -> Patient:
    changed.setattr(database_checks, "real_now", lambda: real_now() + 10_000_000)
    return town.patient()


@fault("database", "There is no role lamplighter_reader for Grafana")
async def the_reader_is_missing(town: Town, _: pytest.MonkeyPatch) -> Patient:
    town.on_server("ALTER ROLE lamplighter_reader RENAME TO doctor_reader")
    town.cleanup.callback(town.on_server, "ALTER ROLE doctor_reader RENAME TO lamplighter_reader")
    return town.patient()


@fault("database", "lamplighter_reader may not read alarm: run `lamplighter migrate`")
async def the_reader_may_not_read_alarms(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("REVOKE SELECT ON alarm FROM lamplighter_reader")
    return town.patient()


@fault("database", "cut by the time zone Europe/Berlin, and the rules live in Europe/Lisbon")
async def the_time_zones_differ(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(timezone="Europe/Lisbon")


@fault("database", "stale after 60 s, for residents after 90 s: mend LAMPLIGHTER_TTL_S, or run `lamplighter migrate`")
async def zones_grow_stale_at_another_time_in_sql(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(ttl_s=90)


@fault("rules", "A quiet zone speaks every 30 s, and is stale after 20 s: set `ttl_s` under `parking` to at most 20")
async def zones_grow_stale_before_they_speak_again(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(ttl_s=20)


@fault("database", "It does not balance on 2026-11-22: `lamplighter report ledger`")
async def the_ledger_does_not_balance(town: Town, _: pytest.MonkeyPatch) -> Patient:
    check = "INSERT INTO ledger_check VALUES ('2026-11-22', %s, 1, 0, 0, 0, 0, %s)"
    await town.sql("INSERT INTO ledger (day, received) VALUES ('2026-11-22', 1)")
    await town.sql(check, days_ago(1), days_ago(1))
    return town.patient()


@fault("database", "No API token is valid: `lamplighter token issue`")
async def there_is_no_token(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("DELETE FROM api_token")
    return town.patient()


@fault("database", "No API token is valid since ")
async def the_tokens_have_run_out(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("UPDATE api_token SET expires_at = %s", days_ago(3))
    return town.patient()


@fault("database", "No asset is registered: `lamplighter registry import FILE`")
async def nothing_is_registered(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("UPDATE asset SET retired_at = '-infinity'")
    return town.patient()


# ── who runs ──


@fault("services", "ingest-2 has been silent for 60 min without a farewell")
async def one_of_several_ingest_processes_is_gone(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO ingest_instance VALUES ('ingest-1', 0, %s)", days_ago(0))
    await town.sql("INSERT INTO ingest_instance VALUES ('ingest-2', 0, %s)", days_ago(1 / 24))
    return town.patient()


@fault("share", "Mosquitto forgets their share when it is restarted")
async def a_share_beside_mosquitto(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO ingest_instance VALUES ('ingest-city-1', 0, %s)", days_ago(0))
    return town.patient()


@fault("services", "No process that stores uplinks runs: start `lamplighter up`")
async def no_heartbeat_of_ingest(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient()


@fault("services", "Nobody leads the rules")
async def nobody_leads_the_rules(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient()


@fault("services", "sunset is unknown: set LAMPLIGHTER_CITY_LAT")
async def the_place_of_the_city_is_not_set(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(city_lat=None)


# ── what is kept and registered ──


@fault("city", "Rows of streetlight up to 2026-01-01 are older than they are kept (90 days)")
async def data_is_older_than_it_is_kept(town: Town, _: pytest.MonkeyPatch) -> Patient:
    bounds = "FOR VALUES FROM ('2025-12-01 00:00Z') TO ('2026-01-01 00:00Z')"
    await town.sql(f"CREATE TABLE streetlight_2025_12 PARTITION OF streetlight {bounds}")
    await town.sql("INSERT INTO raw_horizon (kind, looked_at) VALUES ('streetlight', %s)", days_ago(0.5))
    await town.sql(OLD_ROW, days_ago(3))
    return town.patient(raw_days=90, compress_days=14)


OLD_ROW = """
    INSERT INTO streetlight (asset_id, observed_at, received_at, level_pct)
    SELECT asset_id, '2025-12-24 18:00Z', %s, 40 FROM asset WHERE asset = 'lamp-1'
"""


async def test_history_that_retention_has_not_met_yet_is_no_fault(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = await data_is_older_than_it_is_kept(town, monkeypatch)
    await town.sql("UPDATE streetlight SET received_at = %s", days_ago(1.4))
    (said,) = [each for each in await findings(patient, "city") if each.about == "upkeep"]
    assert said.weight == "ok", "it came after retention looked the last time but one"
    assert "leave with the next retention" in said.sentence


@fault("city", "Nobody has summed up, compressed or dropped old data for 5 days: start `lamplighter up`")
async def nobody_looks_after_old_data(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO raw_horizon (kind, looked_at) VALUES ('streetlight', %s)", days_ago(5))
    return town.patient()


@fault("city", "They were last compared with their rows at")
async def rollups_were_not_compared_for_days(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO rollup_check VALUES (%s, 9, 0, 0, NULL, 0.1)", days_ago(4))
    return town.patient()


@fault("city", "The devices L1 and l1 differ only in capitals: one is a mistake")
async def a_device_is_registered_twice(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO device (device) VALUES ('l1')")
    return town.patient()


@fault("city", "drain-1 has no `ground_m`, so an overflow raises no alarm there: register it")
async def a_drain_s_ground_is_unknown(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("UPDATE asset SET attributes = attributes - 'ground_m' WHERE kind = 'drain_level'")
    return town.patient()


@fault("city", "drain-1 has a `crown_m` above its `ground_m`, so no alarm there can be believed: register them anew")
async def a_drain_s_crown_lies_above_its_ground(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("""UPDATE asset SET attributes = attributes || '{"crown_m": 99}' WHERE kind = 'drain_level'""")
    return town.patient()


@fault("city", "bay-1 is in no zone, so no resident hears of it")
async def a_bay_is_in_no_zone(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("UPDATE asset SET zone = NULL WHERE kind = 'parking_bay'")
    return town.patient()


REFUSED = """
    INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)
    VALUES (%s::timestamptz::date, %s, 't', %s, '', 0, %s, '', '')
"""


@fault("city", "1 uplink of 1 device was refused (unknown_device): register them, then `lamplighter quarantine")
async def an_unknown_device_speaks(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql(REFUSED, days_ago(0.1), days_ago(0.1), "X9", "unknown_device")
    return town.patient()


@fault("city", "d1 speaks and is unknown, but D1 is registered: mend its capitals")
async def a_device_is_registered_in_other_capitals(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql(REFUSED, days_ago(0.1), days_ago(0.1), "d1", "unknown_device")
    return town.patient()


# ── this machine and the settings ──


@fault("machine", "LAMPLIGHTER_CITYLAT is no setting: mend its spelling")
async def a_setting_is_misspelt(town: Town, changed: pytest.MonkeyPatch) -> Patient:
    changed.setenv("LAMPLIGHTER_CITYLAT", "51")
    return town.patient()


@fault("machine", "GiB are free below")
async def the_disk_is_nearly_full(town: Town, changed: pytest.MonkeyPatch) -> Patient:
    changed.setattr(machine, "FREE_BYTES_WRONG", 1 << 80)
    return town.patient()


@fault("machine", "each resident who listens needs one: raise it (systemd: LimitNOFILE=")
async def a_process_may_open_few_files(town: Town, changed: pytest.MonkeyPatch) -> Patient:
    changed.setattr(machine, "FILES_MIN", 1 << 30)
    return town.patient()


@fault("machine", "Nothing can be written below")
async def the_data_folder_is_none(town: Town, _: pytest.MonkeyPatch) -> Patient:
    (town.folder / "data").write_text("")
    return town.patient()


@fault("machine", "may read")
async def everybody_may_read_the_passwords(town: Town, _: pytest.MonkeyPatch) -> Patient:
    file = town.folder / "lamplighter.toml"
    file.write_text('mqtt_url = "mqtt://platform:secret@127.0.0.1"')
    file.chmod(0o644)
    return town.patient(file=file)


@fault("machine", "does not link to the imprint: set LAMPLIGHTER_IMPRINT_URL")
async def the_residents_page_has_no_imprint(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(imprint_url="")


@fault("machine", "The city clock is not the real one")
async def the_city_clock_runs_fast(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(clock_speed=60)


@fault("machine", "There is no backup in")
async def there_is_no_backup(town: Town, _: pytest.MonkeyPatch) -> Patient:
    shutil.rmtree(town.folder / "backups")
    (town.folder / "backups").mkdir()
    return town.patient()


@fault("machine", "is 9 days old: see why none was taken since")
async def the_newest_backup_is_old(town: Town, _: pytest.MonkeyPatch) -> Patient:
    (newest,) = (town.folder / "backups").iterdir()
    newest.rename(newest.with_name(f"lamplighter-{days_ago(9):%Y%m%dT%H%M%SZ}.tar"))
    return town.patient()


# ── rules and notifications ──


def with_rules(town: Town, text: str, **changed: Any) -> Patient:
    (town.folder / "rules.toml").write_text(text)
    return town.patient(rules_file=town.folder / "rules.toml", **changed)


ROUTE = '[[notifications.routes]]\nto = ["{}"]\n'


@fault("rules", "mend it (`lamplighter rules check`); until then the version that was active before stays so")
async def the_rule_file_has_a_mistake(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return with_rules(town, "[parking]\ndwell_in_s = -3\n")


@fault("rules", "But v0 by Ada has been active since")
async def another_rule_file_is_in_force(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql("INSERT INTO rule_version VALUES ('v0', '{}', 'Ada', %s, '', 'x')", days_ago(1))
    await town.sql("INSERT INTO rule_activation (version, activated_at, author) VALUES ('v0', %s, 'Ada')", days_ago(1))
    return with_rules(town, 'version = "town"\n')


@fault("rules", "The sink mail cannot be used from here: the environment variable TOWN_MAIL is not set")
async def a_sink_s_address_is_missing(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return with_rules(town, '[notifications.sinks.mail]\nurl_env = "TOWN_MAIL"\n' + ROUTE.format("mail"))


@fault("rules", "Nobody listens where the sink duty leads, 127.0.0.1")
async def a_webhook_is_not_there(town: Town, changed: pytest.MonkeyPatch) -> Patient:
    changed.setenv("TOWN_HOOK", "json://127.0.0.1:1/alarm")
    return with_rules(town, '[notifications.sinks.duty]\nurl_env = "TOWN_HOOK"\n' + ROUTE.format("duty"))


# ── network servers ──


@fault("networks", "start it, or mend LAMPLIGHTER_GATEWAY_NETWORKS")
async def a_network_server_is_not_there(town: Town, _: pytest.MonkeyPatch) -> Patient:
    return town.patient(gateway_networks=("chirpstack=mqtt://127.0.0.1:1",))


@fault("networks", "Uplinks of 1 device wait because nobody has named a model for them (a1)")
async def nobody_has_named_a_device_s_model(town: Town, _: pytest.MonkeyPatch) -> Patient:
    await town.sql(REFUSED, days_ago(0.1), days_ago(0.1), "a1", "undecodable")
    await town.sql("UPDATE quarantine SET detail = 'no codec is named for its model (the network server says x)'")
    return town.patient(gateway_networks=(f"chirpstack={town.broker_url}",))


@fault("networks", "models.toml")
async def the_file_of_models_is_wrong(town: Town, _: pytest.MonkeyPatch) -> Patient:
    (town.folder / "models.toml").write_text("devices = 3")
    return town.patient(gateway_networks=(f"chirpstack={town.broker_url}",), gateway_models=town.folder / "models.toml")


# ── the tests ──

WITHOUT_DATABASE = ("broker", "machine")


@pytest.fixture
async def bare_town(
    tmp_path: Path, broker: BrokerPart, start_mosquitto: StartMosquitto, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    """One without a database."""
    monkeypatch.setattr(queue, "QUIET_S", 0.7)  # the broker is on this machine
    monkeypatch.setattr(queue, "PATIENCE_S", 4.0)
    town = Town(tmp_path, "", broker.url, start_mosquitto)
    town.take_backup()
    async with town.cleanup:
        yield town


@pytest.fixture
async def town(bare_town: Town, database: str) -> Town:
    bare_town.database_url = database
    await bare_town.populate()
    return bare_town


def test_there_are_more_faults_than_the_town_hall_asked_for() -> None:
    assert len(FAULTS) >= 25


async def is_named(name: str, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    part, plant, said = FAULTS[name]
    found = []
    async with aclosing(examine(await plant(town, monkeypatch), {part})) as examination:
        async for each in examination:
            found.append(each)
            if each.weight != "ok" and said in each.sentence:
                return
    raise AssertionError(found)


@pytest.mark.parametrize("name", [name for name, (part, *_) in FAULTS.items() if part in WITHOUT_DATABASE])
async def test_a_fault_of_machine_or_broker_is_named_with_its_mend(
    name: str, bare_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await is_named(name, bare_town, monkeypatch)


@pytest.mark.parametrize("name", [name for name, (part, *_) in FAULTS.items() if part not in WITHOUT_DATABASE])
async def test_a_fault_of_the_rest_is_named_with_its_mend(
    name: str, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await is_named(name, town, monkeypatch)


@pytest.fixture
def careful_database(background: Background, home: Path) -> Iterator[str]:
    """A PostgreSQL as it is delivered: with fsync and autovacuum."""
    server, leave = background.open(embedded_postgres(home))
    yield server.url
    leave()


async def test_what_was_refused_and_replayed_is_told(town: Town) -> None:
    await town.sql(REFUSED, days_ago(0.1), days_ago(0.1), "L1", "unknown_device")
    await town.sql("UPDATE quarantine SET replayed_at = %s", days_ago(0))
    (said,) = [each for each in await findings(town.patient(), "city") if each.about == "quarantine"]
    assert said.weight == "ok"
    assert said.sentence == "What was refused in the last day has been replayed (1); nothing waits."


async def test_nothing_is_found_in_a_healthy_town(
    tmp_path: Path,
    careful_database: str,
    start_broker: Any,
    start_mosquitto: StartMosquitto,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All services run, and every device has its password, as every session of a service has."""
    monkeypatch.setattr(machine, "FILES_MIN", 256)  # what whoever runs the tests may open is no matter of the town
    broker = start_broker(DEVICES | dict.fromkeys(logins.names(users.SESSIONS), "password-of-a-service"))
    await migrate(careful_database)
    town = Town(tmp_path, careful_database, broker.url, start_mosquitto)
    await town.populate()
    town.take_backup()
    http_port = str(ports.free_port())
    kept = {"CITY_LAT": "51.4", "CITY_LON": "7.3", "DATA_DIR": str(tmp_path / "data"), "HTTP_PORT": http_port}
    settings = {"DATABASE_URL": careful_database, "MQTT_URL": broker.url, **kept}
    service = Service(tmp_path / "up.log", {f"LAMPLIGHTER_{name}": value for name, value in settings.items()}, "up")
    try:
        patient = town.patient(broker_config=broker.folder / "mosquitto.conf")

        async def healthy() -> None:
            found = await findings(patient, "services", "city")
            assert not [each for each in found if each.weight != "ok"], found

        await eventually(healthy, seconds=30, every=0.5)
        found = await findings(patient)
        assert not [each for each in found if each.weight != "ok"]
        assert {each.about for each in found} >= {"broker", "queue", "database", "ledger", "self-probe", "credentials"}
        unplaced = await findings(town.patient(city_lat=None), "services")
        assert "the rules that run know it" in unplaced[-1].sentence, "as of a demo, whose place is its own"
    finally:
        assert service.end() == 0
    with psycopg.connect(careful_database) as connection:
        assert connection.execute("SELECT count(*) FROM ingest_instance").fetchone() == (0,)
