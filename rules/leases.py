"""What each lamp has been told and until when: program, boost or override, renewed at half of its lease.

An override stands alone from its taking until its expiry or its end, then the program resumes. By day a lease ends at
dusk at the latest, so that no lamp stays dark because of a daytime command; such a lease is not renewed. Leases that
began together are renewed apart, up to `EARLY` of half a lease before it is over.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Self

import numpy as np

from rules.city import LAMPS, City
from rules.dimming import floored
from rules.memory import NEVER_US, Bools, Codes, Column, Memory, NameColumn, RealColumn, Reals, Rows, TimeColumn, Times
from rules.wanted import Wanted
from telemetry.clock import SECOND_US
from telemetry.commands import PRIORITIES

NOTHING = -1
OVERRIDE, SENSOR, PROGRAM = (PRIORITIES.index(each) for each in ("override", "sensor", "program"))
EARLY = 0.1


@dataclass(slots=True, eq=False)
class Lease(Memory):
    """`setpoint_pct` was last told to `device` for the reason with this code, because of `cause_us`, till `renew_us`.

    `override_pct` stands until `override_until_us` by the command `override_by`, NaN for none; the last one ended at
    `resumed_us`. `override_via` is the command that carries it: another one once the device has been swapped.
    """

    setpoint_pct: RealColumn
    reason: Annotated[Codes, Column(np.int8, NOTHING)]
    device: NameColumn
    renew_us: TimeColumn
    cause_us: TimeColumn
    override_pct: RealColumn
    override_until_us: TimeColumn
    override_by: NameColumn
    override_via: NameColumn
    resumed_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Due:
    """Commands to send, `(k,)` each: lamps, levels in %, reasons, causes, ends, renewals, and since when each waits."""

    rows: Rows
    level_pct: Reals
    reason: Codes
    cause_us: Times
    expires_us: Times
    renew_us: Times
    waits_us: Times

    def take(self, chosen: Rows | Bools) -> Self:
        """The chosen ones, by index or mask."""
        return type(self)(*[getattr(self, each.name)[chosen] for each in fields(self)])


def override(lease: Lease, row: int, setpoint_pct: float, until_us: int, command: str, device: str) -> None:
    """An override begins."""
    lease.override_pct[row] = setpoint_pct
    lease.override_until_us[row] = until_us
    lease.override_by[row] = lease.override_via[row] = command
    lease.setpoint_pct[row] = setpoint_pct
    lease.reason[row] = OVERRIDE
    lease.device[row] = device


def end_override(lease: Lease, row: int, at_us: int) -> None:
    """The override of a lamp is over; the program will resume."""
    lease.override_pct[row] = np.nan
    lease.override_until_us[row] = NEVER_US
    lease.override_by[row] = lease.override_via[row] = ""
    lease.resumed_us[row] = at_us


def hand_over(lease: Lease, row: int, command: str, device: str) -> None:
    """Another device has been told of the override that stands."""
    lease.override_via[row] = command
    lease.device[row] = device


def strange(lease: Lease, city: City) -> Bools:
    """The lamps whose device has not been told of their lease."""
    unlike: Bools = lease.device != city.rolls[LAMPS].device
    return unlike


def stranded(lease: Lease, city: City, strange: Bools) -> Rows:
    """The lamps under an override of which the device that serves them now knows nothing."""
    return np.flatnonzero(strange & overridden(lease) & city.rolls[LAMPS].served)


def unlawful(lease: Lease, city: City) -> Rows:
    """The lamps under an override that a guard would forbid in the dark."""
    rows = np.flatnonzero(overridden(lease))
    level, lamps = lease.override_pct[rows], city.lamps
    lawful = floored(level, np.ones(len(rows), np.bool_), lamps.floor_pct[rows], lamps.may_be_off[rows])
    found: Rows = rows[lawful != level]
    return found


def carried(lease: Lease, command: str) -> Rows:
    """The lamps under the override that this command began or carries on."""
    return np.flatnonzero((lease.override_by == command) | (lease.override_via == command))


def end_overrides(lease: Lease, now_us: int) -> None:
    """End the overrides that have expired."""
    for row in np.flatnonzero(overridden(lease) & (lease.override_until_us <= now_us)):
        end_override(lease, int(row), int(lease.override_until_us[row]))


def overridden(lease: Lease) -> Bools:
    """Which lamps are under an override."""
    return ~np.isnan(lease.override_pct)


def due(lease: Lease, city: City, wanted: Wanted, strange: Bools, now_us: int) -> Due:
    """The lamps that have to be told now what is wanted of them."""
    roll, lamps = city.rolls[LAMPS], city.lamps
    reason = np.where(wanted.boosted, SENSOR, PROGRAM).astype(np.int8)
    renew = lease.renew_us <= now_us
    other = (lease.setpoint_pct != wanted.level_pct) | (lease.reason != reason) | strange
    rows = np.flatnonzero((renew | other) & roll.served & ~overridden(lease))
    waits_us = np.maximum(wanted.since_us[rows], np.where(renew[rows], lease.renew_us[rows], NEVER_US))
    waits_us = np.maximum(waits_us, lease.resumed_us[rows])
    cause_us = np.where(waits_us > lease.cause_us[rows], waits_us, now_us)
    half_us, until_us = _half_us(city), wanted.until_us[rows]
    early_us = (lamps.spread[rows] * EARLY * half_us).astype(np.int64)
    short = until_us < now_us + 2 * half_us
    expires_us = np.minimum(until_us, now_us + 2 * half_us)
    renew_us = np.where(short, until_us, now_us + half_us - early_us)
    return Due(rows, wanted.level_pct[rows], reason[rows], cause_us, expires_us, renew_us, waits_us)


def tell(lease: Lease, due: Due, city: City) -> None:
    """The commands have been given."""
    lease.setpoint_pct[due.rows] = due.level_pct
    lease.reason[due.rows] = due.reason
    lease.device[due.rows] = city.rolls[LAMPS].device[due.rows]
    lease.renew_us[due.rows] = due.renew_us
    lease.cause_us[due.rows] = due.cause_us


def _half_us(city: City) -> int:
    """Half a lease: after it a lease is renewed."""
    return max(city.thresholds.lighting.lease_s * SECOND_US // 2, city.pace_us)
