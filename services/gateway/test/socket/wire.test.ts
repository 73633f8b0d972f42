import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { frameOf, type Outlet, Writer } from '../../src/socket/wire.ts'

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
  const outlet: Outlet = { socket, out: undefined }
  return { client, received, outlet }
}

const never = () => t.fail('nobody is slow here')

t.test('frames of every length arrive as they were written, in order', async (t) => {
  const { client, received, outlet } = await pair()
  const writer = new Writer(1024 * 1024, never)
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
  const writer = new Writer(1024 * 1024, never)
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
  const writer = new Writer(1024 * 1024, never)
  writer.write(outlet, frameOf('one'))
  writer.write(outlet, frameOf('two'))
  t.equal(outlet.out?.length, 2)
  while (received.length < 2) await once(client, 'message')
  t.same(received, ['one', 'two'])
  t.equal(outlet.out, undefined)
})

t.test('whoever has more than the limit waiting is told of', async (t) => {
  const { client, outlet } = await pair()
  client.pause()
  const slow: Outlet[] = []
  const writer = new Writer(1024 * 1024, (outlet) => slow.push(outlet))
  const frame = frameOf('x'.repeat(100_000))
  while (slow.length === 0) {
    writer.write(outlet, frame)
    writer.flush(outlet)
  }
  t.equal(slow[0], outlet)
  t.ok(outlet.socket.bufferedAmount > 1024 * 1024)
  const drained = writer.drained(outlet)
  client.resume()
  await drained
  t.equal(outlet.socket.bufferedAmount, 0)
})

t.test('a socket that is gone takes nothing and keeps nothing', async (t) => {
  const { client, outlet } = await pair()
  const writer = new Writer(1024 * 1024, never)
  client.terminate()
  await once(outlet.socket, 'close')
  writer.write(outlet, frameOf('too late'))
  t.equal(outlet.out, undefined)
  await writer.drained(outlet)
})
