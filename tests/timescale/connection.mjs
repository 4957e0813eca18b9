// One client connection: makes a backend that knows a single session look like a server with many.
//
// What belongs to a session follows the connection: its settings are applied again when its turn comes, the names of
// its prepared statements get a prefix, notifications go to who listens. Cancelling a query is not possible.

import * as wire from './wire.mjs'

let lastNumber = 0

export class Connection {
  #house // { backend, turns, connections, lastServed, patienceMs, die }
  #socket
  #number = ++lastNumber
  #cutter = new wire.Cutter()
  #work = Promise.resolve() // messages are handled strictly one after another
  #skipping = false // after an error of ours, until the client's Sync
  #copy = null // { sql, chunks } while the client sends COPY data
  #settings = []
  #channels = new Set()
  #statements = new Set()
  #timeZoneMayHaveChanged = false
  #open = true

  constructor(house, socket) {
    this.#house = house
    this.#socket = socket
    house.connections.add(this)
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#open = false
      this.#then(() => this.#leave())
    })
  }

  listensTo(channel) {
    return this.#channels.has(channel)
  }

  write(bytes) {
    if (this.#open) this.#socket.write(bytes)
  }

  /** Send the client away; the connection leaves once what was begun is done. */
  end() {
    this.#socket.destroy()
  }

  #then(step) {
    this.#work = this.#work.then(step).catch(this.#house.die)
  }

  #receive(chunk) {
    try {
      this.#cutter.push(chunk, (whole) => {
        if (this.#cutter.typed) this.#then(() => this.#handle(whole))
        else this.#greet(whole)
      })
    } catch {
      this.#socket.destroy()
    }
  }

  #greet(startup) {
    const version = startup.readInt32BE(4)
    if (version === wire.SSL_REQUEST || version === wire.GSS_REQUEST) return this.write(Buffer.from('N'))
    if (version === wire.CANCEL_REQUEST) return this.#socket.destroy()
    const { user, database, options, replication, client_encoding, ...settings } = wire.startupParameters(startup)
    this.#settings = Object.entries(settings).map(([name, value]) => `SET ${name} = '${value.replaceAll("'", "''")}'`)
    if (user !== 'postgres') this.#settings.push(`SET ROLE "${user}"`) // no password is asked, but rights are kept
    this.#cutter.typed = true
    const timeZone = settings.TimeZone ?? settings.timezone
    const greeting = { ...this.#house.backend.greeting, ...(timeZone && { TimeZone: timeZone }) }
    this.write(
      Buffer.concat([
        wire.message('R', wire.int32(0)),
        ...Object.entries(greeting).map(([name, value]) => wire.parameterStatus(name, value)),
        wire.message('K', Buffer.concat([wire.int32(process.pid), wire.int32(this.#number)])),
        wire.readyForQuery(),
      ]),
    )
  }

  async #handle(request) {
    const type = wire.typeOf(request)
    if (type === 'X') return void this.#socket.end()
    if (this.#copy) {
      if (type === 'd') return void this.#copy.chunks.push(request.subarray(5))
      if (type === 'c' || type === 'f') return this.#endCopy(type, request)
      if (type === 'H' || type === 'S') return
    }
    if (this.#skipping) return void this.#skip(type)
    if (type === 'H' && !this.#house.turns.has(this)) return // nothing to flush, and no Sync will end the turn
    if (!(await this.#myTurn())) return void this.#refuse(type)

    const sql = statementOf(type, request)
    if (sql !== null) this.#follow(sql)
    if (type === 'Q' && /^\s*COPY\b[\s\S]*\bFROM\s+STDIN\b/i.test(sql)) return void this.#beginCopy(sql)
    const answer = await this.#house.backend.send(this.#inMyNames(type, request))
    if (type !== 'P') await this.#reportTimeZone()
    this.#answer(answer, type)
  }

  async #myTurn() {
    const { backend, turns } = this.#house
    if (!(await turns.take(this))) return false
    if (this.#house.lastServed !== this) {
      await backend.apply(this.#settings)
      this.#house.lastServed = this
    }
    return true
  }

  #refuse(type) {
    const sentence = `another connection kept its transaction open for ${this.#house.patienceMs} ms (one backend)`
    this.write(wire.errorResponse('55P03', sentence))
    if (type === 'Q') this.write(wire.readyForQuery())
    else this.#skipping = true
  }

  #skip(type) {
    if (type !== 'S') return
    this.#skipping = false
    this.write(wire.readyForQuery())
  }

  // What the statement changes in its session.
  #follow(sql) {
    if (/^\s*(SET|RESET)\b.*(TIME\s*ZONE|\bALL\b)/i.test(sql)) this.#timeZoneMayHaveChanged = true
    if (/^\s*RESET\s+ALL/i.test(sql)) this.#settings = []
    else if (/^\s*(SET|RESET)\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)/i.test(sql)) {
      this.#settings.push(sql.replace(/;\s*$/, ''))
    } else if (/^\s*DISCARD\s+ALL/i.test(sql)) {
      this.#settings = []
      this.#channels.clear()
    }
    const listened = /^\s*LISTEN\s+"?([^";\s]+)/i.exec(sql)
    if (listened) this.#channels.add(listened[1])
    const left = /^\s*UNLISTEN\s+"?([^";\s]+)/i.exec(sql)
    if (left?.[1] === '*') this.#channels.clear()
    else if (left) this.#channels.delete(left[1])
  }

  // Prepared statements are named per connection; portals die with the transaction and need no prefix.
  #inMyNames(type, request) {
    const prefix = `c${this.#number}_`
    if (type === 'B') return wire.withPrefix(request, request.indexOf(0, 5) + 1, prefix)
    if ((type === 'D' || type === 'C') && request[5] === 'S'.charCodeAt(0)) return wire.withPrefix(request, 6, prefix)
    if (type !== 'P') return request
    const renamed = wire.withPrefix(request, 5, prefix)
    if (renamed[5] !== 0) this.#statements.add(wire.textAt(renamed, 5))
    return renamed
  }

  #beginCopy(sql) {
    const binary = /\bBINARY\b/i.test(sql.replace(/^[\s\S]*\bSTDIN\b/i, ''))
    this.#copy = { sql, chunks: [] }
    this.write(wire.copyInResponse(binary))
  }

  async #endCopy(type, request) {
    const { sql, chunks } = this.#copy
    this.#copy = null
    if (type === 'c') return this.#answer(await this.#house.backend.copyIn(sql, chunks), 'Q')
    const reason = wire.textAt(request, 5).replaceAll("'", "''")
    const raise = `RAISE EXCEPTION USING ERRCODE = '57014', MESSAGE = 'COPY from stdin failed: ${reason}'`
    this.#answer(await this.#house.backend.send(wire.query(`DO $_$ BEGIN ${raise}; END $_$`)), 'Q')
  }

  async #reportTimeZone() {
    if (!this.#timeZoneMayHaveChanged) return
    this.#timeZoneMayHaveChanged = false
    this.write(wire.parameterStatus('TimeZone', await this.#house.backend.value('SHOW timezone')))
  }

  #answer(bytes, type) {
    const out = []
    let idle = false
    for (const part of wire.messages(bytes)) {
      const kind = wire.typeOf(part)
      if (kind === 'A') this.#notify(part, out)
      else if (kind !== 'Z') out.push(part)
      else if (type === 'Q' || type === 'S') {
        // PGlite also says ReadyForQuery where the protocol does not
        idle = part[5] === 'I'.charCodeAt(0)
        out.push(part)
      }
    }
    if (out.length) this.write(Buffer.concat(out))
    if (idle) this.#house.turns.pass(this)
  }

  #notify(notification, own) {
    const channel = wire.textAt(notification, 9)
    for (const connection of this.#house.connections) {
      if (!connection.listensTo(channel)) continue
      if (connection === this) own.push(notification)
      else connection.write(notification)
    }
  }

  // A client that is gone: roll its transaction back and drop its prepared statements.
  async #leave() {
    const { backend, turns, connections } = this.#house
    connections.delete(this)
    turns.leave(this)
    if (!turns.has(this) && this.#statements.size === 0) return
    if (!(await turns.take(this))) return
    await backend.send(wire.sync())
    await backend.send(wire.query('ROLLBACK'))
    for (const name of this.#statements) await backend.send(wire.closeStatement(name))
    await backend.send(wire.sync())
    if (this.#house.lastServed === this) this.#house.lastServed = null
    turns.pass(this)
  }
}

/** The SQL text of a simple query or of a statement to prepare; null for any other message. */
function statementOf(type, request) {
  if (type === 'Q') return wire.textAt(request, 5)
  if (type === 'P') return wire.textAt(request, request.indexOf(0, 5) + 1)
  return null
}
