"""A short soak: a town on real processes is struck in every way for a minute and a half, and all is accounted for.

`make soak` is the long one, of 5,000 devices and twenty minutes.
"""

import pytest

from lamplighter.embedded.broker import mosquitto_program
from telemetry.alarms import AlarmType
from tests.conftest import NO_MOSQUITTO
from tests.soak.plan import Plan
from tests.soak.report import table
from tests.soak.run import soak

PLAN = Plan(minutes=1.6, devices=300, speed=60, seed=2, full=False)


@pytest.mark.skipif(mosquitto_program() is None, reason=NO_MOSQUITTO)
async def test_a_town_that_is_struck_loses_nothing_doubles_nothing_and_alarms_every_flood() -> None:
    outcome = await soak(PLAN)
    verdict = outcome.verdict
    assert outcome.good, table(outcome)
    assert verdict.believed > 3_000, "the devices have lived"
    assert outcome.record.acks_lost > 20, "and were not told all"
    assert verdict.duplicate > 500, "so that they said much again"
    assert verdict.alarmed[AlarmType.DRAIN_HIGH] > 5
    assert [what for _, what, _ in outcome.strikes] == [strike.what for strike in PLAN.strikes]


def test_a_seed_draws_the_same_town_and_the_same_strikes() -> None:
    again, other = Plan(1.6, 300, 60, 2, full=False), Plan(1.6, 300, 60, 3, full=False)
    assert again.strikes == PLAN.strikes != other.strikes
    assert [*again.city.rows()] == [*PLAN.city.rows()]
