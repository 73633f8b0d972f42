import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { presenceHandlers } from '../../src/presence/handlers.ts'
import { ReadGate } from '../../src/reads/read-gate.ts'
import { MemoryConversations } from '../../src/store/memory-conversations.ts'
import { MemoryPreferences } from '../../src/store/memory-preferences.ts'

const context = (user: string) => ({ user, requestId: 'r', deadline: Date.now() + 5_000 })

function setup(online: readonly string[]) {
  const conversations = new MemoryConversations()
  const preferences = new MemoryPreferences()
  const asked: string[][] = []
  const published: unknown[] = []
  const handlers = presenceHandlers({
    conversations,
    preferences,
    routes: {
      async online(users) {
        asked.push([...users])
        return new Set(users.filter((user) => online.includes(user)))
      },
    },
    membership: {
      async memberOf() {
        throw new AppError('NOT_A_MEMBER')
      },
    },
    bus: { publish: (subject, payload) => void published.push([subject, JSON.parse(String(payload))]) },
    partitions: 1,
    gate: new ReadGate({ atOnce: 1, waiting: 1 }),
  })
  return { conversations, preferences, asked, published, ...handlers }
}

t.test('a service learns who is online, in the order it asked, each as often as it asked', async (t) => {
  const { services, asked } = setup(['2'])
  const { users } = await services['presence.get']({ userIds: ['3', '2', '3'] }, context(''))
  t.same(users, [
    { userId: '3', online: false },
    { userId: '2', online: true },
    { userId: '3', online: false },
  ])
  t.same(asked, [['3', '2']])
})

t.test('a client learns of its contacts only, and of who blocks it nothing', async (t) => {
  const { clients, conversations, preferences, asked } = setup(['2', '3', '4', '5'])
  for (const conversation of ['p1-2', 'p1-3', 'p1-4']) await conversations.begin([conversation], 1)
  await preferences.change({ user: '3', conversation: 'p1-3', version: 0, blocked: true })
  await preferences.change({ user: '1', conversation: 'p1-4', version: 0, blocked: true })
  const { users } = await clients['message.queryPresence']({ userIds: ['5', '4', '3', '2', '2', '1'] }, context('1'))
  t.same(users, [
    { userId: 4, online: true },
    { userId: 3, online: false },
    { userId: 2, online: true },
  ])
  t.same(asked, [['4', '2']], 'who blocks is not even asked for')
})

t.test('typing goes to the owner of the conversation, after a look at who asks', async (t) => {
  const { clients, published } = setup([])
  t.same(await clients['message.typing']({ peerUserId: '2' }, context('1')), {})
  t.same(published, [['partition.0.typing', { user: '1', conversation: 'p1-2' }]])
  await t.rejects(async () => clients['message.typing']({ peerUserId: '1' }, context('1')), {
    code: 'NO_SUCH_RECEIVER',
  })
  await t.rejects(async () => clients['message.typing']({ sessionId: '5' }, context('1')), { code: 'NOT_A_MEMBER' })
  t.equal(published.length, 1)
})
