import t from 'tap'
import { type FactData, factsOf, keysOf, unsent } from '../src/facts.ts'
import { Seen } from '../src/seen.ts'

const offline = (seq: number, userIds: string[], fields: FactData = {}) => ({
  subject: 'im.event.message.offline',
  fact: { seq, sessionId: '5', fromUserId: '1', toUserId: '', msgId: `m${seq}`, userIds, ...fields },
})

t.test('an event carries one fact or several', (t) => {
  t.same(factsOf('s', '[{"seq":1},{"seq":2}]'), [
    { subject: 's', fact: { seq: 1 } },
    { subject: 's', fact: { seq: 2 } },
  ])
  t.same(factsOf('s', '{"groupId":"5"}'), [{ subject: 's', fact: { groupId: '5' } }])
  t.throws(() => factsOf('s', 'no json'), SyntaxError)
  t.end()
})

t.test('of an offline fact only the users are left who were not told of before', (t) => {
  const sent = new Set(keysOf(offline(1, ['7', '8'])))
  const rest = (fact: ReturnType<typeof offline>) => unsent(fact, (key) => sent.has(key))
  t.equal(rest(offline(1, ['8', '7'])), undefined)
  t.match(rest(offline(1, ['7', '9', '8', '10'], { mutedUserIds: ['8', '9'] }))?.fact, {
    userIds: ['9', '10'],
    mutedUserIds: ['9'],
  })
  t.same(rest(offline(2, ['7'])), offline(2, ['7']))
  t.end()
})

t.test('a stored fact is told by its conversation, whoever of the two wrote; others by nothing', (t) => {
  const stored = (fromUserId: string, toUserId: string, seq: number) => ({
    subject: 'im.event.message.stored',
    fact: { seq, sessionId: '', fromUserId, toUserId },
  })
  const sent = new Set(keysOf(stored('1', '2', 3)))
  t.equal(
    unsent(stored('2', '1', 3), (key) => sent.has(key)),
    undefined,
  )
  t.ok(unsent(stored('2', '1', 4), (key) => sent.has(key)))
  t.ok(unsent(stored('1', '3', 3), (key) => sent.has(key)))
  const group = { subject: 'im.event.group.created', fact: { groupId: '5', at: 1 } }
  t.same(keysOf(group), [])
  t.equal(unsent(group, () => true)?.fact, group.fact)
  t.end()
})

t.test('the newest keys are remembered', (t) => {
  const seen = new Seen(2)
  for (const key of ['a', 'b', 'a', 'c']) seen.add(key)
  t.ok(seen.has('a') && seen.has('c'))
  t.notOk(seen.has('b'))
  t.end()
})
