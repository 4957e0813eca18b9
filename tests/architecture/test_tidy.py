"""The house stays tidy: short modules and functions, no unfinished marks, no clock where the city clock rules."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "telemetry",
    "storage",
    "bus",
    "gateway",
    "ingest",
    "rules",
    "api",
    "firmware_sim",
    "dashboards",
    "lamplighter",
)
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
CLOCKS = {"datetime.now", "datetime.utcnow", "dt.datetime.now", "time.time", "time.time_ns", "date.today"}
REAL_TIME_ROOMS = ("lamplighter", "bus")
"""The roof binds the city clock to the machine's; the bus stamps receipt through the clock handed to it."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_says_what_it_is_for_and_fits(module: Path) -> None:
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text)), "the first line says the module's one reason"
    assert len(text.splitlines()) <= MODULE_LINES_MAX
    assert not UNFINISHED.search(text)


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_function_fits_a_screen(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


def calls(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[len(ROOT.parts)] not in REAL_TIME_ROOMS], ids=name)
def test_time_is_an_argument(module: Path) -> None:
    assert not CLOCKS & set(calls(module))


def test_no_sql_reads_the_servers_clock() -> None:
    reads = re.compile(r"\b(now\(\)|current_timestamp|localtimestamp|current_date)", re.IGNORECASE)
    for path in sorted((ROOT / "storage").rglob("*.sql")):
        statements = re.sub(r"--.*", "", path.read_text())
        found = reads.findall(statements.replace("city_now()", ""))
        assert not found, name(path)
