"""What each lamp has been told and until when: program or override, renewed at half of its lease.

An override stands alone from its taking until its expiry or its end, then the program resumes. By day a lease ends at
dusk at the latest, so that no lamp stays dark because of a daytime command; such a lease is not renewed.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rules.city import LAMPS, City
from rules.dimming import Segment, floored
from rules.memory import NEVER_US, Bools, Codes, Column, Memory, NameColumn, RealColumn, Reals, Rows, TimeColumn, Times
from telemetry.clock import SECOND_US
from telemetry.commands import PRIORITIES

NOTHING = -1
OVERRIDE, PROGRAM = PRIORITIES.index("override"), PRIORITIES.index("program")


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
    """Program commands to send: lamps, levels in %, causes `(k,)`; all expire and are renewed at the same time."""

    rows: Rows
    level_pct: Reals
    cause_us: Times
    expires_us: int
    renew_us: int
    segment: Segment


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


def stranded(lease: Lease, city: City) -> Rows:
    """The lamps under an override of which the device that serves them now knows nothing."""
    roll = city.rolls[LAMPS]
    return np.flatnonzero(overridden(lease) & roll.served & (lease.device != roll.device))


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


def due(lease: Lease, city: City, now_us: int) -> Due:
    """The lamps that have to be told the program's level now."""
    roll = city.rolls[LAMPS]
    segment = city.program.at(now_us)
    level = floored(segment.level_pct, segment.dark, city.floor_pct, city.may_be_off)
    renew = lease.renew_us <= now_us
    other = (lease.setpoint_pct != level) | (lease.reason != PROGRAM) | (lease.device != roll.device)
    rows = np.flatnonzero((renew | other) & roll.served & ~overridden(lease))
    begun = np.maximum(segment.start_us, np.where(renew, lease.renew_us, NEVER_US))
    cause = np.maximum(begun, lease.resumed_us)[rows]
    cause = np.where(cause > lease.cause_us[rows], cause, now_us)
    renew_us, expires_us = now_us + _half_us(city), now_us + 2 * _half_us(city)
    if not segment.dark and city.sun.next_change_us(now_us) < expires_us:
        renew_us = expires_us = city.sun.next_change_us(now_us)
    return Due(rows, level[rows], cause, expires_us, renew_us, segment)


def tell(lease: Lease, due: Due, city: City) -> None:
    """The program commands have been given."""
    lease.setpoint_pct[due.rows] = due.level_pct
    lease.reason[due.rows] = PROGRAM
    lease.device[due.rows] = city.rolls[LAMPS].device[due.rows]
    lease.renew_us[due.rows] = due.renew_us
    lease.cause_us[due.rows] = due.cause_us


def _half_us(city: City) -> int:
    """Half a lease: after it a lease is renewed."""
    return max(city.thresholds.lighting.lease_s * SECOND_US // 2, city.pace_us)
