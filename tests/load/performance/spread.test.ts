import t from 'tap'
import { spreadOf } from './spread.ts'

t.test('the median is the value in the middle, or half way between the two there', async (t) => {
  t.strictSame(spreadOf([10, 2, 7]), { median: 7, least: 2, most: 10 })
  t.strictSame(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 })
  t.strictSame(spreadOf([5]), { median: 5, least: 5, most: 5 })
  t.equal(spreadOf([]), undefined)
})

t.test('the values stay in their order', async (t) => {
  const values = [3, 1, 2]
  spreadOf(values)
  t.strictSame(values, [3, 1, 2])
})
