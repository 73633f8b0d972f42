import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startTcpProxy } from '../../src/testing/tcp-proxy.ts'

/** One end of a connection, with what it has received. */
class End {
  readonly socket: Socket
  text = ''
  pieces = 0
  ended = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (data) => {
      this.text += data
      this.pieces += 1
    })
    socket.on('close', () => {
      this.ended = true
    })
  }

  async has(text: string) {
    while (this.text !== text) await once(this.socket, 'data')
  }

  async isOver() {
    if (!this.ended) await new Promise((resolve) => this.socket.once('close', resolve))
  }
}

/** A server, a proxy before it, and a client on each connection asked for. */
async function world(t: Test, random?: () => number) {
  const arrived: End[] = []
  const server = createServer((socket) => arrived.push(new End(socket))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
  const proxy = await startTcpProxy(url, random && { random })
  const dialled: Socket[] = []
  t.teardown(async () => {
    for (const socket of dialled) socket.destroy()
    await proxy.stop()
    server.close()
  })
  const dial = async () => {
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
    dialled.push(socket)
    const client = new End(socket)
    await once(socket, 'connect')
    return client
  }
  /** A client and the server's end of its connection. */
  const pair = async () => {
    const expected = arrived.length + 1
    const client = await dial()
    while (arrived.length < expected) await once(server, 'connection')
    return { client, served: arrived[expected - 1] as End }
  }
  return { proxy, dial, pair }
}

async function roundTrip({ client, served }: { client: End; served: End }) {
  const [before, after] = [served.text, client.text]
  client.socket.write('ping')
  await served.has(`${before}ping`)
  served.socket.write('pong')
  await client.has(`${after}pong`)
}

t.test('nothing is wrong until something is made so', async (t) => {
  const { proxy, pair } = await world(t)
  const { client, served } = await pair()
  t.equal(proxy.connections, 1)
  client.socket.write('to the server')
  await served.has('to the server')
  served.socket.write('to the client')
  await client.has('to the client')
  client.socket.end('goodbye')
  await served.isOver()
  t.equal(served.text, 'to the servergoodbye')
  await client.isOver()
  while (proxy.connections > 0) await new Promise((resolve) => setImmediate(resolve))
})

t.test('a cut ends connections on both sides and refuses new ones until it is mended', async (t) => {
  const { proxy, dial, pair } = await world(t)
  const { client, served } = await pair()
  proxy.cut()
  await Promise.all([client.isOver(), served.isOver()])
  await (await dial()).isOver()
  proxy.mend()
  await roundTrip(await pair())
})

for (const direction of ['upstream', 'downstream'] as const)
  t.test(`a cut ${direction} is heard of by one side only; the other finds out when it is mended`, async (t) => {
    const { proxy, pair } = await world(t)
    const { client, served } = await pair()
    const [told, deaf] = direction === 'upstream' ? [served, client] : [client, served]
    proxy.impair({ kind: 'cut', direction })
    await told.isOver()
    deaf.socket.write('into the void')
    t.notOk(deaf.ended)
    proxy.mend()
    await deaf.isOver()
    t.equal(told.text, '')
    await roundTrip(await pair())
  })

t.test('a black hole takes everything, ends included, and lets go of it in order when it is mended', async (t) => {
  const { proxy, pair } = await world(t)
  const [one, probe] = [await pair(), await pair()]
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  one.client.socket.write('first ')
  one.client.socket.end('last')
  one.served.socket.write('still heard')
  await one.client.has('still heard')
  probe.served.socket.write('x')
  await probe.client.has('x')
  t.same([one.served.text, one.served.ended], ['', false])
  proxy.mend()
  await one.served.isOver()
  t.equal(one.served.text, 'first last')
})

t.test('a black hole also hides that the server is gone', async (t) => {
  const { proxy, pair } = await world(t)
  const [one, probe] = [await pair(), await pair()]
  proxy.impair({ kind: 'blackhole', direction: 'downstream' })
  one.served.socket.resetAndDestroy()
  probe.client.socket.write('x')
  await probe.served.has('x')
  one.client.socket.write('is anybody there')
  probe.client.socket.write('y')
  await probe.served.has('xy')
  t.notOk(one.client.ended)
  proxy.mend()
  await one.client.isOver()
})

t.test('what is delayed stays in order, whatever the jitter', async (t) => {
  const draws = [1, 0, 0.5, 0]
  const { proxy, pair } = await world(t, () => draws.shift() ?? 0.5)
  const { client, served } = await pair()
  proxy.impair({ kind: 'delay', ms: 60, jitterMs: 50, direction: 'upstream' })
  const sent = performance.now()
  for (const text of ['a', 'b', 'c', 'd']) {
    client.socket.write(text)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await served.has('abcd')
  t.ok(performance.now() - sent >= 100, 'the first one was held longest, and nobody overtook it')
  served.socket.write('back')
  await client.has('back')
})

t.test('slices arrive piece by piece and complete', async (t) => {
  const { proxy, pair } = await world(t, () => 0.5)
  const { client, served } = await pair()
  proxy.impair({ kind: 'slice', bytes: 4, pauseMs: 2, direction: 'downstream' })
  served.socket.end('0123456789')
  await client.isOver()
  t.equal(client.text, '0123456789')
  t.ok(client.pieces > 1, `in ${client.pieces} pieces`)
})

t.test('a sender into a black hole feels back pressure, and nothing is lost', async (t) => {
  const { proxy, pair } = await world(t)
  const { client, served } = await pair()
  proxy.impair({ kind: 'blackhole' })
  const chunk = Buffer.alloc(1_048_576, 'x')
  let written = 0
  while (written < 200 && client.socket.writableLength === 0) {
    written += 1
    client.socket.write(chunk)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  t.ok(client.socket.writableLength > 0, `after ${written} MiB nothing is taken any more`)
  proxy.mend()
  while (served.text.length < written * chunk.length) await once(served.socket, 'data')
  t.equal(served.text.length, written * chunk.length)
})

t.test('where nothing listens behind it, a connection ends at once', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await new Promise((resolve) => taken.close(resolve))
  const proxy = await startTcpProxy(`nats://127.0.0.1:${port}`)
  t.teardown(() => proxy.stop())
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  await new End(socket).isOver()
  while (proxy.connections > 0) await new Promise((resolve) => setImmediate(resolve))
})

t.test('URLs keep what they say, and the driver of MongoDB does not go round the proxy', async (t) => {
  const through = async (url: string) => {
    const proxy = await startTcpProxy(url)
    t.teardown(() => proxy.stop())
    return proxy.url.replace(/127\.0\.0\.1:\d+/, 'PROXY')
  }
  t.equal(await through('nats://gateway:secret@127.0.0.1:4222'), 'nats://gateway:secret@PROXY')
  t.equal(await through('redis://127.0.0.1:6379'), 'redis://PROXY')
  t.equal(await through('http://127.0.0.1:8080'), 'http://PROXY')
  t.equal(
    await through('mongodb://127.0.0.1:27017/?replicaSet=rs0&appName=x'),
    'mongodb://PROXY/?appName=x&directConnection=true',
  )
})
