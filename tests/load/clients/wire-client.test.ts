import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { fakeGateway } from '../../../packages/client/test/fake-gateway.ts'
import { eventually } from '../../eventually.ts'
import { History } from '../history.ts'
import { Wire } from '../wire/wire.ts'
import { Watcher } from './watcher.ts'
import { WireClient } from './wire-client.ts'

function clientOf(t: Test, ...urls: string[]) {
  const history = new History('run')
  const options = { userId: 42, accessToken: 'secret', urls, gateway: 0, history, watcher: new Watcher(history) }
  const client = new WireClient(options, new Wire())
  t.teardown(() => client.close())
  return { client, history }
}

t.test('what it does not understand ends it, and is named', async (t) => {
  const wrong: [string | Buffer, RegExp][] = [
    ['{"tag":"mess', /^what is no frame: {"tag":"mess$/],
    ['[1]', /^what is no frame/],
    ['{"tag":"new","data":{}}', /^an unexpected frame: {"tag":"new"/],
    ['{"tag":"message","data":{"seq":"1"}}', /^an unexpected frame/],
    ['{"tag":"message"}', /^an unexpected frame/],
    ['{"tag":"error","data":{"code":1001}}', /^an unexpected frame: {"tag":"error"/],
    ['{"tag":"messageAck","data":{"msgId":"run-0"}}', /^an unexpected frame/],
    ['{"tag":"messageAck","data":{"msgId":"run-0","seq":1,"serverReceiveDate":1}}', /^an acknowledgement of what it/],
    ['{"tag":"messageAck","data":{"msgId":"x","code":5003,"info":""}}', /^a refusal of what it had not sent, x$/],
    [Buffer.from([1, 2]), /^a frame with opcode 2$/],
  ]
  for (const [frame, why] of wrong) {
    const gateway = await fakeGateway(t)
    const { client } = clientOf(t, gateway.url)
    const connection = await gateway.connection()
    await connection.bind()
    await client.ready
    connection.socket.send(frame)
    await eventually(() => client.ended !== undefined, 'it has ended')
    t.match(client.ended, why)
    t.equal(client.bound, false)
  }
})

t.test('frames that come cut in pieces, and many at once, are all seen', async (t) => {
  const gateway = await fakeGateway(t)
  const { client, history } = clientOf(t, gateway.url)
  const connection = await gateway.connection()
  await connection.bind()
  await client.ready
  const data = { fromUserId: 7, toUserId: 42, sessionId: '', msgId: 'theirs', contentStr: '狐'.repeat(3_000) }
  for (let seq = 1; seq <= 300; seq++) connection.send('message', { ...data, serverReceiveDate: 5, seq })
  await eventually(() => history.shown.seq.length === 300, 'all are shown')
  for (let i = 0; i < 300; i++) if (history.shown.seq.at(i) !== i + 1) t.fail(`${i}: ${history.shown.seq.at(i)}`)
})

t.test('a gateway that refuses the handshake is left for the next', async (t) => {
  const refusing = createServer().on('upgrade', (_, socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve))
  t.teardown(() => refusing.close())
  const gateway = await fakeGateway(t)
  const { client } = clientOf(t, `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`, gateway.url)
  await (await gateway.connection()).bind()
  await client.ready
  t.equal(client.bound, true)
})

t.test('a token that is not good is the end, with the reason the gateway gave', async (t) => {
  const gateway = await fakeGateway(t)
  const { client } = clientOf(t, gateway.url)
  const connection = await gateway.connection()
  await connection.next('getUserId')
  connection.send('error', { code: 1002, info: '登录已失效，请重新登录' })
  connection.socket.close(4001)
  await t.rejects(client.ready, { message: /^4001 .*登录已失效/ })
  t.match(client.ended, /^4001 /)
})

t.test('addresses with TLS are for the SDK', async (t) => {
  t.throws(() => clientOf(t, 'https://chat.example.com'), { message: /is for --sdk only/ })
})
