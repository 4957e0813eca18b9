// The PostgreSQL wire protocol (version 3): making messages, and cutting a byte stream into them.
// Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol".

export const PROTOCOL_3 = 196608
export const SSL_REQUEST = 80877103
export const GSS_REQUEST = 80877104
export const CANCEL_REQUEST = 80877102
const MESSAGE_BYTES_MAX = 1 << 30

/** One message: type letter, length, body. */
export function message(type, body = Buffer.alloc(0)) {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

export const text = (value) => Buffer.from(`${value}\0`)

export function int32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const query = (sql) => message('Q', text(sql))
export const sync = () => message('S')
export const closeStatement = (name) => message('C', Buffer.concat([Buffer.from('S'), text(name)]))
export const parameterStatus = (name, value) => message('S', Buffer.concat([text(name), text(value)]))
export const readyForQuery = () => message('Z', Buffer.from('I'))
export const copyInResponse = (binary) => message('G', Buffer.from([binary ? 1 : 0, 0, 0]))

export function errorResponse(code, sentence) {
  const fields = [text('SERROR'), text('VERROR'), text(`C${code}`), text(`M${sentence}`), Buffer.from([0])]
  return message('E', Buffer.concat(fields))
}

/** The first message of a session, which has no type letter. */
export function startup(parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)])
  const body = Buffer.concat([int32(PROTOCOL_3), ...pairs, Buffer.from([0])])
  return Buffer.concat([int32(body.length + 4), body])
}

/** The whole messages of an answer, in order. */
export function* messages(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32BE(at + 1) + 1
    yield bytes.subarray(at, at + length)
    at += length
  }
}

export const typeOf = (bytes) => String.fromCharCode(bytes[0])

/** The text that ends at the next zero byte. */
export const textAt = (bytes, at) => bytes.toString('utf8', at, bytes.indexOf(0, at))

/** Put `prefix` before the name that starts at `at`; the unnamed object keeps its empty name. */
export function withPrefix(bytes, at, prefix) {
  if (bytes[at] === 0) return bytes
  return message(typeOf(bytes), Buffer.concat([bytes.subarray(5, at), Buffer.from(prefix), bytes.subarray(at)]))
}

/** The parameters of a start-up message, with those of its `options` (`-c name=value`). */
export function startupParameters(bytes) {
  const words = bytes.toString('utf8', 8).split('\0')
  const parameters = {}
  for (let i = 0; i + 1 < words.length && words[i]; i += 2) parameters[words[i]] = words[i + 1]
  for (const [, name, value] of (parameters.options ?? '').matchAll(/(?:-c\s*|--)(\w[\w.]*)=((?:\\ |\S)*)/g)) {
    parameters[name] = value.replaceAll('\\ ', ' ')
  }
  return parameters
}

/** Cuts what a socket delivers into whole messages; the first ones of a session have no type letter. */
export class Cutter {
  #chunks = []
  #have = 0
  #need = 4
  typed = false

  /** Take in a chunk and call `deliver` for every whole message. Throws on an impossible length. */
  push(chunk, deliver) {
    this.#chunks.push(chunk)
    this.#have += chunk.length
    if (this.#have < this.#need) return // a large message is joined once, not at every chunk
    let bytes = Buffer.concat(this.#chunks)
    for (;;) {
      const head = this.typed ? 1 : 0
      this.#need = head + 4
      if (bytes.length < this.#need) break
      const length = bytes.readInt32BE(head) + head
      if (length < head + 4 || length > MESSAGE_BYTES_MAX) throw new RangeError('impossible message length')
      this.#need = length
      if (bytes.length < length) break
      const whole = Buffer.from(bytes.subarray(0, length))
      bytes = bytes.subarray(length)
      deliver(whole)
    }
    this.#chunks = bytes.length ? [bytes] : []
    this.#have = bytes.length
  }
}
