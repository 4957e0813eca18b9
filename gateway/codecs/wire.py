"""Reading a payload from front to back: each step takes what it names, or refuses with the place where it is cut."""

from gateway.codecs.codec import Undecodable


class Cursor:
    """A place in a payload that only moves forward. Every method but `left` raises `Undecodable` past the end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise Undecodable(f"cut short: {count} bytes expected at byte {self._at}, {self.left} are left")
        begin, self._at = self._at, self._at + count
        return self._data[begin : self._at]

    def unsigned(self, count: int = 1, *, little: bool = False) -> int:
        """An unsigned integer of `count` bytes, most significant first unless `little`."""
        return int.from_bytes(self.take(count), "little" if little else "big")

    def signed(self, count: int = 1, *, little: bool = False) -> int:
        """An integer of `count` bytes in two's complement, most significant first unless `little`."""
        return int.from_bytes(self.take(count), "little" if little else "big", signed=True)

    def end(self) -> None:
        """Refuse bytes that are left over."""
        if self.left:
            raise Undecodable(f"{self.left} bytes too many after byte {self._at}")


def exactly(data: bytes, *lengths: int) -> None:
    """Refuse a payload of any other length than these."""
    if len(data) not in lengths:
        raise Undecodable(f"{len(data)} bytes, where {' or '.join(map(str, lengths))} are expected")
