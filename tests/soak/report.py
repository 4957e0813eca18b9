"""The outcome of a soak as a table for people, and as `docs/soak.md`."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from telemetry.alarms import AlarmType
from tests.soak.plan import FAULTS
from tests.soak.run import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "soak.md"
HIGH, OVERFLOW = AlarmType.DRAIN_HIGH, AlarmType.DRAIN_OVERFLOW

HEAD = """\
# A city that is struck

`make soak` lets a simulated town live for twenty minutes on real processes, as production has them (Mosquitto,
PostgreSQL, `lamplighter ingest`, `upkeep`, `rules` and `api`), and strikes it: `kill -9` of each process, restarts of
broker and database, a full disk, a consumer that takes nothing. Its devices have faults of their own. Then everything
is compared with what the simulator itself knows: each device's own record of what it believes delivered, reading by
reading; the water in each drain, by the minute; and which sensors and lamps are broken.

The seed draws the town, its faults, the strikes and their times: `make soak ARGS="--seed 7"` does it again.
`make test` runs a short one (`tests/acceptance/test_soak.py`).
"""

NOTES = """\
## What counts

- **Believed**: acknowledged by the broker, as far as the device heard so, and not under way again at the end. A device
  that hears nothing sends again after half a minute of its own, after a torn line all of its last minute.
- **Lost**: believed, and no row with the device's `ts`. **Doubled**: more than one row, or a row that was never sent.
- **A flood** is water at or above the crown for half an hour, or at or above the ground for a quarter of one, at a
  sensor that works, sees so high and has a radio. Its alarm has to be raised while it lasts, or to stand since the
  flood before.
- **A false alarm** says what was not the case, from twenty minutes before the time it speaks of until it was raised.
  What the simulator has none of (blockages, supply losses, cabinets without power) is always false; so is an alarm of
  the platform on itself.
- **Memory** is what is resident; a server's is that of all its processes, what they share once. Means of the first and
  last fifth of the time in which the last process of its name was warm. It is flat if it grows by no more than 10 MiB.
  The database fills its cache, the simulator remembers all that it has sent: they are shown, not judged.
- **What rules hold** besides code and registry is bounded by the town: 55 KB a parking zone for its learned week and
  what of its forecasts is still to be scored (full within four hours of the city's), 4 KB an alarm that stands, at most
  one a type and asset, 1 KB a command under way, at most one a device and setting. All of a town's lamps at dusk, or a
  backlog after an outage, take a few MiB more for a moment; that is given back.
- **A stuck bay** is one of the faults; its alarm takes two days of its neighbours' changes, longer than this lasts.
- The full disk needs a disk of the database's own, which only root can mount; another user's soak does without it.
"""


def table(outcome: Outcome) -> str:
    """What was promised and what was found, line by line."""
    rows = list(_rows(outcome))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {found}" for name, found in rows]
    strikes = [f"  {at_s:6.1f} s  {what}, {took_s:.1f} s" for at_s, what, took_s in outcome.strikes]
    said = [f"  {each}" for each in (*outcome.verdict.complaints, *outcome.verdict.notes)]
    return "\n".join([*lines, *strikes, *said, "All as promised." if outcome.good else "NOT AS PROMISED."])


def page(outcome: Outcome) -> str:
    """`docs/soak.md`."""
    plan = outcome.plan
    figures = "".join(f"| {name} | {found} |\n" for name, found in _rows(outcome))
    strikes = "".join(
        f"| {int(at_s) // 60}:{int(at_s) % 60:02d} | {what.replace('_', ' ')} | {took_s:.1f} s |\n"
        for at_s, what, took_s in outcome.strikes
    )
    notes = (*outcome.verdict.complaints, *outcome.verdict.notes)
    said = "".join(f"- {each}\n" for each in notes) or "- Nothing else.\n"
    verdict = "All as promised." if outcome.good else "**Not as promised**, see below."
    return (
        f"{HEAD}\n## The run of {datetime.now(UTC):%Y-%m-%d}\n\nSeed {plan.seed}. {verdict}\n\n"
        f"| | |\n|---|---|\n{figures}\n{NOTES}\n## Strikes\n\n| at | what | until it was up again |\n|---|---|---|\n"
        f"{strikes}\n## Notes\n\n{said}"
    )


def _rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    plan, verdict, record, answers = outcome.plan, outcome.verdict, outcome.record, outcome.answers
    yield "town", f"{plan.devices:,} devices, {plan.connections} with lines of their own that join at one blow"
    yield (
        "time",
        f"{plan.minutes:g} minutes at speed {plan.speed:g}: {plan.minutes * plan.speed / 60:.1f} hours of the "
        f"city's, {plan.asset_days:,.0f} asset-days",
    )
    yield (
        "faults of devices",
        f"{FAULTS.loss_per_uplink:.0%} of uplinks lost, {FAULTS.lost_ack_per_uplink:.0%} of acknowledgements, "
        f"{FAULTS.duplicate_per_report:.0%} said twice, clocks up to {FAULTS.clock_drift_ppm_max / 1e6:.1%} wrong, "
        f"each fifth a day without radio for up to 90 minutes, {verdict.stuck} sensors of bays and drains stuck",
    )
    yield "strikes", f"{len(outcome.strikes)}" + ("" if outcome.mounted else ", the full disk left out")
    yield "uplinks", f"{record.uplinks:,} sent, {outcome.progress.reconnects:,} lines came back"
    yield "readings believed delivered", f"{verdict.believed:,}"
    yield "rows", f"{verdict.rows:,}"
    yield "lost", f"{verdict.lost}"
    yield "doubled", f"{verdict.doubled}"
    yield (
        "ledger",
        f"{verdict.received:,} received = {verdict.rows:,} stored + {verdict.duplicate:,} duplicate + "
        f"{verdict.quarantined:,} quarantined",
    )
    for stage, words in ((HIGH, "above the crown"), (OVERFLOW, "above the ground")):
        yield f"floods {words}", f"{verdict.floods[stage]}, alarmed {verdict.alarmed[stage]}"
    if delays := sorted(verdict.flood_delays_s):
        yield (
            "from a flood to its alarm",
            f"median {delays[len(delays) // 2] / 60:.0f}, at most {delays[-1] / 60:.0f} minutes of the city's "
            "(drain_high waits for six)",
        )
    yield "alarms", ", ".join(f"{count} {kind}" for kind, count in verdict.alarms.most_common())
    yield "false drain_overflow", f"{verdict.false[OVERFLOW]}"
    per = 1_000 * verdict.other_false / plan.asset_days
    kinds = ", ".join(f"{count} {kind}" for kind, count in verdict.false.items() if kind != OVERFLOW)
    yield (
        "other false alarms",
        f"{verdict.other_false}, {per:.2f} per 1,000 asset-days" + (f" ({kinds})" if kinds else ""),
    )
    yield (
        "asked every second from outside",
        f"parking answered {answers.parking} of {answers.asked} times, ready {answers.ready} times, "
        f"last not ready {answers.last_not_ready_s:.0f} s after the beginning: {answers.why or '-'}",
    )
    yield (
        "self-probe",
        f"{verdict.probes} readings stored, {verdict.probes_shown} shown, the longest wait "
        f"{answers.probe_waited_s:.0f} s",
    )
    for held in outcome.held:
        yield (
            f"memory of {held.name}",
            f"{held.first_mib:.0f} → {held.last_mib:.0f} MiB in {held.seconds / 60:.0f} min, at most "
            f"{held.most_mib:.0f}, slope {held.mib_per_h:+.0f} MiB/h, in the calm at the end "
            f"{held.calm_mib_per_h:+.0f} MiB/h",
        )
    yield "simulator behind its clock", f"at most {outcome.progress.lag_s_max:.1f} real seconds"
    yield (
        "load of the machine",
        f"{outcome.load[0]:.1f} before, {outcome.load[1]:.1f} at the end ({os.cpu_count()} cores)",
    )
    yield "took", f"{outcome.seconds:.0f} s"
