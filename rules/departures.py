"""Which commands the broker has taken: for the record, and so that none that has not left counts as tried."""

from collections.abc import Set

from rules.effects import Effect, MoveCommand, SendCommand


class Departures:
    """Follows commands from the decision to send them, or to send them again, to the broker's word that it has them."""

    def __init__(self) -> None:
        self._unsent: set[str] = set()
        self._since_us: dict[str, int] = {}
        self._left_us: dict[str, int] = {}

    @property
    def unsent(self) -> Set[str]:
        """The open commands that are to go out and that the broker has not taken since."""
        return self._unsent

    @property
    def unrecorded(self) -> bool:
        """Whether the broker has taken something since the last record."""
        return bool(self._since_us)

    def decided(self, effect: Effect) -> None:
        """A command is to go out, or has come into a state in which that is of no matter."""
        if isinstance(effect, SendCommand):
            self._unsent.add(effect.id)
        elif isinstance(effect, MoveCommand):
            self._unsent.discard(effect.id)

    def taken(self, command_id: str, at_us: int) -> None:
        """The broker has a command, since this moment of the city clock."""
        self._unsent.discard(command_id)
        self._since_us.setdefault(command_id, at_us)
        self._left_us[command_id] = at_us

    def for_record(self) -> dict[str, int]:
        """Since when the broker has commands that it did not have at the last record."""
        since_us, self._since_us = self._since_us, {}
        return since_us

    def for_step(self) -> dict[str, int]:
        """When commands left last, of those that left since the last step."""
        left_us, self._left_us = self._left_us, {}
        return left_us
