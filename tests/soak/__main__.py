"""`make soak`: twenty minutes of a simulated town of 5,000 devices under everything that may befall it.

Prints a table, and with `--write` the page `docs/soak.md`. Ends with 1 if anything is not as promised.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from lamplighter.embedded.broker import mosquitto_program
from tests.parts.log_file import log_to
from tests.soak.plan import Plan
from tests.soak.report import PAGE, page, table
from tests.soak.run import soak


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=20, help="real time that the devices live")
    parser.add_argument("--devices", type=int, default=5_000)
    parser.add_argument("--speed", type=float, default=20, help="of the city's clock")
    parser.add_argument("--seed", type=int, default=1, help="draws the town, its faults, and the strikes")
    parser.add_argument("--short", action="store_true", help="a strike of each kind only, as in `make test`")
    parser.add_argument("--plan", action="store_true", help="say what would happen when, and end")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    return parser.parse_args()


def main() -> int:
    wanted = options()
    plan = Plan(wanted.minutes, wanted.devices, wanted.speed, wanted.seed, full=not wanted.short)
    if wanted.plan:
        for strike in plan.strikes:
            print(f"{strike.at_s:8.1f} s  {strike.what}")
        return 0
    if mosquitto_program() is None:
        sys.exit("Mosquitto is not installed (on Debian: apt-get install mosquitto).")
    log = Path(tempfile.gettempdir()) / f"lamplighter-soak-{plan.seed}.log"
    with log.open("w") as file:
        log_to(file)
        outcome = asyncio.run(soak(plan))
    print(table(outcome))
    if wanted.write:
        PAGE.write_text(page(outcome))
    if not outcome.good:
        print(f"The log of all parts is {log}.", file=sys.stderr)
    else:
        log.unlink()
    return int(not outcome.good)


if __name__ == "__main__":
    sys.exit(main())
