"""`lamplighter demo --json --for …`: a whole city that starts, balances its books and goes without a trace."""

import time
from pathlib import Path

import psutil

from tests.acceptance.city import demo


def test_the_demo_runs_its_time_and_its_ledger_balances(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--for", "20s") as city:
        assert city.ready["ready"] is True
        assert city.ready["http"].startswith("http://127.0.0.1:")
        assert city.ready["mqtt"].startswith("mqtt://")
        assert city.ready["database"].startswith("postgresql://")
        city.finish(60)
    ledger = city.summary["ledger"]
    assert city.process.returncode == 0
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["quarantined"] > 0
    assert city.summary["messages_per_s"] > 0
    assert {"alarms_raised", "commands_verified"} <= city.summary.keys()


def test_a_killed_demo_leaves_no_orphan(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as city:
        children = psutil.Process(city.process.pid).children(recursive=True)
        assert children, "broker and database are processes of their own"
        city.process.kill()
        city.process.wait(10)
        deadline = time.monotonic() + 20
        while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
            assert time.monotonic() < deadline, "a child outlived its parent"
            time.sleep(0.1)


def test_a_second_start_on_the_same_data_goes_on_and_a_killed_broker_ends_it_with_the_ledger(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--devices", "30") as city:
        first = city.get("/ops/v1/ledger")
        city.stop()
    with demo(tmp_path / "data", "--devices", "30") as city:
        assert city.get("/ops/v1/ledger")["stored"] >= first["stored"]
        (broker,) = (child for child in psutil.Process(city.process.pid).children() if "mosquitto" in child.name())
        broker.kill()
        city.finish(30)
    assert city.process.returncode == 1
    assert city.summary["ledger"]["stored"] >= first["stored"]
