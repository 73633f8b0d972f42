import type { MembershipInterval } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { MemberCursors } from '../../src/reads/member-cursors.ts'
import { readReceipts } from '../../src/reads/query-receipts.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { message } from '../sample.ts'

interface Member {
  userId: string
  joinedSeq?: number
  joinedAt?: number
  visible?: MembershipInterval[]
}

/** A group with these members and three messages of 1, and three of 1 to 2. */
async function setup(members: Member[], keptMs?: number) {
  const log = new MemoryLog()
  await log.append([1, 2, 3].map((seq) => message({ seq, group: '5' })))
  await log.append([1, 2, 3].map((seq) => message({ seq })))
  const cursors = new MemoryCursors()
  const calls = { membersOf: 0, cursors: 0 }
  const membership = {
    memberOf: async (_group: string, user: string) => {
      const member = members.find(({ userId }) => userId === user)
      if (!member) throw new AppError('NOT_A_MEMBER')
      return { joinedAt: 1, role: 'member' as const, ...(member.visible && { visible: member.visible }) }
    },
    membersOf: async () => {
      calls.membersOf += 1
      return {
        version: 1,
        members: members.map(({ visible: _, ...member }) => ({ ...member, role: 'member' as const })),
      }
    },
  }
  const counted: Pick<MemoryCursors, 'of'> = {
    of: (...asked) => {
      calls.cursors += 1
      return cursors.of(...asked)
    },
  }
  const memberCursors = new MemberCursors({ membership, cursors: counted, log }, keptMs)
  const ports = { log, cursors, membership, memberCursors }
  const inGroup = (user: string, seq: number, after?: number) =>
    readReceipts(ports, user, { sessionId: '5', seq, ...(after !== undefined && { after }) })
  const inPerson = (user: string, peerUserId: string, seq: number) => readReceipts(ports, user, { peerUserId, seq })
  return { cursors, calls, inGroup, inPerson }
}
const people = (count: number) => Array.from({ length: count }, (_, index) => ({ userId: String(index + 1) }))

t.test('of a personal message the receiver is told of, whoever of the two asks', async (t) => {
  const { cursors, inPerson } = await setup([])
  await cursors.advance([{ user: '2', conversation: 'p1-2', deliveredSeq: 3, readSeq: 2 }])
  const of = (state: number) => ({
    deliveredCount: 1,
    readCount: state === 3 ? 1 : 0,
    total: 1,
    members: [{ userId: 2, state }],
  })
  t.same(await inPerson('1', '2', 2), of(3))
  t.same(await inPerson('1', '2', 3), of(2))
  t.same(await inPerson('2', '1', 3), of(2))
})

t.test('of a group message every other member of then is told of who still is one, by number', async (t) => {
  const members = [{ userId: '10' }, { userId: '1' }, { userId: '9', joinedSeq: 1 }, { userId: '8', joinedAt: 1_002 }]
  const { cursors, inGroup } = await setup(members)
  await cursors.advance([{ user: '10', conversation: 'g5', deliveredSeq: 2, readSeq: 1 }])
  await cursors.advance([{ user: '7', conversation: 'g5', deliveredSeq: 3, readSeq: 3 }])
  t.same(await inGroup('8', 2), {
    deliveredCount: 1,
    readCount: 0,
    total: 2,
    members: [
      { userId: 9, state: 1 },
      { userId: 10, state: 2 },
    ],
  })
  t.match(await inGroup('1', 1), { total: 1, readCount: 1, members: [{ userId: 10, state: 3 }] })
})

t.test('what is ahead of the log, and what a member may not see, is no message', async (t) => {
  const visible = [{ afterTime: 0, afterSeq: 1 }]
  const { inGroup, inPerson } = await setup([{ userId: '1' }, { userId: '2', joinedSeq: 1, visible }])
  await t.rejects(inGroup('1', 4), { code: 'MESSAGE_NOT_FOUND' })
  await t.rejects(inGroup('2', 1), { code: 'MESSAGE_NOT_FOUND' })
  await t.resolves(inGroup('2', 2))
  await t.rejects(inPerson('1', '2', 4), { code: 'MESSAGE_NOT_FOUND' })
  await t.rejects(inPerson('1', '9', 1), { code: 'MESSAGE_NOT_FOUND' })
  await t.rejects(inGroup('3', 1), { code: 'NOT_A_MEMBER' })
})

t.test('pages of 200 hold everybody once, and the last names no next', async (t) => {
  const { inGroup } = await setup(people(401))
  const first = await inGroup('1', 1)
  t.match(first, { total: 400, next: 201 })
  t.equal(first.members.length, 200)
  const last = await inGroup('1', 1, first.next)
  t.same([last.members.length, last.members.at(-1)?.userId, 'next' in last], [200, 401, false])
  t.same((await inGroup('1', 1, 401)).members, [])
})

t.test('of a group up to 500 the answer is as of now, and costs one question and one read', async (t) => {
  const { cursors, calls, inGroup } = await setup(people(500))
  t.match(await inGroup('1', 1), { readCount: 0 })
  await cursors.advance([{ user: '2', conversation: 'g5', deliveredSeq: 1, readSeq: 1 }])
  t.match(await inGroup('1', 1), { readCount: 1 })
  t.same(calls, { membersOf: 2, cursors: 2 })
})

t.test('a larger group is read once for many questions', async (t) => {
  const { cursors, calls, inGroup } = await setup(people(2_001), 600_000)
  await Promise.all([inGroup('1', 1), inGroup('2', 1), inGroup('3', 2)])
  await cursors.advance([{ user: '2', conversation: 'g5', deliveredSeq: 1, readSeq: 1 }])
  t.match(await inGroup('1', 1), { total: 2_000, readCount: 0 })
  t.equal(calls.cursors, 3, 'a thousand at a time')
})

t.test('and again later', async (t) => {
  const { cursors, inGroup } = await setup(people(501), 20)
  t.match(await inGroup('1', 1), { total: 500, readCount: 0 })
  await cursors.advance([{ user: '2', conversation: 'g5', deliveredSeq: 1, readSeq: 1 }])
  while ((await inGroup('1', 1)).readCount === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.pass('what was kept is forgotten')
})
