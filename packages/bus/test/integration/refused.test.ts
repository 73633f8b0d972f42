import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { connectBus } from '../../src/index.ts'

const REFUSALS = 3

t.test('a server that refuses the credentials for a while, as while it starts, does not end the bus', async (t) => {
  const target = new URL(process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222')
  const sockets = new Set<Socket>()
  let refusals = 0
  let refusing = false
  const server = createServer((near) => {
    sockets.add(near)
    near.on('error', () => {})
    if (refusing && refusals < REFUSALS) {
      refusals += 1
      near.write('INFO {"server_id":"x","version":"2.12.0","proto":1,"max_payload":1048576,"auth_required":true}\r\n')
      near.once('data', () => near.end("-ERR 'Authorization Violation'\r\n"))
      return
    }
    const far = connect(Number(target.port), target.hostname)
    far.on('error', () => {})
    far.on('close', () => near.destroy())
    near.on('close', () => far.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const bus = await connectBus({
    url: url.toString(),
    prefix: 't',
    name: 'refused',
    inboxPrefix: '_INBOX_refused',
    logger: createLogger('test', 'silent'),
  })
  t.teardown(async () => {
    await bus.close()
    server.close()
  })
  const back = new Promise<'back'>((resolve) => bus.onReconnect(() => resolve('back')))
  refusing = true
  for (const socket of sockets) socket.destroy()
  t.equal(await Promise.race([back, bus.nats.closed().then(() => 'closed')]), 'back')
  t.equal(refusals, REFUSALS)
})
