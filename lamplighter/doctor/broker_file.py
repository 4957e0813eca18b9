"""What a Mosquitto's own configuration says: some of it cannot be seen from outside, above all what survives a restart.

Source: mosquitto.conf(5).
"""

from collections.abc import Iterator
from pathlib import Path

from gateway.broker_rules import AUTOSAVE_S
from lamplighter.doctor.findings import Finding, note, ok, wrong
from rules.soundings import QueueBound

PASSWORDS, ACCESS = "password_file", "acl_file"
"""The files that it names besides."""
_DEFAULTS = {
    "persistence": "false",
    "autosave_interval": "1800",
    "autosave_on_changes": "false",
    "max_queued_messages": "1000",
    "max_queued_bytes": "0",
}
_UNLIMITED = "0"
_YES = ("true", "1")


def unseen() -> Finding:
    """What to say where no file is named."""
    return note(
        "broker",
        "Whether its queues outlive its restart cannot be seen from outside: name its configuration with "
        "`--broker-config FILE`, or see that it has `persistence true`.",
    )


def examine(path: Path, bound: QueueBound) -> Iterator[Finding]:
    """Look at a configuration file and what it includes; `bound` is what our settings say of its queues."""
    try:
        said = _DEFAULTS | dict(_read(path))
    except (OSError, UnicodeDecodeError) as error:
        yield wrong("broker", f"Its configuration {path} cannot be read ({error}): name one that can.")
        return
    findings = [*_over_a_restart(said), *_bounds(said, bound)]
    yield from findings or [
        ok("broker", f"{path} lets its queues outlive a restart, and bounds them as our settings say.")
    ]


def said(path: Path) -> dict[str, str]:
    """What a configuration file says, its own defaults beside; nothing where it cannot be read."""
    try:
        return _DEFAULTS | dict(_read(path))
    except (OSError, UnicodeDecodeError):
        return {}


def _over_a_restart(said: dict[str, str]) -> Iterator[Finding]:
    if said["persistence"] not in _YES:
        yield wrong("broker", "A restart of the broker loses all that waits in its queues: set `persistence true`.")
    elif said["autosave_on_changes"] not in _YES and not 0 < _number(said["autosave_interval"]) <= AUTOSAVE_S:
        yield wrong(
            "broker",
            f"If it dies, the broker loses up to {said['autosave_interval']} s of what it acknowledged (0: all), and "
            f"devices resend 60 s: set `autosave_interval {AUTOSAVE_S}`.",
        )
    if "persistent_client_expiration" in said:
        yield note(
            "broker",
            "The broker forgets the queue of a service that is away for longer than "
            f"{said['persistent_client_expiration']} (`persistent_client_expiration`).",
        )


def _bounds(said: dict[str, str], bound: QueueBound) -> Iterator[Finding]:
    for name, wanted, setting in (
        ("max_queued_messages", bound.messages, "LAMPLIGHTER_BROKER_QUEUE_MESSAGES"),
        ("max_queued_bytes", bound.bytes, "LAMPLIGHTER_BROKER_QUEUE_BYTES"),
    ):
        if said[name] != _UNLIMITED and _number(said[name]) < wanted:
            yield wrong(
                "broker",
                f"The broker drops beyond `{name} {said[name]}`, and {setting} says {wanted}: raise the one, or lower "
                "the other so that the alarm comes in time.",
            )


def _read(path: Path, may_include: bool = True) -> Iterator[tuple[str, str]]:
    """Each setting of the file, then of those it includes, in their order; an included one includes no others."""
    included: list[Path] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "include_dir" and may_include:
            included += sorted(Path(value.strip()).glob("*.conf"))
        elif name and not name.startswith("#"):
            yield name, value.strip()
    for each in included:
        yield from _read(each, may_include=False)


def _number(value: str) -> int:
    """A count, −1 where it is none."""
    return int(value) if value.isdecimal() else -1
