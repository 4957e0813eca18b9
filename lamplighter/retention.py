"""From the settings to how long data is kept."""

from lamplighter.settings import Settings
from storage.lifecycle import Ages


def ages(settings: Settings) -> Ages:
    """How long data of each kind is kept."""
    return Ages(
        raw_days=settings.raw_days,
        hourly_days=settings.hourly_days,
        compress_days=settings.compress_days,
        quarantine_days=settings.quarantine_days,
        raw_days_by_kind=settings.raw_days_by_kind,
        hourly_days_by_kind=settings.hourly_days_by_kind,
    )
