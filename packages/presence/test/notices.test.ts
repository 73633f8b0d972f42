import t from 'tap'
import { Notices } from '../src/notices.ts'

t.test('who came while a load was under way is in its result, and who went is not', async (t) => {
  const notices = new Notices()
  const since = notices.now()
  notices.bound('b', '1')
  notices.unbound('a', '1')
  t.same(notices.merge('1', ['a'], since), ['b'])
})

t.test('a leaving told before the load began does not undo what the load has read', async (t) => {
  const notices = new Notices()
  notices.unbound('a', '1')
  t.same(notices.merge('1', ['a'], notices.now()), ['a'])
})

t.test('of several notices about one node the last one counts', async (t) => {
  const notices = new Notices()
  const since = notices.now()
  notices.bound('a', '1')
  notices.unbound('a', '1')
  t.same(notices.merge('1', [], since), [])
  notices.bound('a', '1')
  t.same(notices.merge('1', [], since), ['a'])
})
