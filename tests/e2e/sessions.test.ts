import t from 'tap'
import { people } from '../people.ts'
import { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { makeToken } from '../tokens.ts'

const system = await testSystem(t, { gateways: 1, rateLimits: true, serviceEnv: { BIND_TIMEOUT_MS: '1500' } })
const newPerson = people(t, system)
const [url = ''] = system.urls

t.test('a socket that is not bound in time is closed 4001', async (t) => {
  const socket = await RawSocket.open(url)
  t.equal((await socket.closed).code, 4001)
})

t.test('a socket lives as long as its token, and longer with a newer one', async (t) => {
  const { id, number } = await newPerson()
  const bind = async (expiresIn: number) => {
    const socket = await RawSocket.open(url)
    socket.send('getUserId', {
      userId: number,
      accessToken: await makeToken(system.authSecret, { sub: id }, expiresIn),
    })
    await socket.next('bound')
    return socket
  }
  const [short, extended] = [await bind(2), await bind(2)]
  extended.send('getUserId', { userId: number, accessToken: await makeToken(system.authSecret, { sub: id }, 60) })
  await extended.next('bound')
  t.equal((await short.closed).code, 4002)
  t.match(await extended.ask('queryGroupList'), { code: 0 })
})

t.test('a burst is taken, what is above it is refused, and others are not slowed', async (t) => {
  const [flooding, other] = [await newPerson(), await newPerson()]
  const [socket, quiet] = [await flooding.socket(), await other.socket()]
  const answers = await Promise.all(Array.from({ length: 400 }, () => socket.ask('queryGroupList')))
  const refused = answers.filter(({ code }) => code === 1007)
  const taken = answers.filter(({ code }) => code === 0)
  t.equal(refused.length + taken.length, 400)
  t.ok(taken.length >= 199 && refused.length > 0, `${taken.length} were taken`)
  t.match(refused[0], { code: 1007, info: '操作过于频繁，请稍后再试' })
  t.match(await quiet.ask('queryGroupList'), { code: 0 })
  const calls = await Promise.all(Array.from({ length: 300 }, () => flooding.post('/chat/group!groupList')))
  const throttled = calls.filter(({ status }) => status === 429)
  t.ok(throttled.length > 0, 'calls take from the same limit')
  t.match(throttled[0]?.data, { success: false, code: 'RATE_LIMITED' })
  t.ok(Number(throttled[0]?.headers.get('retry-after')) >= 1)
})
