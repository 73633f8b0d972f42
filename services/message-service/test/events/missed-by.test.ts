import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { type MissedByOptions, missedBy } from '../../src/events/missed-by.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryPreferences } from '../../src/store/memory-preferences.ts'
import { message } from '../sample.ts'

const cursors = new MemoryCursors()
const preferences = new MemoryPreferences()
for (const [user, conversation] of [
  ['4', 'g5'],
  ['2', 'g5'],
  ['3', 'p3-9'],
] as const)
  await preferences.change({ user, conversation, version: 0, muted: true })
await cursors.advance([{ user: '7', conversation: 'p7-9', deliveredSeq: 4 }])
await cursors.advance([{ user: '4', conversation: 'g8', deliveredSeq: 4 }])

/** 2 is on a gateway that lives, 3 on one that died, all others nowhere. */
function missed(options: Partial<MissedByOptions> = {}) {
  return missedBy({
    source: {
      membersOf: async (group) => {
        if (group !== '5' && group !== '8') throw new AppError('GROUP_NOT_FOUND')
        return { version: 1, members: ['1', '2', '3', '4'].map((userId) => ({ userId, role: 'member' as const })) }
      },
    },
    routes: {
      nodesOf: async (users) => {
        const nodes: Record<string, string[]> = { 2: ['alive'], 3: ['dead'] }
        return new Map([...users].map((user) => [user, new Set(nodes[user])] as const))
      },
    },
    lives: (node) => node === 'alive',
    listeningSince: -Infinity,
    cursors,
    preferences,
    groupLimit: 100,
    ...options,
  })
}

t.test('who had no connection missed it: neither the sender, nor who is on a gateway that lives', async (t) => {
  const inGroup = message({ seq: 1, group: '5' })
  const toAway = message({ seq: 1, from: '2', to: '3', conversation: 'p2-3' })
  const toThere = message({ seq: 2, from: '3', to: '2', conversation: 'p2-3' })
  t.same(await missed()([inGroup, toAway, toThere]), [
    { message: inGroup, users: ['3', '4'], muted: ['4'] },
    { message: toAway, users: ['3'], muted: [] },
  ])
})

t.test(
  'of groups that are gone or over the limit, and of recalls, edits and what was recalled, nobody missed anything',
  async (t) => {
    const change = { kind: 'edit' as const, seq: 1, msgId: 'm1' }
    const edit = message({ seq: 2, to: '3', change })
    t.same(await missed()([message({ group: '6' }), edit, message({ to: '3', recalled: true })]), [])
    t.same(await missed({ groupLimit: 3 })([message({ group: '5' })]), [])
  },
)

t.test('nobody missed what was sent before they joined', async (t) => {
  const member = (userId: string, joinedSeq: number) => ({ userId, role: 'member' as const, joinedSeq })
  const source = { membersOf: async () => ({ version: 1, members: [member('4', 6), member('8', 7)] }) }
  t.match(await missed({ source })([message({ seq: 7, group: '5' })]), [{ users: ['4'] }])
})

t.test('nor did anybody miss what has reached them before, and who muted a conversation is named', async (t) => {
  const to = (user: string, seq: number) => message({ seq, from: '9', to: user, conversation: `p${user}-9` })
  const inGroup = [4, 5].map((seq) => message({ seq, group: '8' }))
  const all = await missed()([to('7', 4), to('7', 5), to('3', 1), ...inGroup])
  t.same(
    all.map(({ message: { conversation, seq }, users, muted }) => [conversation, seq, users, muted]),
    [
      ['p7-9', 5, ['7'], []],
      ['p3-9', 1, ['3'], ['3']],
      ['g8', 4, ['3'], []],
      ['g8', 5, ['3', '4'], []],
    ],
  )
})

t.test('while group-service is away nobody is made up', async (t) => {
  const source = { membersOf: async () => Promise.reject(new AppError('UNAVAILABLE')) }
  await t.rejects(missed({ source })([message({ group: '5' })]), { code: 'UNAVAILABLE' })
})

t.test('gateways are given the time to be heard of', async (t) => {
  let heard = false
  const answer = missed({ listeningSince: performance.now() - 1_800, lives: () => heard })([message({ seq: 1 })])
  heard = true
  t.same(await answer, [], 'a gateway heard of in time counts')
})

t.test('where tens of thousands are is asked for bit by bit, with turns for others between', async (t) => {
  const users = Array.from({ length: 20_000 }, (_, i) => String(i + 10))
  const members = users.map((userId) => ({ userId, role: 'member' as const }))
  let most = 0
  let turns = 0
  const others = setInterval(() => turns++, 0)
  const nodesOf = async (asked: Iterable<string>) => {
    const some = [...asked]
    most = Math.max(most, some.length)
    return new Map(some.map((user) => [user, new Set<string>()] as const))
  }
  const source = { membersOf: async () => ({ version: 1, members }) }
  const found = await missed({ source, routes: { nodesOf }, groupLimit: 100_000 })([message({ group: '5' })])
  clearInterval(others)
  t.equal(found[0]?.users.length, users.length)
  t.ok(most <= 2_000, `${most} at once`)
  t.ok(turns > 0)
})
