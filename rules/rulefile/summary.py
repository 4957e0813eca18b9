"""What a rule file comes to, in a few lines: what is not as usual, and who has figures of their own."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from telemetry.figures import spelled
from telemetry.thresholds import DimmingProgram, Thresholds

_NAMED_MAX = 12


def summary(thresholds: Thresholds) -> Iterator[str]:
    """Lines for people."""
    programs = ", ".join(_program(each) for each in thresholds.lighting.programs)
    yield f"programs: {programs}; usually {thresholds.lighting.program}"
    calendars = ", ".join(f"{name} ({_counted(len(each.days), 'date')})" for name, each in thresholds.calendars.items())
    yield f"calendars: {calendars or 'none'}"
    differing = list(_differing(thresholds))
    yield f"figures that are not as usual: {_some(differing)}"
    for group in ("zones", "assets"):
        owners = getattr(thresholds, group)
        if owners:
            yield f"{group} with figures of their own: {_some(sorted(owners))}"
    parking = thresholds.parking
    if parking.hours or parking.closures:
        closures = ", ".join(each.name for each in parking.closures) or "none"
        zones = sorted({zone for each in parking.hours for zone in each.zones})
        yield f"parking: opening hours of {_some(zones)}; closures: {closures}"
    told = thresholds.notifications
    sinks = _counted(len(told.sinks), "sink")
    yield f"notifications: {_counted(len(told.routes), 'route')} to {sinks} ({_some(sorted(told.sinks))})"


def _program(program: DimmingProgram) -> str:
    return f"{program.name} ({_counted(len(program.steps), 'step')})"


def _counted(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _differing(thresholds: Thresholds) -> Iterator[str]:
    usual = Thresholds()
    for section in fields(Thresholds):
        held, normal = getattr(thresholds, section.name), getattr(usual, section.name)
        for each in fields(held) if is_dataclass(held) else ():
            now, before = getattr(held, each.name), getattr(normal, each.name)
            if now != before and isinstance(now, bool | int | float | str):
                yield f"{section.name}.{each.name} {_shown(now)} (else {_shown(before)})"


def _shown(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else spelled(value)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return (", ".join(names[:_NAMED_MAX]) + more) or "none"
