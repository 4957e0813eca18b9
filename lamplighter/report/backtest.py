"""What a backtest found, as lines for people and as a document for programs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from rules.backtest.difference import Difference, Moved
from rules.backtest.replay import Stood
from rules.backtest.running import Plan, Tried
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, to_datetime, to_rfc3339

LISTED_MAX = 20
"""So many alarms of a sort are named in the lines; the document names all."""
METHOD = (
    "Energy is what the rules want of each lamp in % times the power it draws at full light, "
    "as far as it has shown that in the span"
)
ASSUMED = (
    "The registry is that of now. Reports and acknowledgements are those of history: "
    "no lamp answers the commands that are counted here, and no command fails."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A backtest from the question to the answer; `names` are those of the two versions, for people."""

    plan: Plan
    tried: Tried
    differs: Difference
    names: tuple[str, str]
    notes: Sequence[str]


def missing(plan: Plan, tried: Tried) -> Iterator[str]:
    """Where history does not cover the span, a sentence a kind."""
    for kind, reading in tried.readings.items():
        begins = _minute(plan.since_us - plan.warm_us, plan.timezone)
        if reading.kept_since_us is not None and reading.kept_since_us > plan.since_us - plan.warm_us:
            horizon = _minute(reading.kept_since_us, plan.timezone)
            yield f"History is missing: observations of {kind} before {horizon} have been dropped as too old."
        elif reading.first_us is None:
            yield f"There are no observations of {kind} in this span."
        elif reading.first_us > plan.since_us:
            first = _minute(reading.first_us, plan.timezone)
            yield f"The first observation of {kind} is of {first}; the span begins, with its warm-up, at {begins}."


def lines(found: Found) -> Iterator[str]:
    """For people."""
    plan, tried = found.plan, found.tried
    since, until = (_minute(each, plan.timezone) for each in (plan.since_us, plan.until_us))
    number = sum(each.observations for each in tried.readings.values())
    yield f"active     {found.names[0]}"
    yield f"candidate  {found.names[1]}"
    yield (
        f"{since} to {until} ({plan.timezone}), after a warm-up of {_span(plan.warm_us)}: {number:,} observations"
        f" in windows of {_span(tried.window_us)}"
    )
    yield from found.notes
    yield ""
    yield from _alarms(found)
    yield from _commands(found)
    yield from _light(found)
    yield ASSUMED


def document(found: Found) -> dict[str, Any]:
    """For programs; times are RFC 3339 in UTC."""
    plan, tried, differs = found.plan, found.tried, found.differs
    return {
        "from": to_rfc3339(plan.since_us),
        "to": to_rfc3339(plan.until_us),
        "warm_up_s": plan.warm_us // SECOND_US,
        "window_s": tried.window_us // SECOND_US,
        "zone": plan.zone,
        "kind": plan.kind,
        "active": tried.active.version,
        "candidate": tried.candidate.version,
        "observations": {
            kind: {
                "count": each.observations,
                "first_at": _moment(each.first_us),
                "last_at": _moment(each.last_us),
                "dropped_before": _moment(each.kept_since_us),
            }
            for kind, each in tried.readings.items()
        },
        "notes": list(found.notes),
        "alarms": {
            "new": [_stood(each) for each in differs.alarms.new],
            "gone": [_stood(each) for each in differs.alarms.gone],
            "moved": [_moved(each) for each in differs.alarms.moved],
            "same": differs.alarms.same,
        },
        "commands": differs.commands,
        "lamp_hours": differs.lamp_hours,
        "light": differs.light,
        "energy": {"method": f"{METHOD}.", **_energy(differs)},
    }


def _alarms(found: Found) -> Iterator[str]:
    differs = found.differs.alarms
    before, after = (
        Counter(each.type for each in outcome.alarms) for outcome in (found.tried.active, found.tried.candidate)
    )
    new, gone, moved = (
        Counter(types)
        for types in (
            (each.type for each in differs.new),
            (each.type for each in differs.gone),
            (each.candidate.type for each in differs.moved),
        )
    )
    if not before and not after:
        yield "No alarm stands or is raised by either."
    else:
        head = ("alarms", "active", "candidate", "new", "gone", "at another time")
        counts = [
            (kind, *map(str, (before[kind], after[kind], new[kind], gone[kind], moved[kind])))
            for kind in sorted(before.keys() | after.keys())
        ]
        yield from _table(head, counts)
    for title, told in (
        ("Only the candidate raises:", [_line(each, found.plan.timezone) for each in differs.new]),
        ("The candidate no longer raises:", [_line(each, found.plan.timezone) for each in differs.gone]),
        ("The candidate raises or clears otherwise:", [_shift(each, found.plan.timezone) for each in differs.moved]),
    ):
        if told:
            yield ""
            yield title
            yield from (f"  {each}" for each in told[:LISTED_MAX])
            if len(told) > LISTED_MAX:
                yield f"  and {len(told) - LISTED_MAX:,} more; --json names all"
    yield ""


def _commands(found: Found) -> Iterator[str]:
    total: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    zones: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in found.differs.commands:
        for counts in (total[each.reason, each.program], zones[each.zone]):
            counts[0] += each.active
            counts[1] += each.candidate
    if not total:
        yield "Neither sends a command."
        yield ""
        return
    rows = [(" ".join(filter(None, key)), *_compared(*counts)) for key, counts in sorted(total.items())]
    yield from _table(("commands", "active", "candidate", "difference"), rows)
    changed = {zone: counts for zone, counts in sorted(zones.items()) if counts[0] != counts[1]}
    if changed:
        yield ""
        rows = [(zone or "no zone", *_compared(*counts)) for zone, counts in changed.items()]
        yield from _table(("commands by zone", "active", "candidate", "difference"), rows)
    yield ""


def _light(found: Found) -> Iterator[str]:
    differs = found.differs
    if not differs.light:
        return
    rows = [
        (
            f"{each.level_pct} %",
            f"{each.active:,.1f}",
            f"{each.candidate:,.1f}",
            f"{each.candidate - each.active:+,.1f}",
        )
        for each in differs.lamp_hours
    ]
    yield from _table(("hours of lamps at", "active", "candidate", "difference"), rows)
    yield ""
    energy = _energy(differs)
    zones = [each for each in differs.light if f"{each.active_kwh:.3f}" != f"{each.candidate_kwh:.3f}"]
    drawn = [(each.zone or "no zone", *_kwh(each.active_kwh, each.candidate_kwh)) for each in zones]
    drawn.append(("all lamps", *_kwh(energy["active_kwh"], energy["candidate_kwh"])))
    yield from _table(("energy, kWh", "active", "candidate", "difference", ""), drawn)
    unknown = energy["lamps"] - energy["lamps_known"]
    left_out = f"; {unknown:,} of {energy['lamps']:,} have not, and are left out" if unknown else ""
    yield f"{METHOD}{left_out}."
    yield ""


def _energy(differs: Difference) -> dict[str, Any]:
    """The sums over all zones."""
    active, candidate = (sum(getattr(each, name) for each in differs.light) for name in ("active_kwh", "candidate_kwh"))
    return {
        "lamps": sum(each.lamps for each in differs.light),
        "lamps_known": sum(each.lamps_known for each in differs.light),
        "active_kwh": active,
        "candidate_kwh": candidate,
        "difference_pct": round(100 * (candidate - active) / active, 2) if active else None,
    }


def _kwh(active: float, candidate: float) -> tuple[str, str, str, str]:
    share = f"{100 * (candidate - active) / active:+.1f} %" if active else ""
    return f"{active:,.3f}", f"{candidate:,.3f}", f"{candidate - active:+,.3f}", share


def _compared(active: int, candidate: int) -> tuple[str, str, str]:
    return f"{active:,}", f"{candidate:,}", f"{candidate - active:+,}" if candidate != active else "none"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Aligned; numbers to the right of their names."""
    every = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    for name, *cells in every:
        figures = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *figures]).rstrip()


def _line(alarm: Stood, zone: ZoneInfo) -> str:
    end = "still standing" if alarm.cleared_us is None else f"to {_minute(alarm.cleared_us, zone)}"
    return f"{alarm.type} {alarm.asset or alarm.subject}, {_minute(alarm.raised_us, zone)} {end}"


def _shift(moved: Moved, zone: ZoneInfo) -> str:
    raised = _later("raised", moved.raised_later_us)
    if moved.cleared_later_us is None:
        cleared = "still standing" if moved.candidate.cleared_us is None else "cleared, the other not"
    else:
        cleared = _later("cleared", moved.cleared_later_us)
    name = moved.active.asset or moved.active.subject
    said = " and ".join(filter(None, (raised, cleared)))
    return f"{moved.active.type} {name} of {_minute(moved.active.raised_us, zone)}: {said}"


def _later(what: str, by_us: int) -> str:
    return f"{what} {_span(abs(by_us))} {'later' if by_us > 0 else 'earlier'}" if by_us else ""


def _span(us: int) -> str:
    """A duration in its largest units."""
    seconds = round(us / SECOND_US)
    hours, minutes = divmod(seconds // 60, 60)
    if us >= 48 * HOUR_US and not us % (24 * HOUR_US):
        return f"{hours // 24} d"
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    if us < 10 * MINUTE_US and seconds % 60:
        parts.append(f"{seconds % 60} s")
    return " ".join(filter(None, parts)) or "0 s"


def _minute(us: int, zone: ZoneInfo) -> str:
    return f"{to_datetime(us).astimezone(zone):%Y-%m-%d %H:%M}"


def _moment(us: int | None) -> str | None:
    return None if us is None else to_rfc3339(us)


def _stood(alarm: Stood) -> dict[str, Any]:
    return {
        "subject": alarm.subject,
        "asset": alarm.asset,
        "type": alarm.type,
        "severity": alarm.severity,
        "raised_at": to_rfc3339(alarm.raised_us),
        "cleared_at": _moment(alarm.cleared_us),
    }


def _moved(moved: Moved) -> dict[str, Any]:
    cleared = moved.cleared_later_us
    return {
        "active": _stood(moved.active),
        "candidate": _stood(moved.candidate),
        "raised_later_s": moved.raised_later_us / SECOND_US,
        "cleared_later_s": None if cleared is None else cleared / SECOND_US,
    }
