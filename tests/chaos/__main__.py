"""`make chaos`: each fault that a town may meet, again and again, and what became of every reading.

Real processes, as production has them: Mosquitto, PostgreSQL, `lamplighter ingest`; and devices that resend their last
minute after a torn line. The truth is their own record of what the broker has acknowledged.

Prints a line a repetition and a table. Ends with 1 if any reading was lost or stored twice, or the ledger is wrong.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import structlog

from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import mosquitto_program
from tests.chaos import flood, uplinks
from tests.chaos.cases import CASES, Case
from tests.chaos.repetition import Outcome, try_repeat
from tests.chaos.town import make_template, may_mount
from tests.parts.log_file import log_to

COLUMNS = (
    f"{'fault':<26}{'seed':>5}{'published':>11}{'believed':>11}{'stored':>11}{'duplicate':>11}{'quarantined':>13}"
    f"{'lost':>6}{'doubled':>9}{'balanced':>10}{'MiB':>6}{'seconds':>9}"
)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", metavar="NAME", action="append", help="this case, or several: A,B")
    parser.add_argument("--seed", type=int, default=1, help="of the first repetition; each further one is one higher")
    parser.add_argument("--repetitions", type=int, metavar="K", help="of each case, in place of its own number")
    parser.add_argument("--backlog", type=int, metavar="N", help="uplinks that wait in `database_away`")
    parser.add_argument("--paced", type=int, metavar="N", help="of them a second, in place of as many as go")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    parser.add_argument("--keep", action="store_true", help="keep the log of all parts, and say where")
    return parser.parse_args()


def chosen(wanted: argparse.Namespace) -> list[Case]:
    only = {name for names in wanted.only or () for name in names.split(",")}
    unknown = only - {case.name for case in CASES}
    if unknown:
        sys.exit(f"There is no case {', '.join(sorted(unknown))}: `--list` names all.")
    cases = [case for case in CASES if not only or case.name in only]
    if wanted.backlog:
        longer_s = 60 + wanted.backlog / 1_000
        cases = [
            replace(case, backlog=wanted.backlog, settle_s_max=longer_s) if case.backlog and not case.fat else case
            for case in cases
        ]
    if wanted.paced:
        cases = [replace(case, backlog_per_s=wanted.paced, rate_per_s=20) if case.backlog else case for case in cases]
    return cases


def main() -> int:
    wanted = options()
    if wanted.list:
        for case in CASES:
            print(f"{case.name:<26}{case.repetitions} × {case.says}")
        return 0
    cases = chosen(wanted)
    if mosquitto_program() is None:
        sys.exit("Mosquitto is not installed (on Debian: apt-get install mosquitto).")
    home = data_folder(Path(tempfile.mkdtemp(prefix="lamplighter-chaos-")))
    home.chmod(0o711)
    log = (home / "log").open("w")
    log_to(log)
    bad = True
    try:
        outcomes = asyncio.run(run(cases, wanted, home))
        bad = not all(outcome.good for outcome in outcomes)
        print(table(outcomes))
    finally:
        log.close()
        if bad or wanted.keep:
            kept = Path(tempfile.gettempdir()) / f"{home.name}.log"
            shutil.copy(home / "log", kept)
            print(f"The log of all parts is {kept}.", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
    return int(bad)


async def run(cases: list[Case], wanted: argparse.Namespace, home: Path) -> list[Outcome]:
    this = asyncio.current_task()
    assert this
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    await make_template(home / "template", uplinks.registry() + flood.registry())
    print(COLUMNS, flush=True)
    outcomes = []
    for case in cases:
        if case.faults.database_disk_full and not may_mount():
            print(f"{case.name:<26}left out: only root can mount the small disk that it needs")
            continue
        for seed in range(wanted.seed, wanted.seed + (wanted.repetitions or case.repetitions)):
            structlog.get_logger().info("repetition", case=case.name, seed=seed)
            folder = home / f"{case.name}-{seed}"
            folder.mkdir(mode=0o711)
            outcomes.append(await try_repeat(case, seed, folder, home / "template"))
            shutil.rmtree(folder, ignore_errors=True)
            print(line(outcomes[-1]), flush=True)
    return outcomes


def line(outcome: Outcome) -> str:
    """A repetition; what is wrong with it stands below."""
    verdict, promised = outcome.verdict, outcome.promised
    words = (
        f"{outcome.case:<26}{outcome.seed:>5}{promised.published:>11,}{promised.count:>11,}{verdict.stored:>11,}"
        f"{verdict.duplicate:>11,}{verdict.quarantined:>13,}{len(verdict.lost):>6}{len(verdict.doubled):>9}"
        f"{'yes' if outcome.balanced else 'NO':>10}{outcome.memory_mib:>6.0f}{outcome.seconds:>9.1f}"
    )
    for what, items in (("lost", verdict.lost), ("doubled", verdict.doubled), ("wrong", verdict.complaints)):
        words += "".join(f"\n    {what}: {item}" for item in items[:5])
    return words


def table(outcomes: list[Outcome]) -> str:
    """One line a case, and the sum."""
    lines = ["", f"{'fault':<26}{'repetitions':>12}{'believed':>12}{'lost':>6}{'doubled':>9}{'balanced':>10}{'MiB':>6}"]
    names = list(dict.fromkeys(outcome.case for outcome in outcomes))
    for name in [*names, "all"]:
        of_name = [outcome for outcome in outcomes if name in (outcome.case, "all")]
        if of_name:
            lines.append(
                f"{name:<26}{len(of_name):>12}{sum(each.promised.count for each in of_name):>12,}"
                f"{sum(len(each.verdict.lost) for each in of_name):>6}"
                f"{sum(len(each.verdict.doubled) for each in of_name):>9}"
                f"{'yes' if all(each.balanced for each in of_name) else 'NO':>10}"
                f"{max(each.memory_mib for each in of_name):>6.0f}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
