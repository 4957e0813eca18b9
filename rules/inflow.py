"""How many uplinks the broker has passed on since the start: counted while we read, reckoned on while we do not.

Pure; times are real monotonic seconds. Who does not read (its own bound is reached while the database is away) takes
the flow to go on as it was; what then comes of it is not counted twice.
"""

import math

WINDOW_S = 30.0
"""The rate is that of about the last so many seconds."""

SIZED_MAX = 10_000
"""The mean size is that of about the last so many messages."""


class Inflow:
    """`messages` and `bytes` have gone by so far."""

    def __init__(self, real_s: float) -> None:
        self._until_s = real_s
        self._rate = self._ahead = 0.0
        self._size_mean, self._sized = 0.0, 0
        self.messages = 0.0
        self.deaf = False
        """Whether we are not reading at the moment."""

    @property
    def size_mean(self) -> float:
        """Payload bytes of a message on average."""
        return self._size_mean

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self._rate

    def heard(self, messages: int, size: int, real_s: float) -> None:
        """We have read so many messages since the last look, none if none waited."""
        self.deaf = False
        passed_s, self._until_s = real_s - self._until_s, real_s
        known = min(self._ahead, messages)
        self._ahead = self._ahead - known if messages else 0.0
        self.messages += messages - known
        if messages:
            self._sized = min(self._sized + messages, SIZED_MAX)
            self._size_mean += (size / messages - self._size_mean) * min(1.0, messages / self._sized)
        if passed_s > 0:
            self._rate += (messages / passed_s - self._rate) * -math.expm1(-passed_s / WINDOW_S)

    def unheard(self, real_s: float) -> None:
        """We are not reading; the flow goes on."""
        self.deaf = True
        passed_s, self._until_s = real_s - self._until_s, real_s
        self._ahead += self._rate * passed_s
        self.messages += self._rate * passed_s
