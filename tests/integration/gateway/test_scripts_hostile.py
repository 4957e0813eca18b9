"""Hostile codecs: each is refused with its reason, and its neighbours, before and behind it, go on.

A codec here is well-behaved (`{"sum": …}`) but for messages whose first byte is 66.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.codecs.codec import Undecodable
from gateway.scripts.bounds import SOURCE_BYTES_MAX
from gateway.scripts.sandbox import FORKED_CHARACTERS_MIN, ScriptFault
from gateway.scripts.vendor import BadSource, VendorCodec, source_text, value_of

HOSTILE = 66
ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def codec(body: str, before: str = "", *, reuse: bool = False, size: int = 0) -> AsyncIterator[VendorCodec]:
    """A codec that runs `body` for a hostile message, with a file of at least `size` characters."""
    source = f"""
        {"// padding" + "." * size if size else ""}
        {before}
        function decodeUplink(input) {{
            if (input.bytes[0] === {HOSTILE}) {{ {body} }}
            var sum = 0;
            for (var i = 0; i < input.bytes.length; i++) sum += input.bytes[i];
            return {{data: {{sum: sum}}}};
        }}"""
    vendor = VendorCodec(source, reuse=reuse)
    try:
        yield vendor
    finally:
        await vendor.close()


async def answer(vendor: VendorCodec, *octets: int) -> object:
    """What comes of a message: the codec's output, or the word for its fault."""
    try:
        return value_of(await vendor.uplink(1, bytes(octets)))
    except ScriptFault as fault:
        return fault.fault
    except Undecodable:
        return "unreadable"


async def among_neighbours(vendor: VendorCodec) -> object:
    """What comes of a hostile message whose neighbours are well."""
    before, hostile, behind = await asyncio.gather(answer(vendor, 1, 2), answer(vendor, HOSTILE), answer(vendor, 3, 4))
    assert before == {"data": {"sum": 3}}
    assert behind == {"data": {"sum": 7}}
    return hostile


REFUSED = {
    "an endless loop": ("while (true);", {"time"}),
    "a loop that catches everything": ("for (;;) { try { while (true); } catch (e) {} }", {"time"}),
    "a regular expression that backtracks": ("/^(a+)+$/.test('a'.repeat(60) + '!')", {"time"}),
    "a native call that is never interrupted": ("'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')", {"time"}),
    "waiting for a clock": ("var t = Date.now(); while (Date.now() - t < 60000);", {"time"}),
    "a string that doubles": ("var s = 'x'; while (true) { s += s; s.charCodeAt(9) }", {"memory", "threw"}),
    "an array that grows": ("var a = []; while (true) a.push(new Array(1000).fill(a));", {"memory"}),
    "a huge typed array": ("new Uint8Array(1e9)", {"memory", "threw"}),
    "many typed arrays": ("var a = []; while (true) a.push(new Float64Array(1e5));", {"memory"}),
    "a generator without end": (
        "[...(function* () { while (true) yield 'x' + Math.random(); })()]",
        {"memory", "time"},
    ),
    "deep recursion": ("(function f() { return f() + f(); })()", {"stack"}),
    "deep recursion through the engine": ("var o = {get a() { return `${this.a}`; }}; o.a", {"stack"}),
    "an answer nested too deeply": (
        "var a = []; for (var i = 0; i < 20000; i++) a = [a]; return a;",
        {"stack", "unreadable"},
    ),
    "a huge answer": ("return 'x'.repeat(70000);", {"output"}),
    "an answer that holds itself": ("var a = {}; a.a = a; return a;", {"threw"}),
    "an answer that JSON cannot say": ("return 10n;", {"threw"}),
    "a function as answer": ("return function () {};", {"nothing"}),
    "a promise that never settles": ("return new Promise(function () {});", {"promise"}),
    "an answer with endless traps": (
        "return new Proxy({}, {ownKeys: function () { while (true); }, get: function () { while (true); }});",
        {"time"},
    ),
    "toJSON without end": ("return {toJSON: function () { while (true); }};", {"time"}),
    "code made from text": ("new Function('while (true);')()", {"time"}),
    "code made from text once more": ("eval('while (true);')", {"time"}),
    "something thrown that has no words": (
        "throw {get message() { throw 1; }, get name() { throw this; }};",
        {"threw"},
    ),
    "something thrown whose words have no end": ("throw {toString: 1, get name() { while (true); }};", {"time"}),
    "a symbol thrown": ("throw Symbol('x');", {"threw"}),
    "nothing thrown": ("throw undefined;", {"threw"}),
    "a module from outside": ("return import('std');", {"promise"}),
    "a trap for its neighbour": ("setTimeout(function () {}, 1)", {"threw"}),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_hostile_message_is_refused_and_its_neighbours_go_on(name: str) -> None:
    body, faults = REFUSED[name]
    async with codec(body) as vendor:
        began_s = time.monotonic()
        assert await among_neighbours(vendor) in faults
        assert time.monotonic() - began_s < 20  # a busy machine; alone it takes a third of a second


LARGE = (
    "a loop that catches everything",
    "a native call that is never interrupted",
    "an array that grows",
    "deep recursion",
    "a huge answer",
    "a promise that never settles",
)


@pytest.mark.parametrize("name", LARGE)
async def test_a_hostile_message_of_a_large_codec_is_refused_and_costs_no_process(name: str) -> None:
    body, faults = REFUSED[name]
    async with codec(body, size=FORKED_CHARACTERS_MIN) as vendor:
        assert await among_neighbours(vendor) in faults
        assert vendor.sandbox.deaths == 0


async def test_a_message_leaves_no_state_behind_in_a_large_codec() -> None:
    async with codec("JSON = null; return ++seen;", before="var seen = 0;", size=FORKED_CHARACTERS_MIN) as vendor:
        assert [await answer(vendor, HOSTILE) for _ in range(3)] == [1, 1, 1]


TAMPERED = {
    "Object": "Object.prototype.toJSON = function () { return 'taken'; }; "
    "Object.defineProperty(Object.prototype, 'data', {get: function () { return 1; }, set: function () {}});",
    "Array": "Array.prototype.toJSON = function () { return 1; }; Array.prototype[Symbol.iterator] = null; "
    "Object.defineProperty(Array.prototype, 0, {get: function () { return 66; }, set: function () {}});",
    "JSON and Reflect": "JSON.stringify = function () { return '{}'; }; JSON.parse = null; "
    "Reflect.apply = null; JSON = 1;",
    "Function and String": "Function.prototype.call = Function.prototype.apply = null; String = null; "
    "String.prototype.slice = function () { return {}; };",
    "the global object": "globalThis.decodeUplink = function () { return 1; }; "
    "delete globalThis.Math; left = 'behind';",
    "names of its own": "decodeUplink = function () { return 1; }; exports.decodeUplink = decodeUplink;",
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_what_a_message_tampers_with_is_whole_for_the_next(name: str) -> None:
    async with codec(TAMPERED[name] + " return {data: {}};") as vendor:
        await among_neighbours(vendor)
        assert await answer(vendor, 1, 2) == {"data": {"sum": 3}}


async def test_a_message_leaves_no_state_behind() -> None:
    async with codec("return ++seen;", before="var seen = 0;") as vendor:
        assert [await answer(vendor, HOSTILE) for _ in range(3)] == [1, 1, 1]


async def test_a_codec_that_is_reused_keeps_its_state_until_it_fails() -> None:
    async with codec("if (input.bytes[1]) throw 1; return ++seen;", before="var seen = 0;", reuse=True) as vendor:
        assert [await answer(vendor, HOSTILE) for _ in range(3)] == [1, 2, 3]
        assert await answer(vendor, HOSTILE, 1) == "threw"
        assert await answer(vendor, HOSTILE) == 1


async def test_a_codec_that_is_reused_and_leaks_begins_anew() -> None:
    body = "kept.push(new Float64Array(5e5)); return kept.length;"
    async with codec(body, before="var kept = [];", reuse=True) as vendor:
        answers = [await answer(vendor, HOSTILE) for _ in range(20)]
    assert all(isinstance(each, int) for each in answers)
    assert answers.count(1) > 1


async def test_nothing_of_the_machine_is_in_reach() -> None:
    names = "std os require process fetch print load scriptArgs Deno Bun WebAssembly SharedArrayBuffer Atomics"
    async with codec(f"return '{names}'.split(' ').filter(function (n) {{ return n in globalThis; }});") as vendor:
        assert await among_neighbours(vendor) == []


async def test_a_long_answer_put_together_of_parts_arrives_whole() -> None:
    async with codec("var s = ''; for (var i = 0; i < 3000; i++) s += 'part ' + i % 10; return s + s;") as vendor:
        assert await among_neighbours(vendor) == "".join(f"part {i % 10}" for i in range(3000)) * 2


async def test_numbers_that_are_none_come_as_null() -> None:
    async with codec("return {a: NaN, b: -Infinity, c: undefined, d: -0, e: 1e400};") as vendor:
        assert await among_neighbours(vendor) == {"a": None, "b": None, "d": 0, "e": None}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("function decodeUplink( {", "syntax"),
        ("import * as std from 'std'; function decodeUplink() { return 1; }", "syntax"),
        ("throw new TypeError('at once')", "threw"),
        ("while (true);", "time"),
        ("throw {toString: function () { while (true); }}", "time"),
        ("var a = []; while (true) a.push(new Array(1000).fill(0));", "memory"),
        ("var decoder = 1", "entry"),
    ],
)
async def test_a_file_that_is_no_codec_is_refused_for_each_message(source: str, fault: str) -> None:
    vendor = VendorCodec(source)
    try:
        assert await answer(vendor, 1) == fault
        assert await answer(vendor, 1) == fault
    finally:
        await vendor.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"x" * (10 * 1024 * 1024), str(SOURCE_BYTES_MAX)),
        (b"var a;\nvar b = '\0';", "line 2 holds a NUL"),
        (b"// \xff", "byte 3 is no UTF-8"),
    ],
)
def test_a_file_that_cannot_be_a_codec(data: bytes, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        source_text(data)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


async def test_a_worker_that_the_system_ends_is_replaced_and_costs_no_message() -> None:
    async with codec("") as vendor:
        await answer(vendor, 1)
        os.kill(vendor.sandbox.worker_pid or 0, signal.SIGKILL)
        assert await asyncio.gather(*(answer(vendor, n) for n in range(4))) == [{"data": {"sum": n}} for n in range(4)]
        assert vendor.sandbox.deaths == 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_worker_has_no_descriptors_but_its_pipes_and_can_open_none() -> None:
    async with codec("", reuse=True) as vendor:
        await answer(vendor, 1)
        process = Path(f"/proc/{vendor.sandbox.worker_pid}")
        assert sorted(each.name for each in (process / "fd").iterdir()) == ["0", "1", "2"]
        limits = {line[:26].strip(): line[26:].split()[1] for line in (process / "limits").read_text().splitlines()[1:]}
    assert limits["Max open files"] == "3"
    assert limits["Max file size"] == limits["Max processes"] == limits["Max core file size"] == "0"
    assert int(limits["Max address space"]) < 1 << 30


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end it")
def test_a_worker_does_not_outlive_its_parent() -> None:
    script = """
import asyncio, sys
from gateway.scripts.vendor import VendorCodec
async def main():
    codec = VendorCodec("function Decoder() { return 1; }")
    await codec.uplink(1, b"")
    print(codec.sandbox.worker_pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
        parent.wait()
        deadline_s = time.monotonic() + 10
        while is_alive(worker) and time.monotonic() < deadline_s:
            time.sleep(0.02)
    assert not is_alive(worker)
