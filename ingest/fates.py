"""What became of the observations of one transaction."""

from collections import Counter
from dataclasses import dataclass, field

from telemetry.refusals import Reason


@dataclass(slots=True)
class Fates:
    """`received` = all `stored` + `duplicate` + all `quarantined`; `stored` is by kind, `quarantined` by reason.

    `conflicting` are those of the `duplicate` whose values differ from the stored row, `unkept` those of the
    `quarantined` whose bytes are not kept.
    """

    received: int = 0
    stored: Counter[str] = field(default_factory=Counter)
    duplicate: int = 0
    quarantined: Counter[Reason] = field(default_factory=Counter)
    conflicting: int = 0
    unknown_fields: int = 0
    unkept: int = 0
    replayed: int = 0

    @property
    def without_fate(self) -> int:
        """Received less all fates: 0, or something was lost (above) or given two fates (below)."""
        return self.received - self.stored.total() - self.duplicate - self.quarantined.total()

    @property
    def account(self) -> dict[str, int]:
        """The row that is added to the ledger's day."""
        return {
            "received": self.received,
            "stored": self.stored.total(),
            "duplicate": self.duplicate,
            "quarantined": self.quarantined.total(),
            "conflicting": self.conflicting,
            "unknown_fields": self.unknown_fields,
            "unkept": self.unkept,
            "replayed": self.replayed,
        }
