"""Makers' codecs in every published form, and what they find in their context."""

import asyncio
import base64
import io
import json
import random
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.codecs.codec import Downlink, Unencodable
from gateway.scripts.answers import answered_all
from gateway.scripts.mapping_file import understand
from gateway.scripts.vendor import VendorCodec, value_of
from lamplighter.cli import run

BYTES = bytes.fromhex("04d2ff9c4048f5c3")


async def uplink(source: str, data: bytes = BYTES, port: int | None = 5) -> Any:
    codec = VendorCodec(source)
    try:
        return value_of(await codec.uplink(port, data))
    finally:
        await codec.close()


ALLIANCE = (
    "return {data: {level: (input.bytes[0] << 8) | input.bytes[1], port: input.fPort}, warnings: [], errors: []};"
)
FORMS = {
    "decodeUplink": f"function decodeUplink(input) {{ {ALLIANCE} }}",
    "const decodeUplink": f"const decodeUplink = (input) => {{ {ALLIANCE} }};",
    "let decodeUplink": f"let decodeUplink = function (input) {{ {ALLIANCE} }}",
    "exports.decodeUplink": f"'use strict'; exports.decodeUplink = function (input) {{ {ALLIANCE} }};",
    "module.exports": f"module.exports = {{ decodeUplink(input) {{ {ALLIANCE} }} }};",
    "driver": f"var driver = {{ decodeUplink: function (input) {{ {ALLIANCE} }} }};",
    "const driver": f"const driver = {{ decodeUplink(i) {{ return this.read(i); }}, read(input) {{ {ALLIANCE} }} }};",
    "it goes before others": f"function Decode() {{ return 1; }} function decodeUplink(input) {{ {ALLIANCE} }}",
    "a comment at the end": f"function decodeUplink(input) {{ {ALLIANCE} }} // end",
}


@pytest.mark.parametrize("name", FORMS)
async def test_the_alliances_form(name: str) -> None:
    assert await uplink(FORMS[name]) == {"data": {"level": 1234, "port": 5}, "warnings": [], "errors": []}


@pytest.mark.parametrize(
    "source",
    [
        "function Decoder(bytes, port) { return {n: bytes.length, port: port}; }",
        "function Decode(fPort, bytes, variables) { return {n: bytes.length, port: fPort}; }",
        "function Decode(fPort, bytes) { return {n: bytes.length, port: fPort}; } var Decoder = 1;",
        "exports.Decoder = (bytes, port) => ({n: bytes.length, port});",
        "driver = {Decode: (fPort, bytes) => ({n: bytes.length, port: fPort})};",  # sloppy: a name that nobody declared
    ],
)
async def test_older_forms(source: str) -> None:
    assert await uplink(source) == {"n": 8, "port": 5}


async def test_a_port_that_is_not_known_is_undefined_and_variables_come_from_the_mapping() -> None:
    mapping = understand('kind = "drain_level"\n[observation]\nlevel_m = "level"\n[variables]\noffset = 1.5\n')
    codec = VendorCodec("function Decode(p, b, v) { return {level: b[0] + v.offset, p: typeof p}; }", mapping)
    try:
        assert value_of(await codec.uplink(None, b"\x02")) == {"level": 3.5, "p": "undefined"}
        assert (await codec.decode(None, b"\x02")).observation == {"level_m": 3.5}
    finally:
        await codec.close()


async def test_downlinks_both_ways() -> None:
    codec = VendorCodec("""
        function encodeDownlink(input) {
            if (input.command > 3 || input.data.minutes > 255) return {errors: ["too long"]};
            return {bytes: [1, input.data.minutes], fPort: 9, warnings: []};
        }
        function decodeDownlink(input) { return {data: {minutes: input.bytes[1]}}; }""")
    try:
        assert await codec.encode({"minutes": 10}) == Downlink(9, b"\x01\x0a")
        assert await codec.encode({"data": {"minutes": 10}}) == Downlink(9, b"\x01\x0a")
        with pytest.raises(Unencodable, match="too long"):
            await codec.encode({"command": 4, "data": {"minutes": 1}})
        assert value_of(await codec.read_back(9, b"\x01\x0a")) == {"data": {"minutes": 10}}
        with pytest.raises(Unencodable, match="too long"):
            await codec.encode({"minutes": 256})
    finally:
        await codec.close()


@pytest.mark.parametrize(
    ("source", "downlink"),
    [
        ("function Encoder(object, port) { return [object.on ? 1 : 0]; }", Downlink(1, b"\x01")),
        ("function Encode(fPort, object) { return Buffer.from('07', 'hex'); }", Downlink(1, b"\x07")),
        ("function encodeDownlink() { return {bytes: [256], fPort: 1}; }", "no list of bytes"),
        ("function encodeDownlink() { return {bytes: 'ff', fPort: 1}; }", "no list of bytes"),
        ("function encodeDownlink() { return {bytes: [1], fPort: 0}; }", "no port from 1 to 223"),
        ("var x", "none of the functions"),
    ],
)
async def test_older_and_odd_downlinks(source: str, downlink: Downlink | str) -> None:
    codec = VendorCodec(source)
    try:
        if isinstance(downlink, Downlink):
            assert await codec.encode({"on": True}) == downlink
        else:
            with pytest.raises(Unencodable, match=downlink):
                await codec.encode({"on": True})
    finally:
        await codec.close()


BUFFER = {
    "b.readUInt16BE(0)": 0x04D2,
    "b.readUInt16LE(0)": 0xD204,
    "b.readUint16BE(0)": 0x04D2,
    "b.readInt16BE(2)": -100,
    "b.readInt8(2)": -1,
    "b.readUInt8()": 4,
    "b.readUInt32BE(0)": 0x04D2FF9C,
    "b.readInt32LE(0)": struct.unpack("<i", BYTES[:4])[0],
    "b.readFloatBE(4).toFixed(2)": "3.14",
    "b.readUIntBE(0, 3)": 0x04D2FF,
    "b.readIntLE(1, 3)": int.from_bytes(BYTES[1:4], "little", signed=True),
    "b.toString('hex')": BYTES.hex(),
    "b.toString('base64')": base64.b64encode(BYTES).decode(),
    "b.toString('hex', 1, 3)": "d2ff",
    "b.slice(1, 3).length": 2,
    "b.slice(1, 3)[0]": 0xD2,
    "Buffer.from('04d2zz', 'hex').length": 2,
    "Buffer.from('BNL/', 'base64').toString('hex')": "04d2ff",
    "Buffer.from('grün').toString('hex')": "grün".encode().hex(),
    "Buffer.from('grün').toString()": "grün",
    "Buffer.from([0x41, 0xc2]).toString('ascii')": "AB",
    "new Buffer('4142', 'hex').toString()": "AB",
    "Buffer.concat([Buffer.from([1]), Buffer.alloc(2)]).length": 3,
    "Buffer.isBuffer(b) && b instanceof Uint8Array": True,
    "(function () { var w = Buffer.alloc(4); w.writeUInt16BE(258, 1); return w.toString('hex'); })()": "00010200",
    "(function () { try { b.readUInt16BE(7); } catch (e) { return e.name; } })()": "RangeError",
    "atob('QUI=') + btoa('AB')": "ABQUI=",
    "console.log(new Array(1e6)) === undefined && console.table === console.warn": True,
}


async def test_buffer_console_and_base64() -> None:
    codec = VendorCodec(
        "function Decoder(bytes) { var b = Buffer.from(bytes); return {"
        + ", ".join(f"{json.dumps(name)}: {name}" for name in BUFFER)
        + "}; }"
    )
    try:
        assert value_of(await codec.uplink(1, BYTES)) == BUFFER
    finally:
        await codec.close()


async def test_many_codecs_and_messages_at_once_get_their_own_answers() -> None:
    codecs = [VendorCodec(f"function Decoder(b) {{ return [{n}, b[0]]; }}") for n in range(3)]
    try:
        asked = [(n, i) for n in range(3) for i in range(30)]
        answers = await asyncio.gather(*(codecs[n].uplink(1, bytes([i])) for n, i in asked))
        assert [tuple(value_of(each)) for each in answers] == asked
    finally:
        for each in codecs:
            await each.close()


async def test_whatever_a_line_holds_is_answered_by_one_line() -> None:
    chance = random.Random(20261123)
    good = b'{"kind": "uplink", "fport": 5, "bytes_hex": "04d2", "input": {"data": [1e9, null, "\\ud800"]}}'
    lines = []
    for _ in range(400):
        line = bytearray(good.replace(b"uplink", chance.choice([b"uplink", b"downlink-encode", b"downlink-decode"])))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(line))
            line[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        lines.append(bytes(line))
    lines += [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind":"downlink-encode","input":' + b'{"a":' * 900 + b"1" + b"}" * 901,
    ]
    codec = VendorCodec("function decodeUplink(i) { return i; } function encodeDownlink(i) { return i; }")
    try:
        answers = [json.loads(each) async for each in answered_all(codec, lines)]
    finally:
        await codec.close()
    assert len(answers) == len(lines)
    assert all(isinstance(each, dict) for each in answers)


# The command line, to the letter of contract §2.


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "codec.js"
    path.write_text(FORMS["decodeUplink"])
    return str(path)


def test_run_prints_the_codecs_own_output(file: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["codec", "run", file, "--port", "5", "--hex", "04 D2"]) == 0
    out, err = capfd.readouterr()
    assert out == '{"data":{"level":1234,"port":5},"warnings":[],"errors":[]}\n'
    assert err == ""


def test_run_with_a_mapping_prints_our_fields(file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "codec.toml"
    mapping.write_text('kind = "drain_level"\n[observation]\nlevel_m = { from = "data.level", unit = "mm" }\n')
    assert run(["codec", "run", file, "--port", "5", "--hex", "04D2", "--mapping", str(mapping)]) == 0
    assert json.loads(capfd.readouterr().out) == {"observation": {"level_m": 1.234}, "extra": {}}


def test_a_batch_is_answered_line_by_line(
    file: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        '{"model": "x/y", "kind": "uplink", "fport": 5, "bytes_hex": "04d2"}',
        '{"bytes_hex": "04d3"}',
        '{"kind": "downlink-encode", "input": {"a": 1}}',
        '{"kind": "downlink-encode"}',
        '{"bytes_hex": "0g"}',
        '{"bytes_hex": "%s"}' % ("00" * 256),
        '{"bytes_hex": "00", "fport": 256}',
        '{"kind": "x"}',
        "[]",
        "{",
        '{"kind": "downlink-encode", "input": {"a": "%s"}}' % ("x" * 70_000),
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode())))
    assert run(["codec", "run", file, "--batch", "-"]) == 0
    answers = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [each["data"] for each in answers[:2]] == [{"level": 1234, "port": 5}, {"level": 1235}]
    assert [each["refused"] for each in answers[2:]] == [
        "unencodable", "wrong_type", "wrong_type", "undecodable", "wrong_type", "wrong_type", "not_an_object",
        "malformed_json", "unencodable",
    ]  # fmt: skip


def test_a_refused_message_is_json_and_a_sentence_and_code_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "codec.js"
    path.write_text("function decodeUplink() { null.x; }")
    assert run(["codec", "run", str(path), "--port", "1", "--hex", ""]) == 1
    out, err = capfd.readouterr()
    assert json.loads(out)["refused"] == "undecodable"
    assert err.startswith("Refused as undecodable: the codec failed: TypeError: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/such/file", "--hex", "00"], "cannot be read"),
        (["FILE"], "Either --hex is needed, or --batch"),
        (["FILE", "--hex", "0"], "not hexadecimal"),
        (["FILE", "--hex", "00", "--batch", "-"], "--batch goes alone"),
        (["FILE", "--batch", "/no/such/file"], "cannot be read"),
        (["FILE", "--hex", "00", "--port", "256"], "--port"),
    ],
)
def test_wrong_usage_is_one_sentence(
    arguments: list[str], words: str, file: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["codec", "run", *(file if each == "FILE" else each for each in arguments)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
