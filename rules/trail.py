"""What the rules decided, in the log: each alarm, and for who asks for it (`debug`) each command."""

import logging
from collections.abc import Iterable

import structlog

from rules.effects import ClearAlarm, Effect, MoveCommand, RaiseAlarm, SendCommand
from telemetry.trace import trace

_log = structlog.get_logger(__name__)


def leave(effects: Iterable[Effect]) -> None:
    """Tell of effects that are durable."""
    in_detail = _log.is_enabled_for(logging.DEBUG)
    for each in effects:
        if isinstance(each, RaiseAlarm):
            cause = trace(each.asset or each.subject, each.observed_us)
            _log.info("alarm raised", alarm=each.id, type=each.type.value, subject=each.subject, trace=cause)
        elif isinstance(each, ClearAlarm):
            _log.info("alarm cleared", alarm=each.id)
        elif in_detail and isinstance(each, SendCommand):
            wanted = None if each.cause_us is None else trace(each.asset, each.cause_us)
            wish = {"reason": str(each.reason), "again": each.again, "trace": wanted}
            _log.debug("command sent", command=each.id, asset=each.asset, device=each.device, **wish)
        elif in_detail and isinstance(each, MoveCommand):
            _log.debug("command moved", command=each.id, state=each.state.value, error=each.error)
