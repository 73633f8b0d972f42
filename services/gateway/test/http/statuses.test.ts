import { type ErrorCode, errors } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { TokenBuckets } from '../../src/limits/token-bucket.ts'
import { surface } from '../../src/surface.ts'
import { call, edge } from '../edge.ts'
import { token } from '../tokens.ts'

const path = '/chat/group!joinGroup'
const json = { 'content-type': 'application/json' }
const refuseWith = (error: unknown) => ({ bus: { request: () => Promise.reject(error) } })

t.test('whatever is wrong before the call, the body has the same shape', async (t) => {
  const app = await edge({ env: { BODY_LIMIT_BYTES: '2048' } })
  t.teardown(() => app.close())
  const cases: [string, InjectOptions, number, ErrorCode][] = [
    ['malformed JSON', { method: 'POST', url: path, headers: json, payload: '{"headers":' }, 400, 'BAD_REQUEST'],
    ['an empty body', { method: 'POST', url: path, headers: json, payload: '' }, 400, 'BAD_REQUEST'],
    ['no body', { method: 'POST', url: path }, 400, 'BAD_REQUEST'],
    ['an array', { method: 'POST', url: path, payload: [] }, 400, 'BAD_REQUEST'],
    ['a number', { method: 'POST', url: path, headers: json, payload: '7' }, 400, 'BAD_REQUEST'],
    ['null', { method: 'POST', url: path, headers: json, payload: 'null' }, 400, 'BAD_REQUEST'],
    ['__proto__', { method: 'POST', url: path, headers: json, payload: '{"__proto__":{}}' }, 400, 'BAD_REQUEST'],
    ['too large', { method: 'POST', url: path, payload: { data: 'x'.repeat(3_000) } }, 413, 'TOO_LARGE'],
    [
      'text',
      { method: 'POST', url: path, headers: { 'content-type': 'text/plain' }, payload: '{}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a form',
      { method: 'POST', url: path, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'a=1' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['an unknown path', { method: 'POST', url: '/chat/group!nothing', payload: {} }, 404, 'UNKNOWN_OPERATION'],
    [
      'a path in other letters',
      { method: 'POST', url: '/chat/group!JoinGroup', payload: {} },
      404,
      'UNKNOWN_OPERATION',
    ],
    ['an unreadable path', { method: 'POST', url: '/chat/%zz', payload: {} }, 404, 'UNKNOWN_OPERATION'],
    ['a body nobody reads', { method: 'POST', url: '/x', headers: json, payload: '{' }, 404, 'UNKNOWN_OPERATION'],
    [
      'text to nobody',
      { method: 'POST', url: '/x', headers: { 'content-type': 'a/b' }, payload: '{' },
      404,
      'UNKNOWN_OPERATION',
    ],
    ...(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const).map(
      (method): [string, InjectOptions, number, ErrorCode] => [method, { method, url: path }, 404, 'UNKNOWN_OPERATION'],
    ),
  ]
  for (const [name, request, status, code] of cases) {
    const response = await app.inject(request)
    t.equal(response.statusCode, status, name)
    t.equal(response.headers['content-type'], 'application/json; charset=utf-8', name)
    t.match(response.json(), { headers: {}, data: { success: false, info: errors[code].zh, code } }, name)
  }
})

t.test('headers that could be read are echoed by a refusal of the path', async (t) => {
  const app = await edge()
  t.teardown(() => app.close())
  const { status, body, sent } = await call(app, '/chat/group!nothing')
  t.equal(status, 404)
  t.same(body.headers, sent)
})

t.test('each refusal has the status of the table, its own text, and its word', async (t) => {
  for (const [code, entry] of Object.entries(errors)) {
    const app = await edge(refuseWith(new AppError(code as ErrorCode)))
    const { status, body } = await call(app, path, { groupId: '1' })
    t.equal(status, entry.status, code)
    t.strictSame(body.data, { success: false, info: entry.zh, code })
    await app.close()
  }
})

t.test('the text is English for who prefers it', async (t) => {
  const app = await edge(refuseWith(new AppError('GROUP_NOT_FOUND')))
  t.teardown(() => app.close())
  const inject = async (language: string) =>
    (
      await app.inject({
        method: 'POST',
        url: path,
        headers: { 'accept-language': language },
        payload: { headers: { uid: '1000221', accessToken: await token() }, data: { groupId: '1' } },
      })
    ).json().data.info
  t.equal(await inject('en-GB,en;q=0.9'), 'The group does not exist')
  t.equal(await inject('zh-CN'), '群不存在或已解散')
})

t.test('an unexpected error is 500 and shows nothing of itself', async (t) => {
  const app = await edge(refuseWith(new Error('a secret')))
  t.teardown(() => app.close())
  const { status, body } = await call(app, path, { groupId: '1' })
  t.equal(status, 500)
  t.strictSame(body.data, { success: false, info: '系统内部错误，请稍后再试', code: 'INTERNAL' })
})

t.test('what is away is not described to the caller', async (t) => {
  const app = await edge(refuseWith(new AppError('UNAVAILABLE', { details: { subject: 'group.joinGroup' } })))
  t.teardown(() => app.close())
  const { status, body } = await call(app, path, { groupId: '1' })
  t.equal(status, 503)
  t.notOk('details' in body.data)
})

t.test('above the limit: 429, and when to come again', async (t) => {
  const limits = new TokenBuckets({ burst: 1, perSecond: 0.5 })
  const app = await edge({ limits, bus: { request: async () => ({}) as never }, now: () => 0 })
  t.teardown(() => app.close())
  t.equal((await call(app, path, { groupId: '1' })).status, 200)
  const { status, http, body } = await call(app, path, { groupId: '1' })
  t.equal(status, 429)
  t.equal(http['retry-after'], '2')
  t.match(body.data, { success: false, code: 'RATE_LIMITED', details: { retryAfterMs: 2000 } })
})

t.test('a malformed call counts too', async (t) => {
  const limits = new TokenBuckets({ burst: 1, perSecond: 0.5 })
  const app = await edge({ limits, now: () => 0 })
  t.teardown(() => app.close())
  t.equal((await call(app, path, { groupId: {} })).status, 400)
  t.equal((await call(app, path, { groupId: {} })).status, 429)
})

t.test('every call of the table', async (t) => {
  const app = await edge()
  t.teardown(() => app.close())
  for (const row of surface) {
    await t.test(`${row.path} refuses strangers, other users and wrong types`, async (t) => {
      t.match((await call(app, row.path, {}, { accessToken: 'x' })).body.data, { code: 'UNAUTHENTICATED' })
      for (const field of ['userId', 'fromUserId']) {
        const other = await call(app, row.path, { [field]: 5 })
        t.equal(other.status, 200)
        t.match(other.body.data, { success: false, code: 'FORBIDDEN', info: '不能以其他用户的身份操作' })
        t.match((await call(app, row.path, { [field]: { $gt: '' } })).body.data, {
          code: 'BAD_REQUEST',
          details: { field },
        })
      }
      for (const data of ['text', 7, []]) {
        const { status, body } = await call(app, row.path, data)
        t.equal(status, 400)
        t.match(body.data, { code: 'BAD_REQUEST', details: { field: 'data' } })
      }
    })
  }
})
