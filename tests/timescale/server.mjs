// A PostgreSQL server for tests over one WASM backend with TimescaleDB.
//
//   node server.mjs [--port 0] [--snapshot FILE] [--patience MS]
//
// Prints {"ready": true, "port": N} when clients may connect. It takes orders on standard input: "mark NAME" remembers
// the present moment and prints {"mark": NAME}; "reset NAME" sends all clients away, brings that moment back and prints
// {"reset": true, "port": N}, or false where that cannot be. It ends when standard input closes, so that it never
// outlives a test run.

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

let server
const marks = new Map()

// On another port each time, so that no client of before comes back.
function open(word) {
  server = net.createServer((socket) => new Connection(house, socket))
  server.listen(Number(options.port), '127.0.0.1', () => say({ ...word, port: server.address().port }))
}

async function reset(name) {
  server.close()
  for (const connection of house.connections) connection.end()
  while (house.connections.size) await new Promise((resolve) => setTimeout(resolve, 1))
  await house.turns.take(orders)
  const isDone = marks.get(name).restore()
  house.lastServed = null
  house.turns.pass(orders)
  open({ reset: isDone })
}

const orders = readline.createInterface({ input: process.stdin })
orders.on('line', async (line) => {
  const [order, name] = line.split(' ')
  if (order === 'reset') return reset(name)
  await house.turns.take(orders)
  marks.set(name, house.backend.mark())
  house.turns.pass(orders)
  say({ mark: name })
})

async function stop() {
  server.close()
  await house.backend.close().catch(() => {})
  process.exit(0)
}
orders.on('close', stop)
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
open({ ready: true })
