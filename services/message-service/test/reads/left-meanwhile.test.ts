import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import type { MembershipSource } from '../../src/membership/source.ts'
import { readBacklog } from '../../src/reads/backlog.ts'
import { readBehind } from '../../src/reads/behind.ts'
import { listConversations } from '../../src/reads/conversation-list.ts'
import { GroupsInTime } from '../../src/reads/groups-in-time.ts'
import { MemberCursors } from '../../src/reads/member-cursors.ts'
import { readReceipts } from '../../src/reads/query-receipts.ts'
import { loadRecords } from '../../src/reads/records.ts'
import { readSync } from '../../src/reads/sync.ts'
import { message } from '../sample.ts'
import { memoryStores } from '../sample-stores.ts'

/** Longer than a membership counts from the question on. */
const SLOW_MS = 250

/**
 * User 1 is in group 5 with message 1. The first command of a read takes long: meanwhile they go, unless they stay, and message 2
 * is sent.
 */
async function setup({ stays = false } = {}) {
  const stores = memoryStores()
  let isMember = true
  let isFirst = true
  const of = { joinedAt: 1, joinedSeq: 0 }
  const membership: MembershipSource = {
    membersOf: async () => ({
      version: 1,
      members: ['1', '2'].map((userId) => ({ userId, role: 'member', joinedSeq: 0 })),
    }),
    versionsOf: async () => [1],
    groupsOf: async () => (isMember ? [{ groupId: '5', ...of }] : []),
    groupsOfUsers: async (users) => users.map(() => (isMember ? [{ groupId: '5', ...of }] : [])),
    memberOf: async () => {
      if (!isMember) throw new AppError('NOT_A_MEMBER')
      return { ...of, role: 'member' as const }
    },
  }
  await stores.log.append([message({ group: '5', seq: 1, from: '2' })])
  const leaving = async () => {
    if (!isFirst) return
    isFirst = false
    isMember = stays
    await stores.log.append([message({ group: '5', seq: 2, from: '2', at: 2_000, text: 'after they had gone' })])
    await delay(SLOW_MS)
  }
  const slow = <T extends object>(store: T) =>
    new Proxy(store, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return async (...input: unknown[]) => {
          await leaving()
          return Reflect.apply(method, target, input)
        }
      },
    })
  const [log, overviews] = [slow(stores.log), slow(stores.overviews)]
  const { cursors, conversations } = stores
  const memberCursors = new MemberCursors({ membership, cursors, log })
  return {
    log,
    overviews,
    cursors,
    conversations,
    membership,
    memberCursors,
    groupsInTime: new GroupsInTime(membership),
  }
}
const page = { groupId: '5', chatUserId: undefined, lastTime: undefined, pageSize: undefined, beforeSeq: undefined }
const inGroup = { sessionId: '5', peerUserId: undefined }

t.test('what was sent after somebody had gone is in no history that they began to read before', async (t) => {
  await t.rejects(loadRecords(await setup(), '1', page), { code: 'NOT_A_MEMBER' })
})

t.test('nor in a list', async (t) => {
  t.same(await listConversations(await setup(), '1', { after: undefined }), { conversations: [] })
})

t.test('nor in a sync, named or new', async (t) => {
  const named = await readSync(await setup(), '1', { positions: [{ ...inGroup, seq: 0 }], newAfter: undefined })
  t.match(named, { positions: [{ status: 'reset', reason: 'notAMember', lastSeq: 0 }], new: { length: 0 } })
  t.same((await readSync(await setup(), '1', { positions: [], newAfter: undefined })).new, [])
})

t.test('nor do they learn who has read it', async (t) => {
  await t.rejects(readReceipts(await setup(), '1', { ...inGroup, seq: 2, after: undefined }), { code: 'NOT_A_MEMBER' })
})

t.test('nor is it what a connection has missed', async (t) => {
  for (const groups of [undefined, 'only', 'optional'] as const)
    t.same(await readBacklog(await setup(), '1', groups), { messages: [] })
  t.same(await readBehind(await setup(), ['1'], true), { behind: [], backlogs: [] })
})

t.test('who has stayed is shown everything, however long it took', async (t) => {
  const { recordList } = await loadRecords(await setup({ stays: true }), '1', page)
  t.same(
    recordList.map(({ seq }) => seq),
    [1, 2],
  )
  const { backlogs = [] } = await readBehind(await setup({ stays: true }), ['1'], true)
  t.same(
    backlogs.map(([user, messages]) => [user, messages.map(({ seq }) => seq)]),
    [['1', [1, 2]]],
  )
})
