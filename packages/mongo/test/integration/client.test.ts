import { randomBytes } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Db, MongoClient } from 'mongodb'
import t, { type Test } from 'tap'
import { createMongoClient } from '../../src/index.ts'

const mongoUrl = process.env.QUNXIN_TEST_MONGO_URL ?? 'mongodb://127.0.0.1:27017/?replicaSet=rs0'
/** More than the buffers of two sockets take, and less than the largest command. */
const LARGE = 12 * 1024 * 1024
const large = 'x'.repeat(LARGE)

const name = `t${randomBytes(5).toString('hex')}`
const direct = new MongoClient(mongoUrl)
await direct.db(name).collection('things').insertOne({ name: 'small' })
t.teardown(async () => {
  await direct.db(name).dropDatabase()
  await direct.close()
})

/** What becomes of the first connection a large command comes on, once nobody reads it any more. */
type Fate = 'end' | 'silence'

/** Stands before MongoDB, and lets the first large command wait half written. */
async function proxied(t: Test, fate: Fate): Promise<string> {
  const target = new URL(mongoUrl)
  let armed = true
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    const both = [near, far]
    const cut = () => {
      for (const socket of both) socket.destroy()
    }
    for (const socket of both) socket.on('error', () => {}).on('close', cut)
    t.teardown(cut)
    far.pipe(near)
    near.on('data', (chunk: Buffer) => {
      if (!armed || chunk.readInt32LE(0) < LARGE) return far.write(chunk)
      armed = false
      near.removeAllListeners('data')
      near.pause()
      if (fate === 'silence') return
      far.unpipe(near)
      // As a server that is killed: its end is told first, and what was under way is still taken.
      near.end()
      setImmediate(() => near.resume())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`
}

/** By a client with one connection: one that is not given back stands in the way of every further command. */
function database(t: Test, url: string): Db {
  const client = createMongoClient(url, { maxPoolSize: 1, socketTimeoutMS: 1_000, monitorCommands: true })
  t.teardown(() => client.close())
  return client.db(name)
}

const insert = (db: Db) => db.command({ insert: 'things', documents: [{ name: large }] })
const read = (db: Db) =>
  db
    .collection('things')
    .find({ name: { $in: ['small', large] } })
    .toArray()

for (const fate of ['end', 'silence'] as const) {
  const what = fate === 'end' ? 'ends' : 'falls silent'

  t.test(`a write on a connection that ${what} while it is written is refused, and the next works`, async (t) => {
    const db = database(t, await proxied(t, fate))
    await t.rejects(insert(db), { name: /^MongoNetwork/ })
    t.match(await insert(db), { n: 1 })
  })

  t.test(`a read on a connection that ${what} while it is written is made again on another`, async (t) => {
    const db = database(t, await proxied(t, fate))
    t.match(await read(db), [{ name: 'small' }])
  })
}

t.test('a command on a socket that broke just before is made again on another', async (t) => {
  const sockets: Socket[] = []
  const made = (message: unknown) => void sockets.push((message as { socket: Socket }).socket)
  channel('net.client.socket').subscribe(made)
  t.teardown(() => channel('net.client.socket').unsubscribe(made))
  const { host } = new URL(mongoUrl)
  const db = database(t, `mongodb://${host}/?directConnection=true`)
  await db.command({ ping: 1 })
  let breaks = 1
  // Between the choice of the connection and the write: the driver has not heard of it yet.
  db.client.on('commandStarted', () => {
    if (breaks-- > 0) for (const socket of sockets) socket.destroy()
  })
  t.match(await db.collection('things').find({}).toArray(), [{ name: 'small' }])
  t.ok(breaks <= 0)
})
