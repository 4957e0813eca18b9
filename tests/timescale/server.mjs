// A PostgreSQL server for tests over one WASM backend with TimescaleDB.
//
//   node server.mjs [--port 0] [--snapshot FILE] [--patience MS]
//
// Prints {"ready": true, "port": N} when clients may connect. On the line "save FILE" on standard input it writes a
// snapshot and prints {"saved": FILE}. It ends when standard input closes, so that it never outlives a test run.

import net from 'node:net'
import readline from 'node:readline'
import { parseArgs } from 'node:util'
import { Backend } from './backend.mjs'
import { Connection } from './connection.mjs'
import { Turns } from './turns.mjs'

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    snapshot: { type: 'string' },
    patience: { type: 'string', default: '15000' },
  },
})

const say = (word) => console.log(JSON.stringify(word))

// A trap in WASM is beyond recovery.
const die = (error) => {
  console.error('the backend died:', error)
  process.exit(70)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

const patienceMs = Number(options.patience)
const house = {
  backend: await Backend.open(options.snapshot),
  turns: new Turns(patienceMs),
  connections: new Set(),
  lastServed: null,
  patienceMs,
  die,
}

const server = net.createServer((socket) => new Connection(house, socket))
server.listen(Number(options.port), '127.0.0.1', () => say({ ready: true, port: server.address().port }))

const orders = readline.createInterface({ input: process.stdin })
orders.on('line', async (line) => {
  const [order, file] = line.split(/ (.*)/)
  if (order !== 'save') return
  await house.turns.take(orders)
  await house.backend.save(file)
  house.turns.pass(orders)
  say({ saved: file })
})

async function stop() {
  server.close()
  await house.backend.close().catch(() => {})
  process.exit(0)
}
orders.on('close', stop)
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
