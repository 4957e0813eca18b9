"""Sensors of drains above the pre-alarm report more often: by a lease, renewed at half, and taken back afterwards.

An interval that a person has set goes before. A device that refuses, or does not answer, is not asked again for a day.
"""

import numpy as np

from rules import commanding
from rules.city import DRAINS
from rules.commanding import Desk
from rules.effects import MoveCommand
from rules.memory import NEVER_US
from telemetry.clock import DAY_US, SECOND_US
from telemetry.commands import Settings, State
from telemetry.limits import COMMAND_LEASE_S

LEASE_US = COMMAND_LEASE_S * SECOND_US
DECLINED_US = DAY_US
ENDED_BADLY = (State.REJECTED, State.FAILED, State.EXPIRED)


def ask(desk: Desk) -> None:
    """Ask the devices that should report more often, or need no more."""
    sampling, sewer, roll, now_us = desk.state.sampling, desk.city.sewer, desk.city.rolls[DRAINS], desk.moment.now_us
    _decline(desk)
    every_us = sewer.span_us("fast_report_every_s")
    wanted = desk.state.pre_alarm.active & roll.served & ~desk.state.belief.active & (every_us < sewer.interval_us)
    for row in np.flatnonzero(wanted & (sampling.renew_us <= now_us)).tolist():
        _ask(desk, row, int(every_us[row]) // SECOND_US)
    for row in np.flatnonzero(~wanted & (sampling.until_us > now_us)).tolist():
        _take_back(desk, row)


def _ask(desk: Desk, row: int, every_s: int) -> None:
    sampling, now_us = desk.state.sampling, desk.moment.now_us
    busy_until_us = _set_by_hand_until(desk, row)
    if busy_until_us > now_us:
        sampling.renew_us[row] = busy_until_us
        return
    cause_us = max(int(sampling.renew_us[row]), int(desk.state.pre_alarm.cause_us[row]))
    asset, until_us = desk.city.rolls[DRAINS].assets[row], now_us + LEASE_US
    settings = Settings(report_every_s=every_s)
    sampling.earlier[row] = sampling.command[row]
    sampling.command[row] = commanding.ask(desk, asset, settings, "sensor", cause_us, until_us) or ""
    sampling.until_us[row] = until_us if sampling.command[row] else NEVER_US
    sampling.renew_us[row] = now_us + max(LEASE_US // 2, desk.city.pace_us)


def _take_back(desk: Desk, row: int) -> None:
    """The registered interval holds again."""
    sampling, asset = desk.state.sampling, desk.city.rolls[DRAINS].assets[row]
    until_us = int(sampling.until_us[row])
    if asset.device is not None and _set_by_hand_until(desk, row) <= desk.moment.now_us:
        commanding.ask(desk, asset, Settings(report_every_s=asset.report_every_s), "default", until_us, until_us)
    sampling.command[row] = sampling.earlier[row] = ""
    sampling.until_us[row] = sampling.renew_us[row] = NEVER_US


def _set_by_hand_until(desk: Desk, row: int) -> int:
    """Until when a person has set how often the device of a drain reports."""
    presence, sampling = desk.state.presence[DRAINS], desk.state.sampling
    asset_id = desk.city.rolls[DRAINS].assets[row].asset_id
    ordered = [each for each in desk.book.of(asset_id) if each.reason == "override" and each.settings.report_every_s]
    ours = ("", sampling.command[row], sampling.earlier[row])
    is_ours = presence.told_by[row] in ours or presence.told_us[row] == desk.city.sewer.interval_us[row]
    return max([each.expires_us for each in ordered], default=NEVER_US if is_ours else int(presence.told_until_us[row]))


def _decline(desk: Desk) -> None:
    """Leave the devices alone that have not done as they were asked."""
    ended = {each.id for each in desk.effects if isinstance(each, MoveCommand) and each.state in ENDED_BADLY}
    if not ended:
        return
    sampling = desk.state.sampling
    for row in np.flatnonzero(sampling.until_us != NEVER_US).tolist():
        if sampling.command[row] in ended:
            sampling.until_us[row] = NEVER_US
            sampling.renew_us[row] = desk.moment.now_us + DECLINED_US
