import type { SendEntry } from '@qunxin/contracts'
import t from 'tap'
import { goneAt, membersAt } from '../../src/membership/members.ts'
import { Conversation } from '../../src/partition/conversation.ts'
import { Pace } from '../../src/partition/pace.ts'
import { pendingOf } from '../../src/partition/pending.ts'
import { COMMIT_LIMITS, Plan, planConversation } from '../../src/partition/plan.ts'
import { resolve } from '../../src/partition/resolve.ts'
import type { Written } from '../../src/partition/writer.ts'
import { entry, message, run } from '../sample.ts'

const limits = { textLength: 5_000 }
const everything: Written = { isStored: () => true }

function conversation(sends: SendEntry[], position = { seq: 10, at: 500 }): Conversation {
  const one = new Conversation(sends[0]?.conversation ?? 'p1-2', 0)
  one.advance(position)
  one.queue = sends.map((send) => pendingOf(send, run('n')))
  return one
}
const sends = (count: number, fields: Partial<SendEntry> = {}) =>
  Array.from({ length: count }, (_, i) =>
    entry('1', '2', { id: i + 1, msgId: `m${i + 1}`, text: `t${i + 1}`, ...fields }),
  )
function planned(one: Conversation, options: { members?: ReturnType<typeof membersAt>; now?: number } = {}) {
  const plan = new Plan()
  planConversation(plan, one, { members: options.members, limits, now: options.now ?? 1_000 })
  return plan
}
const ids = (one: Conversation) => one.queue.map(({ send }) => send.id)

t.test('sends are numbered behind the newest message, in their order', async (t) => {
  const plan = planned(conversation(sends(3)))
  t.same(
    plan.messages.map(({ seq, at, msgId }) => [seq, at, msgId]),
    [
      [11, 1_000, 'm1'],
      [12, 1_001, 'm2'],
      [13, 1_002, 'm3'],
    ],
  )
})

t.test('a refusal takes no number', async (t) => {
  const [first, second, third] = sends(3) as [SendEntry, SendEntry, SendEntry]
  const plan = planned(conversation([first, { ...second, text: 'x'.repeat(5_001) }, third]))
  t.same(
    plan.messages.map(({ seq, msgId }) => [seq, msgId]),
    [
      [11, 'm1'],
      [12, 'm3'],
    ],
  )
  t.match(plan.entries[1], { outcome: { kind: 'refused', code: 'MESSAGE_TOO_LONG' } })
})

t.test('a commit takes so many messages, and the rest stays in order', async (t) => {
  const one = conversation(sends(COMMIT_LIMITS.documents + 2))
  t.equal(planned(one).messages.length, COMMIT_LIMITS.documents)
  t.same(ids(one), [COMMIT_LIMITS.documents + 1, COMMIT_LIMITS.documents + 2])
})

t.test('a commit takes so many bytes', async (t) => {
  const one = conversation(sends(1_000, { text: '长'.repeat(5_000) }))
  const { messages } = planned(one)
  t.ok(messages.length * 15_000 <= COMMIT_LIMITS.bytes + 20_000)
  t.ok(messages.length > 500)
})

t.test('a known duplicate is answered whoever its sender is by now', async (t) => {
  const one = conversation(sends(1, { group: '5', conversation: 'g5' }))
  const [pending] = one.queue
  one.recent.add('1', 'm1', { seq: 3, at: 7, hash: pending!.hash })
  const plan = planned(one, { members: membersAt(1, new Set(['2'])) })
  t.match(plan.entries, [{ outcome: { kind: 'duplicate', original: { seq: 3, at: 7 } } }])
})

t.test('who is no member is looked up before being refused', async (t) => {
  const inGroup = { group: '5', conversation: 'g5' }
  const plan = planned(conversation(sends(2, inGroup)), { members: membersAt(1, new Set(['9'])) })
  t.equal(plan.doubtful.length, 2)
  const known = [undefined, message({ seq: 4, at: 8, hash: plan.doubtful[1]!.hash })]
  t.match(resolve(plan, { written: everything, known }).outcomes, [
    { kind: 'refused', code: 'NOT_A_MEMBER' },
    { kind: 'duplicate', original: { seq: 4, at: 8 } },
  ])
  const gone = planned(conversation(sends(1, inGroup)), { members: goneAt(2) })
  t.match(gone.entries, [{ outcome: { code: 'GROUP_NOT_FOUND' } }])
})

t.test(
  'who is blocked is refused what is new, and answered what was stored before without telling anybody again',
  async (t) => {
    const one = conversation([...sends(3), entry('2', '1', { id: 4, msgId: 'back' })])
    const blocked = { user: '2', conversation: 'p1-2', blocked: true, muted: false }
    one.prefer({ ...blocked, version: 3 })
    const [first, , third] = one.queue
    one.recent.add('1', 'm1', { seq: 3, at: 7, hash: first!.hash })
    const plan = planned(one)
    t.same(
      plan.messages.map(({ from, seq }) => [from, seq]),
      [['2', 11]],
      'who blocks may still write',
    )
    const known = [undefined, message({ seq: 4, at: 8, hash: third!.hash })]
    t.match(resolve(plan, { written: everything, known }).outcomes, [
      { kind: 'duplicate', quiet: true, original: { seq: 3 } },
      { kind: 'refused', code: 'NOT_ALLOWED' },
      { kind: 'duplicate', quiet: true, original: { seq: 4 } },
      { kind: 'stored' },
    ])
    one.prefer({ ...blocked, version: 2, blocked: false })
    t.equal(one.isBlocked('1'), true, 'what is older changes nothing')
    one.prefer({ ...blocked, version: 4, blocked: false })
    one.queue = sends(1, { msgId: 'm9' }).map((send) => pendingOf(send, run('n')))
    t.equal(planned(one).messages.length, 1)
  },
)

t.test('a recall by who is blocked is told like any other, when it is repeated too', async (t) => {
  const change = { kind: 'recall', seq: 3, msgId: 'm0' } as const
  const one = conversation(sends(2, { text: '', change }))
  one.prefer({ user: '2', conversation: 'p1-2', version: 1, blocked: true, muted: false })
  const [first] = one.queue
  one.recent.add('1', 'm1', { seq: 4, at: 7, hash: first!.hash })
  t.match(resolve(planned(one), { written: everything, known: [] }).outcomes, [
    { kind: 'duplicate', quiet: false, original: { seq: 4 } },
    { kind: 'stored' },
  ])
})

t.test('who mutes a group blocks nobody in it', async (t) => {
  const one = conversation(sends(1, { group: '5', conversation: 'g5' }))
  one.prefer({ user: '2', conversation: 'g5', version: 1, blocked: true, muted: true })
  t.equal(planned(one, { members: membersAt(1, new Set(['1', '2'])) }).messages.length, 1)
})

t.test('in slow mode a member is refused who sends too early, and is told how long to wait', async (t) => {
  const slow = membersAt(1, new Set(['1', '2', '3']), { slowModeMs: 5_000, admins: new Set(['2']) })
  const inGroup = (from: string, id: number) =>
    entry(from, '', { from, id, msgId: `m${id}`, conversation: 'g5', group: '5' })
  const one = conversation([inGroup('1', 1), inGroup('2', 2), inGroup('1', 3), inGroup('2', 4), inGroup('3', 5)], {
    seq: 10,
    at: 90_000,
  })
  one.pace = new Pace(
    80_000,
    new Map([
      ['1', 88_000],
      ['2', 90_000],
    ]),
  )
  const plan = planned(one, { members: slow, now: 93_000 })
  t.same(
    plan.messages.map(({ seq, from, msgId }) => [seq, from, msgId]),
    [
      [11, '1', 'm1'],
      [12, '2', 'm2'],
      [13, '2', 'm4'],
      [14, '3', 'm5'],
    ],
  )
  const [, , early] = resolve(plan, { written: everything, known: [] }).outcomes
  t.match(early, { kind: 'refused', code: 'RATE_LIMITED', details: { retryAfterMs: 4_998 } })
  t.equal(one.pace.lastOf('1'), 93_000)
  t.equal(one.pace.lastOf('3'), 93_003)
  one.queue = [pendingOf(inGroup('1', 6), run('n'))]
  t.equal(planned(one, { members: slow, now: 97_999 }).messages.length, 0)
  one.queue = [pendingOf(inGroup('1', 6), run('n'))]
  t.equal(planned(one, { members: slow, now: 98_000 }).messages.length, 1, 'at the very millisecond')
})

t.test('who is blocked may take back what they said, and not give it another text', async (t) => {
  const change = (kind: 'recall' | 'edit') => ({ msgId: kind, change: { kind, seq: 1, msgId: 'm' } })
  const one = conversation([entry('1', '2', change('edit')), entry('1', '2', change('recall'))])
  one.prefer({ user: '2', conversation: 'p1-2', blocked: true, muted: false, version: 1 })
  t.match(planned(one).entries, [
    { kind: 'doubtful', outcome: { code: 'NOT_ALLOWED' } },
    { kind: 'store', message: { seq: 11, msgId: 'recall' } },
  ])
})

t.test('slow mode counts messages: changes of what was said come when they like, and hold up nothing', async (t) => {
  const slow = membersAt(1, new Set(['1']), { slowModeMs: 5_000, admins: new Set() })
  const inGroup = { group: '5', conversation: 'g5' }
  const change = (id: number, kind: 'recall' | 'edit') =>
    entry('1', '', { ...inGroup, id, msgId: `c${id}`, text: kind, change: { kind, seq: 1, msgId: 'm' } })
  const one = conversation([change(1, 'edit'), change(2, 'recall'), entry('1', '', { ...inGroup, id: 3, msgId: 'm3' })])
  one.pace = new Pace(0, new Map())
  const plan = planned(one, { members: slow })
  t.same(
    plan.messages.map(({ seq, msgId }) => [seq, msgId]),
    [
      [11, 'c1'],
      [12, 'c2'],
      [13, 'm3'],
    ],
  )
  t.match(plan.messages[0], { change: { kind: 'edit', seq: 1, msgId: 'm' } })
  one.queue = [change(4, 'edit'), entry('1', '', { ...inGroup, id: 5, msgId: 'm5' })].map((send) =>
    pendingOf(send, run('n')),
  )
  resolve(plan, { written: everything, known: [] })
  const next = planned(one, { members: slow, now: 2_000 })
  t.same(
    next.messages.map(({ msgId }) => msgId),
    ['c4'],
  )
  t.equal(one.pace.lastOf('1'), 1_002)
})

t.test('in slow mode a repeat that only the log knows is answered with the original', async (t) => {
  const slow = membersAt(1, new Set(['1']), { slowModeMs: 5_000, admins: new Set() })
  const one = conversation(sends(1, { group: '5', conversation: 'g5' }))
  one.pace = new Pace(0, new Map([['1', 900]]))
  const plan = planned(one, { members: slow })
  const known = [message({ seq: 4, at: 8, hash: plan.doubtful[0]!.hash })]
  t.match(resolve(plan, { written: everything, known }).outcomes, [{ kind: 'duplicate', original: { seq: 4, at: 8 } }])
})

t.test('the pace of a group goes as far back as it was read, less what was forgotten', async (t) => {
  const pace = new Pace(
    1_000,
    new Map([
      ['2', 3_000],
      ['1', 2_000],
    ]),
  )
  t.equal(pace.covers(500, 1_500), true)
  t.equal(pace.covers(501, 1_500), false)
  pace.sent('1', 4_000)
  pace.forgetBefore(3_000)
  t.equal(pace.lastOf('2'), undefined)
  t.equal(pace.lastOf('1'), 4_000)
  t.equal(pace.covers(1_001, 4_000), false)
})

t.test('what was written moves the conversation on and is known as recent', async (t) => {
  const one = conversation(sends(2))
  const { outcomes, requeued } = resolve(planned(one), { written: everything, known: [] })
  t.same(
    outcomes.map(({ kind }) => kind),
    ['stored', 'stored'],
  )
  t.equal(requeued.size, 0)
  t.same(one.position, { seq: 12, at: 1_001 })
  t.match(one.recent.get('1', 'm2'), { seq: 12 })
})

t.test('behind a taken seq everything is planned again, in order, and the tail is read again', async (t) => {
  const one = conversation(sends(4))
  const written: Written = { isStored: (index) => index < 1, stoppedAt: 1 }
  const { outcomes, requeued } = resolve(planned(one), { written, known: [] })
  t.same(
    outcomes.map(({ kind }) => kind),
    ['stored'],
  )
  t.same(
    requeued.get(one)?.map(({ send }) => send.id),
    [2, 3, 4],
  )
  t.equal(one.position, undefined)
  t.equal(one.seenSeq, 11)
})

t.test('a msgId from before is answered with the original, and the rest renumbered without a hole', async (t) => {
  const one = conversation(sends(3))
  const plan = planned(one)
  const original = message({ seq: 2, at: 9, hash: plan.messages[1]!.hash })
  const written: Written = { isStored: (index) => index < 1, stoppedAt: 1, originals: new Map([[1, original]]) }
  const { outcomes, requeued } = resolve(plan, { written, known: [] })
  t.match(outcomes, [{ kind: 'stored' }, { kind: 'duplicate', original: { seq: 2, at: 9 } }])
  one.queue = requeued.get(one)!
  t.same(
    planned(one).messages.map(({ seq, msgId }) => [seq, msgId]),
    [[12, 'm3']],
  )
})

t.test('that a message from before was taken back or edited is remembered with it', async (t) => {
  const one = conversation(sends(2))
  const plan = planned(one)
  const [first, second] = plan.messages.map(({ hash }, i) => message({ seq: 2 + i, at: 9 + i, hash }))
  const originals = new Map([
    [0, { ...first!, recalled: true as const }],
    [1, { ...second!, edited: 12 }],
  ])
  resolve(plan, { written: { isStored: () => false, stoppedAt: 0, originals }, known: [] })
  t.match(one.recent.get('1', 'm1'), { seq: 2, recalled: true })
  t.match(one.recent.get('1', 'm2'), { seq: 3, edited: 12 })
})

t.test('a stopped write of one conversation leaves the numbers of the others as they were', async (t) => {
  const plan = new Plan()
  const one = conversation(sends(1))
  const other = conversation([entry('3', '4', { msgId: 'o1' })], { seq: 0, at: 0 })
  for (const each of [one, other]) planConversation(plan, each, { members: undefined, limits, now: 1_000 })
  const { requeued } = resolve(plan, { written: { isStored: () => false, stoppedAt: 0 }, known: [] })
  t.equal(one.position, undefined)
  t.same(other.position, { seq: 0, at: 0 })
  t.same([...requeued.keys()], [one, other])
})

t.test('a repeat inside one commit is a duplicate of what was stored, or waits with it', async (t) => {
  const [first] = sends(1) as [SendEntry]
  const twice = () => conversation([first, { ...first, id: 2 }, { ...first, id: 3, text: 'other' }])
  const stored = resolve(planned(twice()), { written: everything, known: [] })
  t.match(stored.outcomes, [
    { kind: 'stored' },
    { kind: 'duplicate', quiet: true, original: { seq: 11 } },
    { kind: 'refused', code: 'MSG_ID_REUSED' },
  ])
  const one = twice()
  const failed = resolve(planned(one), { written: { isStored: () => false, unsure: true }, known: [] })
  t.same(failed.outcomes, [])
  t.same(
    failed.requeued.get(one)?.map(({ send }) => send.id),
    [1, 2, 3],
  )
})
