import t from 'tap'
import { RECENT, Recent } from '../../src/domain/recent.ts'

t.test('the newest are known by sender and msgId, the oldest are forgotten', async (t) => {
  const recent = new Recent()
  const last = 2 * RECENT + 1
  for (let seq = 1; seq <= last; seq++) recent.add('1', `m${seq}`, { seq, at: seq, hash: 'h' })
  t.equal(recent.get('1', 'm1'), undefined)
  t.match(recent.get('1', `m${last}`), { seq: last })
  t.match(recent.get('1', `m${last - RECENT + 1}`), { seq: last - RECENT + 1 })
  t.equal(recent.get('2', `m${last}`), undefined)
})

t.test('what was changed is no longer what its repeat brings along', async (t) => {
  const recent = new Recent()
  for (const seq of [1, 2, 3]) recent.add('1', `m${seq}`, { seq, at: seq, hash: 'h' })
  recent.changed('1', { kind: 'recall', seq: 1, msgId: 'm1' }, 7)
  recent.changed('1', { kind: 'edit', seq: 2, msgId: 'm2' }, 8)
  recent.changed('2', { kind: 'recall', seq: 3, msgId: 'm3' }, 9)
  t.match(recent.get('1', 'm1'), { recalled: true })
  t.match(recent.get('1', 'm2'), { edited: 8 })
  t.same(recent.get('1', 'm3'), { seq: 3, at: 3, hash: 'h' })
})
