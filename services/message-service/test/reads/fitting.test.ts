import t from 'tap'
import { fitting } from '../../src/reads/fitting.ts'

t.test('keeps what fits, from the end that was asked for', async (t) => {
  const list = ['aaaa', 'bbbb', 'cccc']
  t.same(fitting(list, { bytes: 14, keep: 'first' }), ['aaaa', 'bbbb'])
  t.same(fitting(list, { bytes: 14, keep: 'last' }), ['bbbb', 'cccc'])
  t.same(fitting(list, { bytes: 100, keep: 'last' }), list)
})

t.test('counts bytes, not characters', async (t) => {
  t.same(fitting(['群群', '群群'], { bytes: 12, keep: 'first' }), ['群群'])
})

t.test('one that is too large by itself is kept, or a reader would never come past it', async (t) => {
  t.same(fitting(['x'.repeat(50), 'y'], { bytes: 10, keep: 'first' }), ['x'.repeat(50)])
  t.same(fitting([], { bytes: 10, keep: 'last' }), [])
})
