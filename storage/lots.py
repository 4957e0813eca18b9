"""Changes that one statement cannot make at once, because they are about the same thing one after the other."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

Change = TypeVar("Change")


def lots(changes: Sequence[Change], about: Callable[[Change], Hashable]) -> Iterator[list[Change]]:
    """The changes in lots that hold each thing once; those about one thing stay in order."""
    found: list[list[Change]] = []
    seen: dict[Hashable, int] = {}
    for each in changes:
        thing = about(each)
        place = seen[thing] = seen.get(thing, -1) + 1
        if place == len(found):
            found.append([])
        found[place].append(each)
    yield from found
