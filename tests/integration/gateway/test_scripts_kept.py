"""Makers' codecs kept in the database, as `lamplighter codec` does it."""

import hashlib
from pathlib import Path

import psycopg
import pytest

from lamplighter.cli import run

GAUGE = """// SPDX-License-Identifier: Apache-2.0
const decodeUplink = ({bytes, fPort}) => ({data: {distance: bytes[0] * 256 + bytes[1], port: fPort}});
function encodeDownlink({data}) { return {bytes: [data.minutes], fPort: 7}; }
"""
MAPPING = """kind = "drain_level"
[observation]
distance_m = { from = "data.distance", unit = "mm" }
"""


@pytest.fixture(autouse=True)
def city(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    Path("acme__gauge.js").write_text(GAUGE)
    Path("gauge.toml").write_text(MAPPING)
    return database


def version(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT version FROM registry_version").fetchone()
    assert row is not None
    return int(row[0])


def test_a_codec_is_kept_with_its_hash_origin_and_licence(city: str, capfd: pytest.CaptureFixture[str]) -> None:
    sha256 = hashlib.sha256(GAUGE.encode()).hexdigest()
    before = version(city)
    origin = "https://acme.example/gauge.js"
    assert run(["codec", "add", "acme__gauge.js", "--origin", origin, "--mapping", "gauge.toml"]) == 0
    out, err = capfd.readouterr()
    assert out == f"acme/gauge is read by decodeUplink, encodeDownlink of {sha256[:12]} (Apache-2.0, {origin}).\n"
    assert err == ""
    assert version(city) > before, "running services look for it"
    with psycopg.connect(city) as connection:
        row = connection.execute("SELECT source, sha256, origin, licence, mapping, reused FROM vendor_codec").fetchone()
    assert row == (GAUGE, sha256, origin, "Apache-2.0", MAPPING, False)
    assert run(["codec", "list"]) == 0
    line = capfd.readouterr().out.splitlines()[1]
    assert line.split()[:6] == ["acme/gauge", sha256[:12], "Apache-2.0", origin, "yes", "fresh"]


def test_a_codec_needs_no_more_than_its_file(capfd: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    Path("folder/one.js").write_text("function Decoder(bytes, port) { return {level: bytes[0]}; }")
    assert run(["codec", "add", "folder/one.js"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("folder/one is read by Decoder of ")
    assert "(NOASSERTION, file one.js)" in out
    assert err.count("\n") == 1


def test_a_newer_file_takes_the_place_of_the_one_before(capfd: pytest.CaptureFixture[str]) -> None:
    run(["codec", "add", "acme__gauge.js"])
    Path("acme__gauge.js").write_text("exports.decodeUplink = () => ({data: {}});")
    capfd.readouterr()
    assert run(["codec", "add", "acme__gauge.js", "--licence", "MIT"]) == 0
    assert f"It replaces {hashlib.sha256(GAUGE.encode()).hexdigest()[:12]}." in capfd.readouterr().out
    run(["codec", "list"])
    assert len(capfd.readouterr().out.splitlines()) == 2
    assert run(["codec", "remove", "acme/gauge"]) == 0
    assert run(["codec", "remove", "acme/gauge"]) == 1


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("function decodeUplink( {", 1, "the codec cannot be read: SyntaxError"),
        ("while (true);", 1, "takes longer than 100 ms"),
        ("var x = 1;", 1, "none of decodeUplink, Decoder and Decode"),
        ("var x = '\0';", 2, "holds a NUL"),
    ],
)
def test_a_file_that_is_no_codec_is_not_kept(
    source: str, code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("acme__gauge.js").write_text(source)
    assert run(["codec", "add", "acme__gauge.js"]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    run(["codec", "list"])
    assert len(capfd.readouterr().out.splitlines()) == 1


def test_a_mapping_with_mistakes_says_them_all_and_nothing_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    Path("gauge.toml").write_text(MAPPING + 'level_m = "x"\nspeed = "y"\ntemp_c = { from = "t", unit = "kg" }\n')
    assert run(["codec", "add", "acme__gauge.js", "--mapping", "gauge.toml"]) == 2
    err = capfd.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in err] == ["Line 5", "Line 6"]
    run(["codec", "list"])
    assert len(capfd.readouterr().out.splitlines()) == 1
