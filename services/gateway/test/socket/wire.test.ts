import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { frameOf, type Outlet, pingOf, Writer } from '../../src/socket/wire.ts'

const server = new WebSocketServer({ port: 0, perMessageDeflate: false })
await once(server, 'listening')
const clients: WebSocket[] = []
t.teardown(() => {
  for (const client of clients) client.terminate()
  server.close()
})

/** A socket of the server and what its client has got. */
async function pair() {
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  clients.push(client)
  const received: string[] = []
  client.on('message', (data, isBinary) => received.push(isBinary ? 'binary' : data.toString()))
  const [[socket]] = await Promise.all([once(server, 'connection') as Promise<[WebSocket]>, once(client, 'open')])
  let overruns = 0
  const outlet: Outlet = {
    socket,
    out: undefined,
    overrun() {
      overruns += 1
      socket.close(4008)
    },
  }
  return { client, received, outlet, overruns: () => overruns }
}

const MIB = 1024 * 1024
const newWriter = (limits: { each?: number; all?: number } = {}) => new Writer({ each: MIB, all: 100 * MIB, ...limits })

t.test('frames of every length arrive as they were written, in order', async (t) => {
  const { client, received, outlet } = await pair()
  const writer = newWriter()
  const texts = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000].map(
    (length) => '群'.repeat(length / 3) + 'x'.repeat(length % 3),
  )
  for (const text of texts) writer.write(outlet, frameOf(text))
  writer.flush(outlet)
  outlet.socket.close(1000)
  await once(client, 'close')
  t.same(received, texts)
})

t.test('one frame goes to many sockets, between what ws itself sends', async (t) => {
  const pairs = [await pair(), await pair(), await pair()]
  const writer = newWriter()
  const frame = frameOf(Buffer.from('to all'))
  for (const { outlet } of pairs) {
    outlet.socket.send('first')
    writer.write(outlet, frame)
    writer.flush(outlet)
    outlet.socket.send('last')
  }
  for (const { client, received, outlet } of pairs) {
    outlet.socket.close(1000)
    await once(client, 'close')
    t.same(received, ['first', 'to all', 'last'])
  }
})

t.test('what is written in one turn goes out by itself when it is over', async (t) => {
  const { client, received, outlet } = await pair()
  const writer = newWriter()
  writer.write(outlet, frameOf('one'))
  writer.write(outlet, frameOf('two'))
  t.equal(outlet.out?.length, 2)
  while (received.length < 2) await once(client, 'message')
  t.same(received, ['one', 'two'])
  t.equal(outlet.out, undefined)
})

t.test('whoever has more than the limit waiting is closed, the others are not', async (t) => {
  const [slow, fast] = [await pair(), await pair()]
  slow.client.pause()
  const writer = newWriter()
  const frame = frameOf('x'.repeat(100_000))
  let written = 0
  while (slow.overruns() === 0) {
    for (const { outlet } of [slow, fast]) {
      writer.write(outlet, frame)
      writer.flush(outlet)
    }
    written += 1
    await writer.drained(fast.outlet)
  }
  t.ok(slow.outlet.socket.bufferedAmount > MIB)
  t.ok(writer.unreadBytes >= slow.outlet.socket.bufferedAmount)
  const closed = once(slow.client, 'close')
  slow.client.resume()
  t.equal((await closed)[0], 4008)
  t.equal(writer.unreadBytes, 0)
  while (fast.received.length < written) await once(fast.client, 'message')
  t.equal(fast.overruns(), 0)
})

t.test('sockets that are each within the limit do not take more than all may have together', async (t) => {
  const pairs: Awaited<ReturnType<typeof pair>>[] = []
  for (let i = 0; i < 12; i++) pairs.push(await pair())
  for (const { client } of pairs) client.pause()
  const writer = newWriter({ each: 100 * MIB, all: 4 * MIB })
  const frame = frameOf('x'.repeat(100_000))
  const overrun = () => pairs.filter(({ overruns }) => overruns() > 0).length
  let most = 0
  for (let round = 0; round < 400 && overrun() < 8; round++) {
    for (const { outlet } of pairs) {
      writer.write(outlet, frame)
      writer.flush(outlet)
      most = Math.max(most, writer.unreadBytes)
      await new Promise(setImmediate)
    }
  }
  t.ok(overrun() >= 8, `${overrun()} are closed`)
  t.ok(most <= 5 * MIB, `${most} bytes at the most`)
  for (const { outlet } of pairs) outlet.socket.terminate()
  await Promise.all(pairs.map(({ outlet }) => outlet.socket.readyState === 3 || once(outlet.socket, 'close')))
  t.equal(writer.unreadBytes, 0, 'and of those that are gone nothing is counted')
})

t.test('a socket that is gone takes nothing and keeps nothing', async (t) => {
  const { client, outlet } = await pair()
  const writer = newWriter()
  client.terminate()
  await once(outlet.socket, 'close')
  writer.write(outlet, frameOf('too late'))
  t.equal(outlet.out, undefined)
  await writer.drained(outlet)
})

t.test('a ping carries its number, and comes back with it', async (t) => {
  const { outlet } = await pair()
  const pong = once(outlet.socket, 'pong')
  newWriter().write(outlet, pingOf(1_234_567))
  t.equal(String((await pong)[0]), '1234567')
})
