import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { eventually, fakeGateway, tappedLog, world } from './harness.ts'

/** Between one process and NATS: can lose what the process says without a word, and then break off. */
async function lossyNats() {
  const target = new URL(process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222')
  const sockets = new Set<Socket>()
  let losing = false
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    far.pipe(near)
    near.on('data', (data) => losing || far.write(data))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.toString(),
    lose() {
      losing = true
    },
    breakOff() {
      losing = false
      for (const socket of sockets) socket.destroy()
    },
    stop: () => server.close(),
  }
}

const w = await world()
const nats = await lossyNats()
t.teardown(async () => {
  await w.end()
  nats.stop()
})
const { hooks, stallNextAppend, wrapLog } = tappedLog()
await w.start({ NATS_URL: nats.url }, { wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())

t.test('what was published into a broken connection goes out before what was stored behind it', async (t) => {
  await gateway.send(gateway.entry('8', { user: '9' }))
  const [lost, waiting] = [gateway.entry('1', { user: '2' }), gateway.entry('2', { user: '1' })]
  const stored = Promise.withResolvers<void>()
  hooks.afterAppend = async () => stored.resolve()
  nats.lose()
  gateway.publish([lost])
  await stored.promise
  const stall = stallNextAppend()
  gateway.publish([waiting])
  await stall.reached
  nats.breakOff()
  stall.release()
  await gateway.answer(waiting.id)
  const seqs = await eventually('both', () => {
    const seen = gateway.messages(lost.conversation).map(({ item }) => item.seq)
    return seen.includes(1) && seen.includes(2) && seen
  })
  t.same(seqs.slice(0, 2), [1, 2])
})
