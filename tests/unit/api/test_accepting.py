"""What a client takes: weights, wildcards, and a weight of nothing."""

import pytest

from api.accepting import prefers, takes_gzip


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.8, *;q=0.1", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("gzip;q=0.001", True),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip", True),
    ],
)
def test_gzip_is_for_who_takes_it(header: str, taken: bool) -> None:
    assert takes_gzip(header) is taken


@pytest.mark.parametrize(
    ("header", "csv"),
    [
        ("", False),
        ("*/*", False),
        ("text/html, */*;q=0.8", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/csv, */*;q=0.1", True),
        ("text/csv, */*", True),
        ("text/*", True),
        ("text/csv;q=0", False),
        ("text/csv; q=0.0, */*", False),
        ("text/csv;q=0.5, application/json", False),
        ("application/json;q=0.5, text/csv", True),
        ("application/json;q=0, */*", True),
        ("application/json, text/csv", False),
        ("application/json;q=0, text/csv;q=0", False),
    ],
)
def test_csv_is_for_who_would_rather_have_it_than_json(header: str, csv: bool) -> None:
    assert prefers("text/csv", header, usual="application/json") is csv
