import t from 'tap'
import { MemberCursors } from '../../src/reads/member-cursors.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { message } from '../sample.ts'

t.test('who came nobody knows at which seq came at the time that is known, and has read what was there', async (t) => {
  const log = new MemoryLog()
  await log.append([1, 2, 3, 4].map((seq) => message({ group: '5', seq })))
  const cursors = new MemoryCursors()
  await cursors.advance([{ user: '3', conversation: 'g5', deliveredSeq: 4, readSeq: 3 }])
  const plain = { role: 'member' as const }
  const members = [
    { userId: '4', ...plain, joinedAt: 1_000 },
    { userId: '3', ...plain, joinedAt: 1_002 },
    { userId: '2', ...plain, joinedAt: 1_002 },
    { userId: '1', ...plain, joinedSeq: 3 },
  ]
  const membership = { membersOf: async () => ({ members, version: 1 }) }
  t.same(await new MemberCursors({ membership, cursors, log }).of('5'), [
    { user: '1', joinedSeq: 3, deliveredSeq: 3, readSeq: 3 },
    { user: '2', joinedSeq: 2, deliveredSeq: 2, readSeq: 2 },
    { user: '3', joinedSeq: 2, deliveredSeq: 4, readSeq: 3 },
    { user: '4', joinedSeq: 0, deliveredSeq: 0, readSeq: 0 },
  ])
})
