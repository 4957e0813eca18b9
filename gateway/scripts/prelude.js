// What a maker's codec finds in its context, and the one function by which it is asked. Evaluated before the codec.
// Its value is (text of a request) => text of an answer: the codec's own output as JSON, or "!", one word, a blank and a
// detail. An answer is never put together of long parts: the engine keeps those apart as a rope, which nobody outside can
// read. Nothing here reaches outside: there is nothing outside to be reached.
(function (global, outputMax) {
  'use strict';
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const text = String;
  const PromiseOf = Promise, DateOf = Date, bytesOf = Uint8Array, cut = String.prototype.slice;

  const offer = (name, value) =>
    Object.defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false });

  // Threads and shared memory are of no use to a codec.
  delete global.SharedArrayBuffer;
  delete global.Atomics;

  // A console that keeps nothing and looks at nothing.
  const silent = function () {};
  offer('console', {
    log: silent, info: silent, warn: silent, error: silent, debug: silent, trace: silent, dir: silent, table: silent,
    assert: silent, time: silent, timeEnd: silent, group: silent, groupEnd: silent,
  });

  offer('module', { exports: {} });
  offer('exports', global.module.exports);

  // The entry points, by name: as globals (whether var, function, let or const), then as members of what makers export.
  const globals = {
    decodeUplink: () => (typeof decodeUplink === 'undefined' ? undefined : decodeUplink),
    encodeDownlink: () => (typeof encodeDownlink === 'undefined' ? undefined : encodeDownlink),
    decodeDownlink: () => (typeof decodeDownlink === 'undefined' ? undefined : decodeDownlink),
    Decoder: () => (typeof Decoder === 'undefined' ? undefined : Decoder),
    Decode: () => (typeof Decode === 'undefined' ? undefined : Decode),
    Encoder: () => (typeof Encoder === 'undefined' ? undefined : Encoder),
    Encode: () => (typeof Encode === 'undefined' ? undefined : Encode),
  };
  const holders = () => [
    typeof exports === 'undefined' ? undefined : exports,
    typeof module === 'undefined' || module === null ? undefined : module.exports,
    typeof driver === 'undefined' ? undefined : driver,
  ];
  const entry = (name) => {
    const plain = globals[name]();
    if (typeof plain === 'function') return { call: plain };
    for (const holder of holders()) {
      if (holder !== null && holder !== undefined && typeof holder[name] === 'function') return { call: holder[name], self: holder };
    }
    return undefined;
  };
  const forms = {
    uplink: [
      ['decodeUplink', (q) => [q.input]],
      ['Decoder', (q) => [q.input.bytes, q.input.fPort, q.input.variables]],
      ['Decode', (q) => [q.input.fPort, q.input.bytes, q.input.variables]],
    ],
    'downlink-encode': [
      ['encodeDownlink', (q) => [q.input]],
      ['Encoder', (q) => [q.input.data, q.input.fPort, q.input.variables]],
      ['Encode', (q) => [q.input.fPort, q.input.data, q.input.variables]],
    ],
    'downlink-decode': [['decodeDownlink', (q) => [q.input]]],
  };
  const described = (thrown) => {
    try {
      const isObject = typeof thrown === 'object' ? thrown !== null : typeof thrown === 'function';
      return apply(cut, isObject ? text(thrown.name) + ': ' + text(thrown.message) : text(thrown), [0, 300]);
    } catch { return 'something that cannot be put into words'; }
  };
  const answered = (asked) => {
    for (const [name, args] of forms[asked.kind]) {
      const found = entry(name);
      if (found !== undefined) return apply(found.call, found.self, args(asked));
    }
    throw silent;
  };

  return (request) => {
    const asked = parse(request);
    if (asked.kind === 'entries') return stringify(Object.keys(globals).filter((name) => entry(name) !== undefined));
    if (asked.input.recvTime !== undefined) asked.input.recvTime = new DateOf(asked.input.recvTime);
    try {
      const answer = answered(asked);
      if (answer instanceof PromiseOf) return '!promise ';
      const output = stringify(answer instanceof bytesOf ? Array.from(answer) : answer);
      if (typeof output !== 'string') return '!nothing ' + typeof answer;
      return output.length > outputMax ? '!output ' : output;
    } catch (thrown) {
      return thrown === silent ? '!entry ' : '!threw ' + described(thrown);
    }
  };
})
