"""What became of each observation, in the log of who asks for it (`debug`); it costs nothing where nobody does."""

import logging

import structlog

from ingest.fates import Fates
from ingest.parcel import Parcel
from telemetry.registry import Registry
from telemetry.trace import trace

_log = structlog.get_logger(__name__)


def leave(parcel: Parcel, fates: Fates, registry: Registry) -> None:
    """Tell of a parcel that is durable. Of its rows some may have been there already: then they are told once more."""
    if not _log.is_enabled_for(logging.DEBUG):
        return
    for kind, rows in parcel.rows.items():
        columns = rows.columns
        for asset_id, observed_us in zip(columns.asset_id.tolist(), columns.observed_us.tolist(), strict=True):
            asset = registry.assets.get(asset_id)
            name = trace(asset.asset if asset else f"#{asset_id}", observed_us)
            _log.debug("observation durable", trace=name, kind=kind)
    for each in parcel.refused:
        _log.debug(
            "observation refused",
            topic=each.topic,
            device=each.device,
            reason=each.reason.value,
            detail=each.detail,
            digest=each.digest.hex(),
        )
    if fates.duplicate:
        _log.debug("of these were there already", duplicate=fates.duplicate)
