"""What the devices of drains have been asked: how often to report, and until when."""

from dataclasses import dataclass

from rules.memory import NEVER_US, Bools, Memory, NameColumn, TimeColumn


@dataclass(slots=True, eq=False)
class Sampling(Memory):
    """`command` has asked a device for a short interval until `until_us`; it is asked again from `renew_us` on.

    `earlier` is the command before it, which the device may still go by.
    """

    command: NameColumn
    earlier: NameColumn
    until_us: TimeColumn
    renew_us: TimeColumn


def forget(sampling: Sampling, other: Bools) -> None:
    """Begin anew with the drains that another device serves now."""
    sampling.command[other] = sampling.earlier[other] = ""
    sampling.until_us[other] = sampling.renew_us[other] = NEVER_US
