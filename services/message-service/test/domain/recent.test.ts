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
