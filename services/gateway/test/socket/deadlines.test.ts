import t from 'tap'
import type { Connection } from '../../src/socket/connection.ts'
import { Deadlines } from '../../src/socket/deadlines.ts'

const START = 1_700_000_000_000
const connection = (name: string) => ({ name }) as unknown as Connection
const names = (due: Connection[]) => due.map((one) => (one as unknown as { name: string }).name)

t.test('each comes due once, in its second and not before', async (t) => {
  const deadlines = new Deadlines(START)
  deadlines.add(connection('soon'), START + 1_500)
  deadlines.add(connection('later'), START + 60_000)
  t.same(names(deadlines.take(START + 1_400)), [])
  t.same(names(deadlines.take(START + 2_000)), ['soon'])
  t.same(names(deadlines.take(START + 59_999)), [])
  t.same(names(deadlines.take(START + 60_000)), ['later'])
  t.same(names(deadlines.take(START + 99_000)), [])
})

t.test('one that is taken out does not come due', async (t) => {
  const deadlines = new Deadlines(START)
  const [stays, goes] = [connection('stays'), connection('goes')]
  deadlines.add(stays, START + 1_000)
  deadlines.add(goes, START + 1_000)
  deadlines.remove(goes, START + 1_000)
  t.same(names(deadlines.take(START + 5_000)), ['stays'])
})

t.test('what is due already comes with the next look, and a clock set far forward misses nothing', async (t) => {
  const deadlines = new Deadlines(START)
  deadlines.add(connection('overdue'), START - 60_000)
  deadlines.add(connection('far'), START + 400 * 24 * 3_600_000)
  t.same(names(deadlines.take(START + 1_000)), ['overdue'])
  t.same(names(deadlines.take(START + 500 * 24 * 3_600_000)), ['far'])
})
