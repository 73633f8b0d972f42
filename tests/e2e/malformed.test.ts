import { errors } from '@qunxin/contracts'
import t from 'tap'
import { people, postRaw } from '../people.ts'
import { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t)
const newPerson = people(t, system)
const [url = ''] = system.urls
const zh = (code: keyof typeof errors) => ({ code: errors[code].number, info: errors[code].zh })
const path = `${url}/chat/group!groupList`

t.test('a body that cannot be read is refused in the shape of seed A', async (t) => {
  const json = { 'content-type': 'application/json' }
  const refused = async (what: string, body: string, expected: { status: number; code: string; type?: string }) => {
    const answer = await postRaw(path, body, expected.type === undefined ? json : { 'content-type': expected.type })
    t.equal(answer.status, expected.status, what)
    t.match(answer.body, { headers: {}, data: { success: false, code: expected.code, info: String } }, what)
  }
  await refused('not JSON', '{"headers":', { status: 400, code: 'BAD_REQUEST' })
  await refused('nothing', '', { status: 400, code: 'BAD_REQUEST' })
  for (const body of ['null', '[]', '"text"', '7']) await refused(body, body, { status: 400, code: 'BAD_REQUEST' })
  await refused('no headers', '{}', { status: 401, code: 'UNAUTHENTICATED' })
  await refused('headers of a wrong type', '{"headers":[]}', { status: 401, code: 'UNAUTHENTICATED' })
  await refused('a form', 'a=b', { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', type: 'text/plain' })
  await refused('too large', JSON.stringify({ a: 'x'.repeat(300 * 1024) }), { status: 413, code: 'TOO_LARGE' })
  const elsewhere = await postRaw(`${url}/chat/group!nothing`, '{}')
  t.match(
    [elsewhere.status, elsewhere.data],
    [404, { success: false, code: 'UNKNOWN_OPERATION', info: '没有这个接口' }],
  )
  t.equal((await fetch(path)).status, 404, 'another method')
})

t.test('headers that do not fit the token are refused', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  for (const [what, envelope] of Object.entries({
    'another uid': { uid: two.id },
    'a uid of a wrong type': { uid: { $ne: 1 } },
    'a token of a wrong type': { accessToken: 7 },
    'no token at all': { accessToken: '' },
    'another signature': { accessToken: `${one.token}x` },
    'past expire': { expire: Date.now() - 1 },
    'expire of a wrong type': { expire: 'soon' },
  })) {
    const { status, data } = await one.post('/chat/group!groupList', {}, { envelope })
    t.equal(status, 401, what)
    t.match(data, { success: false, code: 'UNAUTHENTICATED', info: errors.UNAUTHENTICATED.zh }, what)
  }
  t.match(await one.post('/chat/group!groupList', {}, { envelope: { uid: one.number } }), { status: 200 })
})

t.test('a frame that cannot be read is told, and the connection and the others go on', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [socket, other] = [await one.socket(), await two.socket()]
  for (const text of ['', 'nonsense', '{"tag":', 'null', '[]', '7', '{}', '{"tag":7}', '{"tag":""}', '{"data":{}}']) {
    socket.socket.send(text)
    t.match(await socket.next('error'), zh('BAD_REQUEST'), JSON.stringify(text))
  }
  socket.socket.send(Buffer.from('{"tag":"canConnect"}'), { binary: true })
  t.match(await socket.next('error'), zh('BAD_REQUEST'), 'binary')
  socket.send('noSuchTag', { taskId: 'x' })
  t.match(await socket.next('error'), { ...zh('UNKNOWN_OPERATION'), tag: 'noSuchTag', taskId: 'x' })

  for (const data of [undefined, null, 7, 'text', []]) {
    socket.send('queryGroupInfo', data)
    t.match(await socket.next('queryGroupInfo'), zh('BAD_REQUEST'), `data ${JSON.stringify(data)}`)
  }
  socket.send('queryGroupList', { taskId: { $ne: 1 } })
  t.match(await socket.next('queryGroupList'), zh('BAD_REQUEST'))

  await socket.message({ toUserId: two.number, contentStr: 'still here' })
  t.match(await other.next('message'), { contentStr: 'still here' })
})

t.test('a message that cannot be sent is refused under its msgId, or by error when it has none', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const socket = await one.socket()
  const refused = async (data: Record<string, unknown>, code: keyof typeof errors) =>
    t.match(await socket.message({ toUserId: two.number, ...data }), zh(code), JSON.stringify(data).slice(0, 80))
  await refused({ toUserId: one.number }, 'NO_SUCH_RECEIVER')
  await refused({ toUserId: 0 }, 'NO_SUCH_RECEIVER')
  await refused({ toUserId: undefined }, 'BAD_REQUEST')
  await refused({ toUserId: { $gt: 0 } }, 'BAD_REQUEST')
  await refused({ fromUserId: two.number }, 'FORBIDDEN')
  await refused({ msgContentType: '7' }, 'UNSUPPORTED_CONTENT')
  await refused({ msgContentType: 'text' }, 'BAD_REQUEST')
  await refused({ sessionId: '999' }, 'GROUP_NOT_FOUND')
  await refused({ sessionId: { a: 1 } }, 'BAD_REQUEST')
  for (const msgId of [undefined, '', 'a'.repeat(65), 'with space', { $ne: 1 }]) {
    socket.send('message', { toUserId: two.number, contentStr: 'x', msgContentType: '1', sessionId: '', msgId })
    t.match(await socket.next('error'), { ...zh('BAD_REQUEST'), tag: 'message' })
  }
})

t.test('taskId comes back as it was, an empty one too, and is left out when there was none', async (t) => {
  const socket = await (await newPerson()).socket()
  for (const taskId of ['', 'a', 0, 12.5]) {
    socket.send('queryGroupList', { taskId })
    t.same(await socket.next('queryGroupList'), { code: 0, taskId, result: [] })
  }
  socket.send('queryGroupList', {})
  t.same(await socket.next('queryGroupList'), { code: 0, result: [] })
})

t.test('a frame over the limit is closed 1009, and only that connection', async (t) => {
  const person = await newPerson()
  const [bad, good] = [await person.socket(), await person.socket()]
  bad.socket.send(JSON.stringify({ tag: 'canConnect', data: 'x'.repeat(100 * 1024) }))
  t.equal((await bad.closed).code, 1009)
  good.send('canConnect')
  t.equal(await good.next('canConnect'), true)
})

t.test('canConnect is answered before the binding, and over HTTP', async (t) => {
  const socket = await RawSocket.open(url)
  socket.send('canConnect')
  t.equal(await socket.next('canConnect'), true)
  await socket.close()
  const response = await fetch(`${url}/canConnect`)
  t.same([response.status, await response.json()], [200, true])
})

t.test('a binding that is refused closes 4001; on a bound socket it changes nothing', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const foreign = await RawSocket.open(url, { token: one.token })
  foreign.send('getUserId', { userId: two.number })
  t.match(await foreign.next('error'), { ...zh('FORBIDDEN'), tag: 'getUserId' })
  t.equal((await foreign.closed).code, 4001)

  const socket = await RawSocket.open(url)
  for (const userId of [undefined, 0, -1, 'me', { $ne: 1 }]) {
    socket.send('getUserId', { userId })
    t.match(await socket.next('error'), zh('BAD_REQUEST'))
  }
  socket.send('getUserId', { userId: one.id, accessToken: one.token })
  socket.send('queryGroupList', { taskId: 'behind it' })
  t.match(await socket.next('bound'), { userId: one.number, sessionKey: String, serverTime: Number })
  t.match(await socket.next('queryGroupList'), { taskId: 'behind it', code: 0 })
  socket.send('getUserId', { userId: two.number, accessToken: two.token })
  t.match(await socket.next('error'), zh('FORBIDDEN'))
  t.match(await socket.ask('queryGroupList'), { code: 0 })
  await t.rejects(RawSocket.open(url, { token: 'no token' }), 'a bad token in the handshake is no upgrade')
})
