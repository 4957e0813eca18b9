"""The parts that other tests stand on are real, fresh and, where promised, mortal."""

import asyncio

import psycopg
import pytest

from lamplighter.embedded import handshake
from tests.conftest import StartBroker
from tests.parts.broker import BrokerPart


async def test_the_shared_broker_lets_the_platform_in(broker: BrokerPart) -> None:
    await handshake.shake_hands(broker.url)


async def test_a_broker_says_no_to_a_wrong_password(broker: BrokerPart) -> None:
    with pytest.raises(handshake.Refused, match=r"user name and password|let this user in"):
        await handshake.shake_hands(f"mqtt://platform:wrong@{broker.host}:{broker.port}")


async def test_a_killed_broker_comes_back_on_its_port_with_its_password(own_broker: BrokerPart) -> None:
    before = own_broker.url
    own_broker.kill()
    with pytest.raises(OSError, match="Connect call failed"):
        await handshake.shake_hands(before)
    own_broker.start()
    assert own_broker.url == before
    await handshake.shake_hands(before)


async def test_a_broker_of_ones_own_knows_devices(start_broker: StartBroker) -> None:
    broker = start_broker({"lamp-1": "secret"})
    await handshake.shake_hands(broker.url_of("lamp-1"))


async def test_the_weak_broker_says_what_it_does_not_promise(weak_broker: BrokerPart) -> None:
    await handshake.shake_hands(weak_broker.url)
    assert weak_broker.missing is not None


def test_every_database_is_a_new_one(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_the_embedded_database_is_utf8_and_utc_and_wants_a_password(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        settings = connection.execute("SELECT current_setting('server_encoding'), current_setting('timezone')")
        assert settings.fetchone() == ("UTF8", "UTC")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(psycopg.conninfo.make_conninfo(empty_database, password="wrong"))


def test_timescale_is_the_real_extension(timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        connection.execute("CREATE TABLE reading (at timestamptz NOT NULL, value float8)")
        connection.execute("SELECT create_hypertable('reading', by_range('at'))")
        connection.execute("ALTER TABLE reading SET (timescaledb.compress)")
        hypertables = connection.execute("SELECT count(*) FROM timescaledb_information.hypertables").fetchone()
    assert hypertables == (1,)


async def test_the_background_runs_while_a_test_waits(broker: BrokerPart) -> None:
    await asyncio.gather(*(handshake.shake_hands(broker.url) for _ in range(200)))


def test_a_database_of_either_mode_has_the_schema(any_database: str) -> None:
    with psycopg.connect(any_database) as connection:
        assert connection.execute("SELECT count(*) FROM asset").fetchone() == (0,)


def test_a_change_in_one_database_is_not_seen_in_the_next(any_database: str) -> None:
    with psycopg.connect(any_database, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM zone").fetchone() == (0,)
        connection.execute("INSERT INTO zone (zone, name) VALUES ('market', 'Market')")
