"""So many reports in a row: what turns a tally, and what does not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules import tally
from rules.tally import Enough, Tally

RAISES, CLEARS, NEITHER = 1, -1, 0


def turns(reports: list[int], to_raise: int, to_clear: int) -> list[int]:
    """After which reports of one asset the tally turned."""
    memory, row = Tally.blank(1), np.array([0])
    enough = Enough(np.array([float(to_raise)]), np.array([float(to_clear)]))
    found = []
    for at, said in enumerate(reports):
        says = np.array([said])
        turned = tally.observe(memory, row, np.array([at]), says * 1.0, says == RAISES, says == CLEARS, enough)
        found += turned.at_us.tolist()
    return found


def expected(reports: list[int], to_raise: int, to_clear: int) -> list[int]:
    """The same, said plainly."""
    found: list[int] = []
    raised, row = False, 0
    for at, said in enumerate(reports):
        if said != NEITHER:
            row = row + 1 if said == (CLEARS if raised else RAISES) else 0
        if said != NEITHER and row == (to_clear if raised else to_raise):
            raised, row = not raised, 0
            found.append(at)
    return found


@given(st.lists(st.sampled_from([RAISES, CLEARS, NEITHER]), max_size=40), st.integers(1, 4), st.integers(1, 4))
def test_it_turns_by_so_many_reports_in_a_row_and_by_nothing_else(
    reports: list[int], to_raise: int, to_clear: int
) -> None:
    assert turns(reports, to_raise, to_clear) == expected(reports, to_raise, to_clear)


def test_the_cause_is_the_first_report_of_those_that_raised_it() -> None:
    memory, row, enough = Tally.blank(1), np.array([0]), Enough(np.array([2.0]), np.array([1.0]))
    for at, raises in ((1, True), (2, False), (3, True), (4, True)):
        says = np.array([raises])
        tally.observe(memory, row, np.array([at]), np.array([float(at)]), says, ~says, enough)
    assert (memory.active[0], memory.cause_us[0], memory.value[0]) == (True, 3, 3.0)
