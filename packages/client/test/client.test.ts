import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { CallError, type ConnectOptions, connect, type WebSocketClass } from '../src/index.ts'
import { fakeGateway } from './fake-gateway.ts'
import { message } from './sample.ts'

/** A gateway, a client bound to it, and the gateway's end of the connection. */
async function bound(t: Test, options: Partial<ConnectOptions> = {}) {
  const gateway = await fakeGateway(t)
  const connecting = connect({ url: gateway.url, userId: '42', accessToken: 'secret', ...options })
  const connection = await gateway.connection()
  const binding = await connection.bind()
  const client = await connecting
  t.teardown(() => client.close())
  return { gateway, connection, client, binding }
}

t.test('it binds with its token in the frame, where no log of addresses sees it', async (t) => {
  const { binding, client } = await bound(t)
  t.same(binding, { userId: 42, accessToken: 'secret' })
  t.same(client.bound, { userId: 42, sessionKey: 'k', serverTime: 1 })
})

t.test('it says when it syncs by itself, and takes the class of the ws package', async (t) => {
  const { binding } = await bound(t, { sync: true, WebSocket: WebSocket as unknown as WebSocketClass })
  t.same(binding, { userId: 42, accessToken: 'secret', sync: true })
})

t.test('what comes right behind the binding is given to who listens as soon as connect is through', async (t) => {
  const gateway = await fakeGateway(t)
  const connecting = connect({ url: gateway.url, userId: '42', accessToken: 'secret' })
  const connection = await gateway.connection()
  await connection.bind()
  for (const seq of [1, 2]) connection.send('message', message({ seq }))
  const client = await connecting
  t.teardown(() => client.close())
  const given: number[] = []
  client.on('message', ({ seq }) => given.push(seq))
  const call = client.call('queryGroupList')
  connection.send('queryGroupList', { code: 0, taskId: (await connection.next('queryGroupList')).taskId })
  await call
  t.same(given, [1, 2])
})

t.test('a refused binding is the reason why connect fails', async (t) => {
  const gateway = await fakeGateway(t)
  const connecting = connect({ url: gateway.url, userId: '42', accessToken: 'old' })
  connecting.catch(() => {})
  const { socket, send, next } = await gateway.connection()
  await next('getUserId')
  send('error', { code: 1002, info: '登录已失效，请重新登录' })
  socket.close(4001)
  await t.rejects(connecting, new CallError(1002, '登录已失效，请重新登录'))
  t.equal(gateway.count, 1, 'and it does not try again with the same token')
})

t.test('with a source of tokens it comes back with a new one when the old one expired', async (t) => {
  let made = 0
  const { gateway, connection } = await bound(t, { accessToken: async () => `token ${++made}` })
  connection.socket.close(4002)
  t.match(await (await gateway.connection()).bind(), { accessToken: 'token 2' })
})

t.test('nobody there: connect gives up after its time', async (t) => {
  const connecting = connect({ url: 'http://127.0.0.1:9', userId: 1, accessToken: 'x', connectTimeoutMs: 50 })
  await t.rejects(connecting, { name: 'CallError', code: 5003 })
})

t.test('a call resolves with its own result and fails with its own refusal', async (t) => {
  const { connection, client } = await bound(t)
  const one = client.call('queryGroupInfo', { groupId: '7' })
  const two = client.call('deleteGroup', { groupId: '8' })
  two.catch(() => {})
  const asked = [await connection.next('queryGroupInfo'), await connection.next('deleteGroup')]
  t.match(asked, [
    { userId: 42, groupId: '7' },
    { userId: 42, groupId: '8' },
  ])
  connection.send('deleteGroup', { code: 2003, info: '您没有权限执行此操作', taskId: asked[1]?.taskId })
  connection.send('queryGroupInfo', { code: 0, taskId: asked[0]?.taskId, result: { groupId: '7' } })
  t.same(await one, { groupId: '7' })
  await t.rejects(two, { code: 2003, info: '您没有权限执行此操作', retryable: false })
})

t.test('a call without an answer ends, and one on a lost connection ends at once', async (t) => {
  const { connection, client } = await bound(t, { callTimeoutMs: 50 })
  await t.rejects(client.call('queryGroupList'), { code: 5003 })
  const lost = client.call('queryGroupList')
  lost.catch(() => {})
  await connection.next('queryGroupList')
  connection.socket.terminate()
  await t.rejects(lost, { code: 5002 })
})

t.test('pushes come out by their tags, unknown ones as frames', async (t) => {
  const { connection, client } = await bound(t)
  const seen: unknown[] = []
  client.on('message', ({ contentStr }) => seen.push(contentStr))
  const stop = client.on('groupListChanged', (event) => seen.push(event))
  client.on('frame', ({ tag }) => seen.push(tag))
  const last = new Promise((resolve) => client.on('error', resolve))
  connection.send('message', { contentStr: 'hello' })
  connection.send('groupListChanged', { groupId: '7', reason: 'added' })
  connection.send('somethingNew', 1)
  connection.send('error', { code: 1001, info: '请求格式错误' })
  await last
  t.same(seen, ['message', 'hello', 'groupListChanged', { groupId: '7', reason: 'added' }, 'somethingNew', 'error'])
  stop()
})

t.test('it comes back after a loss, and stays away after a code that says so', async (t) => {
  const { gateway, connection, client } = await bound(t)
  const states: string[] = []
  client.on('state', (state) => states.push(state))
  connection.socket.close(1001)
  const again = await gateway.connection()
  await again.bind()
  await client.ready
  const closed = new Promise((resolve) => client.on('close', resolve))
  again.socket.close(4009, 'too many devices')
  t.same(await closed, { code: 4009, reason: 'too many devices', final: true })
  t.same(states, ['connecting', 'bound', 'closed'])
  await t.rejects(client.call('queryGroupList'), { name: 'CallError' })
  await t.rejects(client.send({ to: 1, text: 'x' }), { name: 'CallError' })
})

t.test("each connection may go to another address, after a pause of the caller's choice", async (t) => {
  const [here, there] = [await fakeGateway(t), await fakeGateway(t)]
  const pauses: [number, number][] = []
  const addresses = [here.url, there.url]
  const connecting = connect({
    url: () => addresses.shift() ?? '',
    userId: '42',
    accessToken: 'secret',
    reconnectDelay: (failures, usual) => {
      pauses.push([failures, usual])
      return 0
    },
  })
  const first = await here.connection()
  await first.bind()
  const client = await connecting
  t.teardown(() => client.close())
  first.socket.terminate()
  await (await there.connection()).bind()
  await client.ready
  t.equal(pauses.length, 1)
  const [[failures, usual] = []] = pauses
  t.equal(failures, 0)
  t.ok(usual !== undefined && usual >= 250 && usual <= 500, 'told what the SDK would have waited')
})

t.test('every answer to a send can be seen, also a refusal after which it is sent again', async (t) => {
  const { connection, client } = await bound(t)
  const seen: unknown[] = []
  client.on('messageAck', (ack) => seen.push('seq' in ack ? ack.seq : ack.code))
  const sending = client.send({ to: '7', text: 'a', msgId: 'm1' })
  await connection.next('message')
  connection.send('messageAck', { msgId: 'm1', code: 5003, info: '' })
  await connection.next('message')
  const ack = { msgId: 'm1', sessionId: '', peerUserId: 7, seq: 4, serverReceiveDate: 1, state: 1 }
  connection.send('messageAck', ack)
  await sending
  connection.send('messageAck', { ...ack, duplicate: true })
  connection.send('error', { code: 1001, info: '' })
  await new Promise((resolve) => client.on('error', resolve))
  t.same(seen, [5003, 4, 4])
})
