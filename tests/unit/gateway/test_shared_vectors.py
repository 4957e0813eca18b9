"""Published vectors of many sources: every value that is present in both agrees; known conflicts carry a verdict."""

import sys

import pytest

from tests.unit.gateway.shared_vectors import FOLDER, Difference, differences, vectors
from tests.unit.gateway.sources.conflicts import CONFLICTS

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the vectors are not at {FOLDER}: set LAMPLIGHTER_SHARED to the folder with data/"
)


def _unknown(device: str) -> list[Difference]:
    return [each for each in differences(device) if each.verdict is None]


@pytest.mark.parametrize("device", vectors())
def test_every_value_present_in_both_agrees(device: str) -> None:
    assert "\n".join(f"{each.vector} {each.path}: {each.words}" for each in _unknown(device)) == ""


def test_every_listed_conflict_is_one_still() -> None:
    found = {(each.vector, each.path) for device in vectors() for each in differences(device)}
    here = {key for key in CONFLICTS if key[0].partition("#")[0] in vectors()}
    assert sorted(here - found) == []


def test_the_rate_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """On standard error, where it is seen with several test processes too."""
    everything = [vector["id"] for device in vectors() for vector in vectors()[device]]
    differing = {each.vector for device in vectors() for each in differences(device)}
    conflicting = differing - {each.vector for device in vectors() for each in _unknown(device)}
    agreeing = len(everything) - len(differing)
    rate = 100 * agreeing / max(len(everything), 1)
    with capfd.disabled():
        print(
            f"\npublished vectors: {agreeing} of {len(everything)} agree ({rate:.1f} %) on {len(vectors())} models, "
            f"{len(conflicting)} conflict with the data sheet, {len(differing) - len(conflicting)} differ",
            file=sys.stderr,
        )
    assert everything
