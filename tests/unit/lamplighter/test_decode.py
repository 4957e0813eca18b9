"""`lamplighter decode` and `encode` as contract §2 promises them."""

import io
import json
import sys
from pathlib import Path

import pytest

from lamplighter.cli import run


def test_an_uplink(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", "bosch/tps110", "--port", "2", "--hex", "01 F4"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out) == {
        "observation": {"occupied": True, "temp_c": -12.0},
        "extra": {"message": "heartbeat"},
    }
    assert err == ""


def test_a_refused_uplink_is_json_and_a_sentence_and_code_1(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", "bosch/tps110", "--port", "3", "--hex", "01"]) == 1
    out, err = capfd.readouterr()
    assert json.loads(out) == {"refused": "undecodable", "detail": "1 bytes, where 17 are expected"}
    assert err == "Refused as undecodable: 1 bytes, where 17 are expected.\n"


def test_a_downlink(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["encode", "bosch/tps110", "--set", '{"data_rate": 3}']) == 0
    assert json.loads(capfd.readouterr().out) == {"port": 52, "fport": 52, "bytes_hex": "03"}
    assert run(["encode", "pni/placepod", "--set", '{"data_rate": 3}']) == 1
    assert json.loads(capfd.readouterr().out)["refused"] == "unencodable"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decode", "bosch/tps11", "--hex", "01"], "did you mean bosch/tps110?"),
        (["decode", "tps110", "--hex", "01"], "did you mean bosch/tps110?"),
        (["decode", "no/such", "--hex", "01"], "no codec of 'no/such'"),
        (["encode", "bosch/tps111", "--set", "{}"], "did you mean bosch/tps110?"),
        (["decode", "bosch/tps110", "--hex", "0"], "not hexadecimal"),
        (["decode", "bosch/tps110", "--hex", "0g" * 50_000], "not hexadecimal"),
        (["decode", "bosch/tps110"], "--hex"),
        (["decode"], "--batch"),
        (["decode", "bosch/tps110", "--batch", "-"], "--batch stands alone"),
        (["decode", "--batch", "/no/such/file"], "cannot be read"),
        (["encode", "bosch/tps110", "--set", "{"], "--set is no JSON"),
        (["encode", "bosch/tps110", "--set", "[" * 100_000], "--set is no JSON"),
        (["encode", "bosch/tps110", "--set", "[]"], "takes a JSON object"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert len(err) < 300


def test_a_batch_is_answered_line_for_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = [
        b'{"model": "bosch/tps110", "kind": "uplink", "fport": 1, "bytes_hex": "01"}',
        b'{"model": "bosch/tps110", "kind": "downlink-encode", "input": {"data": {"data_rate": 3}, "fPort": 52}}',
        b'{"model": "bosch/tps110", "kind": "downlink-decode", "fport": 52, "bytes_hex": "03"}',
        b'{"model": "pni/placepod", "fport": null, "bytes_hex": "156601"}',
        b'{"model": "bosch/tps110", "kind": "uplink", "fport": 42, "bytes_hex": "01"}',
        b'{"model": "bosch/tps110", "fport": true, "bytes_hex": "01"}',
        b'{"model": "bosch/tps110", "fport": 1, "bytes_hex": "0"}',
        b'{"model": "pni/placepod", "bytes_hex": "' + b"00" * 5_000_000 + b'"}',
        b'{"model": "pni/placepod"}',
        b'{"model": "no/such", "bytes_hex": "00"}',
        b'{"model": "bosch/tps110", "kind": "sideways", "bytes_hex": "00"}',
        b'{"model": "bosch/tps110", "kind": "downlink-encode", "input": 7}',
        b"",
        b"\xff\xfe",
        b'{"model": "\xff"}',
        b"[" * 100_000,
        b"7",
    ]
    file = tmp_path / "batch.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    assert run(["decode", "--batch", str(file)]) == 0
    answers = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert len(answers) == len(lines)
    assert answers[0]["observation"] == {"occupied": True}
    assert answers[1] == {"port": 52, "fport": 52, "bytes_hex": "03"}
    assert answers[2] == {"observation": {}, "extra": {"data_rate": 3}, "input": {"data_rate": 3}}
    assert answers[3]["observation"] == {"occupied": True}
    assert [each["refused"] for each in answers[4:]] == [
        *["undecodable", "wrong_type", "undecodable", "undecodable", "wrong_type", "unknown_model", "wrong_type"],
        *["wrong_type", "malformed_json", "malformed_json", "malformed_json", "malformed_json", "not_an_object"],
    ]
    assert all(each["detail"] and len(each["detail"]) < 300 for each in answers[4:])


def test_a_batch_comes_from_standard_input_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = b'{"model": "BOSCH/TPS110", "kind": "uplink", "fport": 1, "bytes_hex": "00"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    assert run(["decode", "--batch", "-"]) == 0
    assert json.loads(capfd.readouterr().out)["observation"] == {"occupied": False}
