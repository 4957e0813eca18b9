"""SQL by name: the format of the files, and that every statement says what it is for."""

from pathlib import Path

import pytest

from storage import queries

FILES = sorted(path.stem for path in (Path(queries.__file__).parent / "queries").glob("*.sql"))


def test_statements_have_names_and_lose_their_comments() -> None:
    first = "-- name: one\n-- Why it is there.\n-- And more.\nSELECT 1;\n"
    text = f"-- A preface.\n\n{first}\n-- name: two\n-- Also.\nSELECT\n2;\n"
    assert dict(queries.parse(text)) == {"one": "SELECT 1", "two": "SELECT\n2"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1;", "before the first"),
        ("-- name: one\nSELECT 1;", "one has no comment"),
        ("-- name: one\n-- Why.\n", "one is empty"),
        ("-- name: one\n-- Why.\nSELECT 1;\n-- name: one\n-- Why.\nSELECT 2;", "one is there twice"),
    ],
)
def test_a_file_that_breaks_the_format(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dict(queries.parse(text))


@pytest.mark.parametrize("file", FILES)
def test_every_file_keeps_to_the_format(file: str) -> None:
    assert queries.load(file)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        queries.load("registry")["nonsense"]
    with pytest.raises(FileNotFoundError):
        queries.load("nonsense")
