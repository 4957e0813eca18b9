"""Changes in lots for one statement each."""

from hypothesis import given
from hypothesis import strategies as st

from storage.lots import lots

changes = st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=30)


@given(changes)
def test_a_lot_holds_each_thing_once(given_changes: list[tuple[str, int]]) -> None:
    for lot in lots(given_changes, lambda change: change[0]):
        assert len({thing for thing, _ in lot}) == len(lot) > 0


@given(changes)
def test_the_changes_of_one_thing_stay_in_order(given_changes: list[tuple[str, int]]) -> None:
    told = [change for lot in lots(given_changes, lambda change: change[0]) for change in lot]
    for thing in "abc":
        assert [each for each in told if each[0] == thing] == [each for each in given_changes if each[0] == thing]
