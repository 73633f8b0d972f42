import type { SendEntry } from '@qunxin/contracts'
import t from 'tap'
import { RefusedSends } from '../../src/send/refused-sends.ts'

const send = { id: 1, conn: 'c1', conversation: 'p1-2', from: '1', msgId: 'm1', type: 1, text: 'x' } as SendEntry

t.test(
  'a refused send is known by connection, conversation and msgId for as long as it may be fanned out again',
  async (t) => {
    const refused = new RefusedSends()
    refused.add(send, 1_000)
    t.ok(refused.has('c1', 'p1-2', 'm1'))
    t.notOk(refused.has('c2', 'p1-2', 'm1'), 'another connection')
    t.notOk(refused.has('c1', 'p1-3', 'm1'), 'another conversation')
    t.notOk(refused.has('c1', 'p1-2', 'm2'), 'another message')
    refused.sweep(61_000)
    t.ok(refused.has('c1', 'p1-2', 'm1'))
    refused.sweep(92_000)
    t.notOk(refused.has('c1', 'p1-2', 'm1'))
  },
)

t.test('refused once more, it is remembered anew', async (t) => {
  const refused = new RefusedSends()
  refused.add(send, 0)
  refused.add({ ...send, msgId: 'm2' }, 10_000)
  refused.add(send, 60_000)
  refused.sweep(120_000)
  t.ok(refused.has('c1', 'p1-2', 'm1'))
  t.notOk(refused.has('c1', 'p1-2', 'm2'))
})

t.test('what came by HTTP has no connection to be left out', async (t) => {
  const refused = new RefusedSends()
  refused.add({ ...send, conn: '' }, 0)
  t.notOk(refused.has('', 'p1-2', 'm1'))
})

t.test('so many are remembered and no more, the newest', async (t) => {
  const refused = new RefusedSends()
  for (let number = 0; number <= 100_000; number++) refused.add({ ...send, msgId: `m${number}` }, 0)
  t.notOk(refused.has('c1', 'p1-2', 'm0'))
  t.ok(refused.has('c1', 'p1-2', 'm1') && refused.has('c1', 'p1-2', 'm100000'))
})
