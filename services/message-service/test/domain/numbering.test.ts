import t from 'tap'
import { number } from '../../src/domain/numbering.ts'
import { entry } from '../sample.ts'

t.test('seq goes on by one, and the time rises even when the clock does not', async (t) => {
  const first = number(entry('1', '2'), { seq: 0, at: 0 }, { hash: 'h', now: 500 })
  const second = number(entry('1', '2'), first, { hash: 'h', now: 500 })
  const third = number(entry('1', '2'), second, { hash: 'h', now: 200 })
  t.same(
    [first, second, third].map(({ seq, at }) => [seq, at]),
    [
      [1, 500],
      [2, 501],
      [3, 502],
    ],
  )
})

t.test('a personal message has a receiver, a group message a group', async (t) => {
  t.match(number(entry('1', '2'), { seq: 0, at: 0 }, { hash: 'h', now: 1 }), { to: '2', group: undefined })
  const toGroup = { ...entry('1', '2'), conversation: 'g5', group: '5' }
  t.match(number(toGroup, { seq: 0, at: 0 }, { hash: 'h', now: 1 }), { to: undefined, group: '5' })
})
