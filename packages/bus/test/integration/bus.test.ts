import { randomBytes } from 'node:crypto'
import { exitGroup, membersOf } from '@qunxin/contracts'
import { AppError, createLogger } from '@qunxin/runtime'
import t from 'tap'
import { connectBus } from '../../src/index.ts'

const url = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const prefix = `t${randomBytes(4).toString('hex')}`
const logger = createLogger('test', 'silent')
const connect = (name: string) => connectBus({ url, name, prefix, inboxPrefix: `_INBOX_${name}`, logger })

const service = await connect('service')
const caller = await connect('caller')
t.teardown(() => Promise.all([service.close(), caller.close()]))

const manyMembers = Array.from({ length: 40_000 }, (_, i) => ({
  userId: String(1_000_000_000 + i),
  role: 'member' as const,
}))
service.serve(
  {
    'group.exitGroup': (input: { groupId: string }, { user }: { user: string }) => {
      if (input.groupId === '13') throw new Error('a secret detail')
      if (input.groupId === '7') throw new AppError('ADMIN_CANNOT_LEAVE', { details: { user } })
      return { groupName: `${user} in ${input.groupId}` }
    },
    'group.membersOf': () => ({ members: manyMembers, version: 3 }),
  },
  'group-service',
)
await service.flush()

t.test('a request carries the acting user and comes back with the result', async (t) => {
  t.same(await caller.request(exitGroup, { groupId: '5' }, { user: '42' }), { groupName: '42 in 5' })
})

t.test('a refusal keeps its code and details', async (t) => {
  await t.rejects(caller.request(exitGroup, { groupId: '7' }, { user: '42' }), {
    code: 'ADMIN_CANNOT_LEAVE',
    details: { user: '42' },
  })
})

t.test('an unexpected error becomes INTERNAL and shows nothing of itself', async (t) => {
  const error = await caller.request(exitGroup, { groupId: '13' }, { user: '42' }).catch((e: AppError) => e)
  t.equal((error as AppError).code, 'INTERNAL')
  t.notMatch(JSON.stringify(error), /secret/)
})

t.test('a malformed input is refused with the name of the field', async (t) => {
  const input = { groupId: { $ne: '' } } as unknown as { groupId: string }
  await t.rejects(caller.request(exitGroup, input), { code: 'BAD_REQUEST', details: { field: 'groupId' } })
})

t.test('a reply larger than NATS carries comes whole', async (t) => {
  const { members, version } = await caller.request(membersOf, { groupId: '5' })
  t.equal(version, 3)
  t.same(members, manyMembers)
})

t.test('a request nobody serves waits for a server to come, then ends UNAVAILABLE', async (t) => {
  await t.rejects(caller.ask('nobody.here', '{}', { timeoutMs: 300 }), { code: 'UNAVAILABLE' })
  const waiting = caller.ask('late.comer', '{}', { timeoutMs: 5_000 })
  service.subscribe('late.comer', (message) => message.respond('"here"'))
  t.equal(Buffer.from(await waiting).toString(), '"here"')
})

t.test('a request whose answer never comes ends TIMEOUT', async (t) => {
  service.subscribe('silent', () => {})
  await service.flush()
  await t.rejects(caller.ask('silent', '{}', { timeoutMs: 100 }), { code: 'TIMEOUT' })
})

t.test('gather resolves as soon as there are enough replies, and with what came when there are not', async (t) => {
  service.subscribe('everyone', (message) => message.respond('1'))
  caller.subscribe('everyone', (message) => message.respond('2'))
  await Promise.all([service.flush(), caller.flush()])
  t.equal(
    (await caller.gather('everyone', '', { enough: (replies) => replies.length === 2, timeoutMs: 5_000 })).length,
    2,
  )
  t.equal(
    (await caller.gather('everyone', '', { enough: (replies) => replies.length === 3, timeoutMs: 100 })).length,
    2,
  )
})

t.test('a stop waits for the requests under way', async (t) => {
  const slow = await connect('slow')
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  slow.serve(
    {
      'group.deleteGroup': async () => {
        entered.resolve()
        await release.promise
        return {}
      },
    },
    'slow',
  )
  await slow.flush()
  const reply = caller.ask('group.deleteGroup', '{"groupId":"1"}')
  await entered.promise
  const stopped = slow.stopServing()
  release.resolve()
  await stopped
  t.match(Buffer.from(await reply).toString(), '"ok":true')
  await slow.close()
})
