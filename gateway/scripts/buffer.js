// Buffer as far as codecs use it; evaluated before a codec that names it.
(function (global) {
  'use strict';
  const { apply } = Reflect;
  const text = String;

  const characters = (bytes) => {
    let words = '';
    for (let i = 0; i < bytes.length; i++) words += String.fromCharCode(bytes[i]);
    return words;
  };
  const encoders = {
    hex: (s) => { const digits = /^(?:[0-9A-Fa-f]{2})*/.exec(s)[0]; const found = []; for (let i = 0; i < digits.length; i += 2) found.push(parseInt(digits.substr(i, 2), 16)); return found; },
    base64: (s) => encoders.latin1(atob(s.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, ''))),
    latin1: (s) => { const found = []; for (let i = 0; i < s.length; i++) found.push(s.charCodeAt(i) & 255); return found; },
    utf8: (s) => encoders.latin1(unescape(encodeURIComponent(s.toWellFormed()))),
  };
  const decoders = {
    hex: (b) => { let s = ''; for (let i = 0; i < b.length; i++) s += (b[i] < 16 ? '0' : '') + b[i].toString(16); return s; },
    base64: (b) => btoa(characters(b)),
    ascii: (b) => characters(b.map((n) => n & 127)),
    latin1: characters,
    utf8: (b) => { const s = characters(b); try { return decodeURIComponent(escape(s)); } catch { return s; } },
  };
  encoders.ascii = encoders.binary = encoders.latin1; encoders['utf-8'] = encoders.utf8;
  encoders.base64url = encoders.base64;
  decoders.binary = decoders.latin1; decoders['utf-8'] = decoders.utf8;
  decoders.base64url = (b) => decoders.base64(b).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
  const coder = (coders, name) => {
    const found = coders[name === undefined ? 'utf8' : text(name).toLowerCase()];
    if (found === undefined) throw new TypeError('Unknown encoding: ' + text(name));
    return found;
  };

  class Octets extends Uint8Array {
    toString(encoding, start, end) { return coder(decoders, encoding)(this.subarray(start, end)); }
    slice(start, end) { return this.subarray(start, end); }
    equals(other) { return this.length === other.length && this.every((n, i) => n === other[i]); }
    copy(target, at, start, end) { const part = this.subarray(start, end); target.set(part, at); return part.length; }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    view() { return new DataView(this.buffer, this.byteOffset, this.byteLength); }
    readUIntBE(at, size) { let n = 0; for (let i = 0; i < size; i++) n = n * 256 + this.#octet(at + i); return n; }
    readUIntLE(at, size) { let n = 0; for (let i = size - 1; i >= 0; i--) n = n * 256 + this.#octet(at + i); return n; }
    readIntBE(at, size) { return signed(this.readUIntBE(at, size), size); }
    readIntLE(at, size) { return signed(this.readUIntLE(at, size), size); }
    #octet(at) { if (!(at >= 0 && at < this.length)) throw new RangeError('The offset is out of range'); return this[at]; }
  }
  const signed = (n, size) => (n >= 2 ** (8 * size - 1) ? n - 2 ** (8 * size) : n);
  const widths = [['Int8', 'Int8', 1], ['Int16', 'Int16', 2], ['Int32', 'Int32', 4], ['UInt8', 'Uint8', 1],
    ['UInt16', 'Uint16', 2], ['UInt32', 'Uint32', 4], ['Float', 'Float32', 4], ['Double', 'Float64', 8],
    ['BigInt64', 'BigInt64', 8], ['BigUInt64', 'BigUint64', 8]];
  for (const [name, type, size] of widths) {
    for (const order of size === 1 ? [''] : ['LE', 'BE']) {
      const get = DataView.prototype['get' + type], set = DataView.prototype['set' + type], little = order === 'LE';
      const read = function (at = 0) { return apply(get, this.view(), [at, little]); };
      const write = function (value, at = 0) { apply(set, this.view(), [at, value, little]); return at + size; };
      for (const spelled of new Set([name, name.replace('UInt', 'Uint')])) {
        Octets.prototype['read' + spelled + order] = read;
        Octets.prototype['write' + spelled + order] = write;
      }
    }
  }
  const Buffer = function (value, encoding) { return typeof value === 'number' ? new Octets(value) : Buffer.from(value, encoding); };
  Buffer.prototype = Octets.prototype;
  Buffer.from = (value, encoding, length) => {
    if (typeof value === 'string') return Octets.from(coder(encoders, encoding)(value));
    if (value instanceof ArrayBuffer) return new Octets(value, encoding, length);
    return Octets.from(value && value.type === 'Buffer' ? value.data : value);
  };
  Buffer.alloc = (size, fill = 0) => new Octets(size).fill(fill);
  Buffer.allocUnsafe = (size) => new Octets(size);
  Buffer.isBuffer = (value) => value instanceof Octets;
  Buffer.byteLength = (value, encoding) => (typeof value === 'string' ? Buffer.from(value, encoding) : value).length;
  Buffer.concat = (parts) => Octets.from([].concat(...parts.map((part) => Array.from(part))));
  Object.defineProperty(global, 'Buffer', { value: Buffer, writable: true, configurable: true, enumerable: false });
})
