"""When the ledger is an alarm: a day's last check found a difference; a later one that balances ends it."""

from collections.abc import Sequence

from rules.platform_alarms import Fact
from storage import ledger
from storage.pool import Connection
from telemetry.alarms import AlarmType
from telemetry.clock import to_us


async def facts(conn: Connection) -> list[Fact]:
    """What the last checks of all days say."""
    return [judge(await ledger.differing(conn))]


def judge(differing: Sequence[ledger.Day]) -> Fact:
    """One alarm for all days that differ, named by the first; the others are counted."""
    if not differing:
        return Fact(AlarmType.LEDGER_IMBALANCE, False, {}, 0)
    day, account, check = differing[0].day, differing[0].account, differing[0].check
    assert check is not None
    assert check.differs_since is not None, "its check has found it"
    inputs = {
        "day": str(day),
        "received": account.received,
        "stored": account.stored,
        "duplicate": account.duplicate,
        "quarantined": account.quarantined,
        **check.figures(),
        "days_differing": len(differing),
    }
    why = {"inputs": inputs, "thresholds": {"difference": 0}}
    return Fact(AlarmType.LEDGER_IMBALANCE, True, why, to_us(check.differs_since))
