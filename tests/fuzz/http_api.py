"""Whatever may be asked of the API by its own OpenAPI document, asked: `python -m tests.fuzz.http_api` (`make fuzz`).

Schemathesis invents requests that keep to the document and requests that break it, follows what answers name, forgets
tokens and tries other methods, against a town on a real port. What must hold: no failure of ours, every answer as the
document says, what breaks the document refused, what keeps to it refused only for a reason that no schema can hold
(`schemathesis_hooks.py`).
"""

import argparse
import asyncio
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.postgres import embedded_postgres
from storage.migrate import migrate
from tests.fuzz.spelling import duration_s
from tests.fuzz.town import Served, served
from tests.parts.databases import FAST_AND_CARELESS

CASES_MIN = 2_000
CASES_A_SECOND = 25
"""About, on two cores: how much may be asked of each operation in the time given."""
OPERATIONS = 40
_GENERATED = re.compile(r"^  (\d+) generated", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a run; `report` is in Schemathesis's own words."""

    cases: int
    passed: bool
    report: str


async def knock(town: Served, options: Sequence[str]) -> Verdict:
    """Run Schemathesis over the whole document with options of its command line."""
    program = Path(sysconfig.get_path("scripts")) / "schemathesis"
    command = [str(program), "run", f"{town.url}/openapi.json", "--no-color", *options]
    done = await asyncio.create_subprocess_exec(
        *command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).parent,  # where schemathesis.toml lies
        env={"TOKEN": town.token, "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    out, _ = await done.communicate()
    report = out.decode(errors="replace")
    found = _GENERATED.search(report)
    return Verdict(int(found[1]) if found else 0, done.returncode == 0, report)


async def _long_run(seconds: float, seed: int) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="lamplighter-fuzz-") as folder:
        home = data_folder(Path(folder))
        home.chmod(0o711)
        async with embedded_postgres(home, settings=FAST_AND_CARELESS) as server:
            await migrate(server.url)
            async with served(server.url) as town:
                examples = max(30, round(seconds * CASES_A_SECOND / OPERATIONS))
                return await knock(town, ["--max-examples", str(examples), "--seed", str(seed)])


def main() -> None:
    """Fuzz; leaves with 1 where anything did not hold, or too little was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--for", dest="for_s", default="60s", type=duration_s, metavar="60s", help="about how long")
    parser.add_argument("--seed", type=int, default=0, help="the same seed asks the same")
    options = parser.parse_args()
    verdict = asyncio.run(_long_run(options.for_s, options.seed))
    print(verdict.report)
    print(f"{verdict.cases} requests of the API: {'every promise held' if verdict.passed else 'promises were broken'}")
    sys.exit(0 if verdict.passed and verdict.cases >= CASES_MIN else 1)


if __name__ == "__main__":
    main()
