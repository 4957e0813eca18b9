"""`make bench`: figures of Lamplighter beside its peers on this machine, and whether they are what was promised.

Broker, database and every contender are started here, and ended here. The contenders take turns (A B C A B C …), round
after round, so that a busy machine troubles all alike, and ratios are taken within a round. The figures:

    1 to 3  rate and cost beside a bare C client and six peers          races
    4       without the broker, beside the server's own COPY            limit
    5       delay to the commit and to the API at 10, 50, 90 % load     delays
    6, 8    bursts while ingest or the database is away                 bursts
    7       cost per message from a thousand to 100,000 devices         growth
    0       bytes of a reading where it rests, for the sizing           weights

One module each; `field` is what they share, `contenders` and `peers` who takes part, `figures` the statistics, `page`
what is written. A run of all figures writes `docs/performance.md`, and `docs/scaling.md`, which `sizing` computes from
the costs; `--quick` tries everything out, says nothing about speed and writes nothing. The exit code is 1 where a
target is missed. Compilers and packages that are absent leave out comparisons, in one line.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from bench import bursts, delays, growth, limit, page, races, sizing, weights
from bench.field import Field, field
from bench.figures import Section
from bench.parts import Parts, gather
from bench.processes import ROOT, Failed
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import mosquitto_program
from lamplighter.errors import Failure

ROUNDS = 5
QUICK_SHARE = 0.1
DEFAULT_RATE = 20_000.0
"""What is taken for saturation where figure 5 is measured without the races."""
GROUPS = ((1, 2, 3), (4,), (5,), (7,), (6, 8), (0,))
"""Figures that are measured together, in this order."""


class Bench:
    """One run of some figures."""

    def __init__(self, field: Field, parts: Parts, rounds: int, share: float) -> None:
        self._field, self._parts, self._rounds, self._share = field, parts, rounds, share
        self.sections: list[Section] = []
        self._rate = DEFAULT_RATE

    async def measure(self, figures: frozenset[int]) -> None:
        """Measure the groups that hold any of these figures."""
        steps: dict[int, Callable[[], Awaitable[list[Section]]]] = {
            1: self._race, 4: self._limit, 5: self._delays, 7: self._growth, 6: self._bursts, 0: self._weights,
        }  # fmt: skip
        for group in GROUPS:
            if figures & set(group):
                print(f"figures {', '.join(map(str, group))} …", file=sys.stderr)
                for section in await steps[group[0]]():
                    self.sections.append(section)
                    print(page.terminal(section), flush=True)

    async def _race(self) -> list[Section]:
        section = await races.race(self._field, self._parts, self._rounds, self._share)
        self._rate = section.costs["rate"]
        return [section]

    async def _limit(self) -> list[Section]:
        return [await limit.approach(self._field, self._rounds, self._share)]

    async def _delays(self) -> list[Section]:
        return [await delays.wait(self._field, self._rate, self._rounds, max(self._share, 0.5))]

    async def _growth(self) -> list[Section]:
        return [await growth.grow(self._field, self._rounds, self._share)]

    async def _weights(self) -> list[Section]:
        return await weights.weigh(self._field)

    async def _bursts(self) -> list[Section]:
        return await bursts.burst(self._field, self._share)


@contextmanager
def folders() -> Iterator[tuple[Path, Path]]:
    """For broker and database, and for what processes say; both vanish."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as scratch:
        top = Path(scratch)
        top.chmod(0o711)  # as root the servers run as other users, who have to pass through
        (top / "logs").mkdir()
        yield data_folder(top / "home"), top / "logs"


async def run(options: argparse.Namespace, figures: frozenset[int]) -> int:
    """Measure, say and write; returns the exit code."""
    main = asyncio.current_task()
    assert main is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, main.cancel)
    begun_s, of, parts = time.monotonic(), page.machine(), await asyncio.to_thread(gather)
    print("\n".join([*of, *parts.left_out]), flush=True)
    rounds, share = (1, QUICK_SHARE) if options.quick else (options.rounds, 1.0)
    with folders() as (home, logs):
        async with field(home, logs) as ground:
            bench = Bench(ground, parts, rounds, share)
            await bench.measure(figures)
    targets = [target for section in bench.sections for target in section.targets]
    missed = [target for target in targets if not target.met]
    print(f"\n{len(targets) - len(missed)} of {len(targets)} targets met, after {time.monotonic() - begun_s:,.0f} s")
    for target in missed:
        print(f"  figure {target.number}: {target.text()}")
    if options.quick:
        return 0
    keep(of, bench.sections)
    if figures == ALL_FIGURES:
        page.write(page.markdown(bench.sections, of, rounds, parts.left_out))
        sizing.main()
        print(f"{page.PAGE.relative_to(ROOT)} is written.")
    return 1 if missed else 0


def keep(of: list[str], sections: list[Section]) -> None:
    """Keep the costs for the sizing, beside those of earlier runs."""
    costs = json.loads(sizing.RESULTS.read_text())["costs"] if sizing.RESULTS.exists() else {}
    for section in sections:
        costs |= section.costs
    sizing.RESULTS.write_text(json.dumps({"machine": of, "costs": costs}, indent=1))


ALL_FIGURES = frozenset(number for group in GROUPS for number in group)


def main() -> int:
    """Read the options and go."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="1,4", help="these figures; those measured with them come along")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each contender, by default {ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="one round with a tenth of the messages; writes no page")
    options = parser.parse_args()
    try:
        figures = frozenset(map(int, options.only.split(","))) if options.only else ALL_FIGURES
    except ValueError:
        parser.error("--only takes numbers of figures, such as 1,4")
    if not figures <= ALL_FIGURES or options.rounds < 1:
        parser.error(f"there are the figures {', '.join(map(str, sorted(ALL_FIGURES)))}, and at least one round")
    if mosquitto_program() is None:
        parser.error("Mosquitto is not installed (apt install mosquitto), and all figures need it")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        return asyncio.run(run(options, figures))
    except (Failed, Failure) as error:
        print(f"make bench: {error}", file=sys.stderr)
    except (asyncio.CancelledError, KeyboardInterrupt):
        print("make bench: interrupted; everything it started has ended", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
