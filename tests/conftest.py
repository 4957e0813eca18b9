"""Fixtures that start real parts: brokers, PostgreSQL, TimescaleDB. Unit tests use none of them."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest

from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import mosquitto_program
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from tests.parts import databases, timescale
from tests.parts.background import Background
from tests.parts.broker import BrokerPart

NO_MOSQUITTO = "Mosquitto is not installed (on Debian: apt install mosquitto)"
TIMESCALE_URL = os.environ.get("LAMPLIGHTER_TEST_TIMESCALE_URL")
MEMORY_BYTES_MIN = 2 << 30

# Every run tries a few dozen examples of each property; HYPOTHESIS_PROFILE=thorough tries many more.
hypothesis.settings.register_profile("quick", max_examples=40, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=1_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

gc.disable()  # what is imported from here on stays until the end; to look for garbage in it took a fifth of the time


def pytest_collection_finish() -> None:
    """From now on only what tests make is looked through for garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """The event loop on which real parts run."""
    loop = Background()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def tmp_path_factory(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    """pytest's own, but what it makes may be passed through (0711), as servers started by root need it."""
    make = tmp_path_factory.mktemp

    def mktemp(basename: str, numbered: bool = True) -> Path:
        folder = make(basename, numbered)
        temporary = Path(tempfile.gettempdir()).resolve()
        for step in (folder, *folder.parents):
            if temporary in step.parents:
                step.chmod(0o711)
        return folder

    tmp_path_factory.mktemp = mktemp  # type: ignore[method-assign]
    return tmp_path_factory


def _memory() -> Path | None:
    """A folder in memory with room for the databases of a test run, where programs may lie as well."""
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK):
        return None
    system = os.statvfs(folder)
    has_room = system.f_bavail * system.f_frsize >= MEMORY_BYTES_MIN
    return folder if has_room and not system.f_flag & os.ST_NOEXEC else None


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty data folder, removed after the test."""
    folder = data_folder(Path(tempfile.mkdtemp(prefix="lamplighter-test-")))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def session_home() -> Iterator[Path]:
    """As `home`, for parts that live as long as the test run: in memory, where the machine lets us."""
    folder = data_folder(Path(tempfile.mkdtemp(prefix="lamplighter-tests-", dir=_memory())))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def broker(background: Background, session_home: Path) -> Iterator[BrokerPart]:
    """A Mosquitto with our own configuration, shared by the test run: use topics and client ids of your own."""
    if mosquitto_program() is None:
        pytest.skip(NO_MOSQUITTO)
    part = BrokerPart(background, data_folder(session_home / "mosquitto"), "mosquitto")
    yield part
    part.stop()


StartBroker = Callable[[Mapping[str, str]], BrokerPart]


@pytest.fixture
def start_broker(background: Background, home: Path) -> Iterator[StartBroker]:
    """Starts a Mosquitto for this test alone, given devices with passwords."""
    if mosquitto_program() is None:
        pytest.skip(NO_MOSQUITTO)
    started: list[BrokerPart] = []

    def start(devices: Mapping[str, str]) -> BrokerPart:
        started.append(BrokerPart(background, data_folder(home / f"broker{len(started)}"), "mosquitto", devices))
        return started[-1]

    yield start
    for part in started:
        part.stop()


@pytest.fixture
def own_broker(start_broker: StartBroker) -> BrokerPart:
    """A Mosquitto for this test alone: one that it may kill, fill or restart."""
    return start_broker({})


@pytest.fixture
def weak_broker(background: Background, home: Path) -> Iterator[BrokerPart]:
    """The broker that the demo falls back to, for this test alone."""
    part = BrokerPart(background, data_folder(home / "iotcore"), "iotcore")
    yield part
    part.stop()


@pytest.fixture(scope="session")
def postgres(background: Background, session_home: Path) -> Iterator[RunningPostgres]:
    """The embedded PostgreSQL server, shared by the test run."""
    server, leave = background.open(embedded_postgres(session_home, settings=databases.FAST_AND_CARELESS))
    yield server
    leave()


@pytest.fixture(scope="session")
def role_server(background: Background, session_home: Path) -> Iterator[RunningPostgres]:
    """A PostgreSQL server for tests that make roles: these are a server's, and all other tests would meet them."""
    home = data_folder(session_home / "roles")
    server, leave = background.open(embedded_postgres(home, settings=databases.FAST_AND_CARELESS))
    yield server
    leave()


@pytest.fixture
def empty_database(postgres: RunningPostgres) -> Iterator[str]:
    """The URL of a new database without a schema."""
    with databases.fresh_database(postgres.url) as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres: RunningPostgres) -> str:
    """The name of a migrated database that `database` is copied from."""
    databases.create_database(postgres.url, databases.TEMPLATE)
    databases.migrate(postgres.url_of(databases.TEMPLATE))
    return databases.TEMPLATE


@pytest.fixture
def database(postgres: RunningPostgres, template_database: str) -> Iterator[str]:
    """The URL of a new, migrated database in native mode."""
    with databases.fresh_database(postgres.url, template_database) as url:
        yield url


@pytest.fixture(scope="session")
def timescale_server() -> Iterator[timescale.MarkedServer]:
    """The server with TimescaleDB, shared by the test run: one database at a time."""
    if reason := timescale.missing():
        pytest.fail(reason, pytrace=False)  # not skip: half of the storage's promises would go untested unnoticed
    server = timescale.MarkedServer()
    yield server
    server.stop()


@pytest.fixture
def timescale_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database on a server with TimescaleDB, without a schema of ours."""
    if TIMESCALE_URL:
        with databases.fresh_database(TIMESCALE_URL) as url:
            yield url
    else:
        yield request.getfixturevalue("timescale_server").fresh("extension")


@pytest.fixture
def timescale_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new, migrated database with TimescaleDB."""
    if TIMESCALE_URL:
        with databases.fresh_database(TIMESCALE_URL) as url:
            databases.migrate(url)
            yield url
    else:
        yield request.getfixturevalue("timescale_server").fresh("migrated")


@pytest.fixture(params=["native", "timescale"])
def any_database(request: pytest.FixtureRequest) -> str:
    """The URL of a new, migrated database: once in native mode, once with TimescaleDB."""
    name = "database" if request.param == "native" else "timescale_database"
    return str(request.getfixturevalue(name))
