"""The soak's record of what devices believe delivered: acknowledged, heard so, and not under way again."""

import numpy as np

from firmware_sim.firmware import Uplink
from firmware_sim.store import Kept
from telemetry import topics
from tests.soak.record import Record

MS = 1_781_067_600_000


def uplink(*moments: int, ack_lost: bool = False) -> Uplink:
    kept = tuple(Kept(b'{"ts":%d,"seq":1}' % (MS + each)) for each in moments)
    return Uplink(topics.telemetry("streetlight", "L1"), b"", kept=kept, ack_lost=ack_lost)


def test_only_what_the_device_heard_to_be_acknowledged_is_believed() -> None:
    record = Record()
    for each in (uplink(1, 2), uplink(3), uplink(4, ack_lost=True)):
        record.sent(each)
    record.taken(uplink(1, 2))
    record.taken(uplink(4, ack_lost=True))
    assert record.believed("L1").tolist() == [MS + 1, MS + 2]
    assert record.all_sent("L1").tolist() == [MS + 1, MS + 2, MS + 3, MS + 4]
    assert record.believed("L2").dtype == np.int64


def test_what_is_sent_again_is_believed_once_it_is_acknowledged_again() -> None:
    record = Record()
    record.sent(uplink(1))
    record.taken(uplink(1))
    record.sent(uplink(1))
    assert record.believed("L1").tolist() == []
    record.taken(uplink(1))
    assert record.believed("L1").tolist() == [MS + 1]
