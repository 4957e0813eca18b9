"""Which part of a town a backtest is about: a zone, a kind, and what these look at beside themselves. Pure."""

from dataclasses import replace

from rules.city import LAMPS
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Registry
from telemetry.thresholds import Thresholds


class NothingChosen(Exception):
    """No asset in service is of this zone and kind."""


def scoped(
    registry: Registry, thresholds: tuple[Thresholds, ...], zone: str | None, kind: str | None
) -> tuple[Registry, frozenset[str] | None]:
    """The registry cut down to what matters, and the names of the assets that are chosen, `None` for all.

    Rain gauges, drains upstream, photocells and the lamps of the same cabinets are kept though they are not chosen.

    Raises:
        NothingChosen: there are none.
    """
    if zone is None and kind is None:
        return registry, None
    of_kind = {key: each for key, each in registry.assets.items() if kind is None or each.kind == kind}
    chosen = [each for each in of_kind.values() if not each.retired and zone in (None, each.zone)]
    if not chosen:
        raise NothingChosen
    names = {each.asset for each in chosen}
    needed = set(names)
    for each in chosen:
        needed |= _references(each, thresholds)
    cabinets = {_cabinet(each) for each in chosen} - {None}
    kept = {key: each for key, each in of_kind.items() if each.asset in needed or _cabinet(each) in cabinets}
    return replace(registry, assets=kept), frozenset(names)


def _references(asset: Asset, thresholds: tuple[Thresholds, ...]) -> set[str]:
    """The assets that the rules look at for this one."""
    named = {getattr(asset.attributes, name) for name in KINDS[asset.kind].wire.attributes.references}
    if asset.kind == LAMPS:
        named |= {each.photocell(asset.asset, asset.zone) for each in thresholds}
    return {name for name in named if name}


def _cabinet(asset: Asset) -> str | None:
    return getattr(asset.attributes, "cabinet", None) or None
