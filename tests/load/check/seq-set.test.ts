import { randomInt } from 'node:crypto'
import t from 'tap'
import { drawFrom } from '../faults/draw.ts'
import { SeqSet } from './seq-set.ts'

t.test('numbers up and down from the first are in it once, others are not', async (t) => {
  const seed = randomInt(2 ** 31)
  t.comment(`seed ${seed}`)
  for (let round = 0; round < 50; round++) {
    const draw = drawFrom(seed, round)
    const [set, plain] = [new SeqSet(), new Set<number>()]
    const base = Math.floor(draw.between(1, 100_000))
    for (let i = 0; i < 300; i++) {
      const seq = Math.max(1, base + Math.floor(draw.between(-700, 2_000)))
      if (set.add(seq) === plain.has(seq)) t.fail(`seed ${seed}, round ${round}: ${seq} was new, or was not`)
      plain.add(seq)
    }
    for (let seq = Math.max(0, base - 800); seq < base + 2_200; seq++)
      if (set.has(seq) !== plain.has(seq)) t.fail(`seed ${seed}, round ${round}: ${seq}`)
  }
  t.notOk(new SeqSet().has(0))
})
