import t from 'tap'
import { call, edge } from '../edge.ts'
import { anHourAgo, inAnHour, token } from '../tokens.ts'

const path = '/chat/group!groupList'
const app = await edge({ bus: { request: async () => ({ groupList: [] }) as never } })
t.teardown(() => app.close())

t.test('headers that pass', async (t) => {
  const cases: Record<string, Record<string, unknown>> = {
    'as in seed A': { expire: Date.now() + 60_000 },
    'uid as a number': { uid: 1000221 },
    'expire as a string of digits': { expire: String(Date.now() + 60_000) },
    'without client and expire': { client: undefined },
    'the client its token names': { client: 'one', accessToken: await token({ client: 'one' }) },
    'fields nobody knows': { version: 7 },
  }
  for (const [name, changed] of Object.entries(cases)) {
    const { status, body } = await call(app, path, {}, changed)
    t.equal(status, 200, name)
    t.equal(body.data.success, true, name)
  }
})

t.test('data may be left out where nothing is needed', async (t) => {
  for (const data of [undefined, null, {}]) t.equal((await call(app, path, data)).body.data.success, true)
})

t.test('anything wrong in headers is 401, its type included', async (t) => {
  const cases: Record<string, Record<string, unknown>> = {
    'no token': { accessToken: undefined },
    'an empty token': { accessToken: '' },
    'a token that is no text': { accessToken: { $ne: '' } },
    'an expired token': { accessToken: await token({ exp: anHourAgo() }) },
    'a forged token': { accessToken: await token({}, 'another secret of thirty-two bytes and more') },
    "another user's token": { accessToken: await token({ sub: '5' }) },
    'no uid': { uid: undefined },
    'an empty uid': { uid: '' },
    'a uid that is an object': { uid: { $ne: '' } },
    'a uid out of range': { uid: 2 ** 60 },
    'a uid with a leading zero': { uid: '01000221' },
    'expire in the past': { expire: 1411527886457 },
    'expire that is no time': { expire: 'tomorrow' },
    'expire that is an object': { expire: {} },
    'a client that is a number': { client: 7 },
    "another client than the token's": { client: 'two', accessToken: await token({ client: 'one' }) },
    "no client though the token's names one": { client: undefined, accessToken: await token({ client: 'one' }) },
  }
  for (const [name, changed] of Object.entries(cases)) {
    const { status, body } = await call(app, path, {}, changed)
    t.equal(status, 401, name)
    t.match(body.data, { success: false, info: '登录已失效，请重新登录', code: 'UNAUTHENTICATED' }, name)
  }
})

t.test('headers that are none at all are 401 and echoed as {}', async (t) => {
  for (const headers of [undefined, null, 'text', 7, []]) {
    const response = await app.inject({ method: 'POST', url: path, payload: { headers } })
    t.equal(response.statusCode, 401)
    t.same(response.json().headers, {})
  }
})

t.test('the echo is the four headers as they were sent and nothing else', async (t) => {
  const expire = inAnHour() * 1000
  const passed = await call(app, path, {}, { expire, uid: 1000221, secret: 'x' })
  t.strictSame(passed.body.headers, {
    uid: 1000221,
    accessToken: passed.sent.accessToken,
    client: 'F9FQXGP8FCM5',
    expire,
  })
  t.same(Object.keys(passed.body), ['headers', 'data'])
  const refused = await call(app, path, {}, { uid: '5', expire: '1', secret: 'x' })
  t.strictSame(refused.body.headers, {
    uid: '5',
    accessToken: refused.sent.accessToken,
    client: 'F9FQXGP8FCM5',
    expire: '1',
  })
  const odd = await call(app, path, {}, { uid: { a: 1 } })
  t.strictSame(odd.body.headers, { accessToken: odd.sent.accessToken, client: 'F9FQXGP8FCM5' })
})
