import type { Test } from 'tap'
import { mayReplace } from '../../src/domain/floors.ts'
import type { FloorDocument, Floors } from '../../src/store/floors.ts'

const floor = (version: number, ...seqs: number[]): FloorDocument => {
  const entries = seqs.map((seq, index): [string, number] => [`${index + 1}`, seq])
  return { _id: 'g5', version, delivered: entries, read: entries }
}

/** What every store of floors does; `open` gives an empty one. */
export async function floorsSuite(t: Test, open: () => Promise<Floors>): Promise<void> {
  const after = async (...written: FloorDocument[]) => {
    const floors = await open()
    for (const one of written) await floors.raise([one])
    return (await floors.of(['g5'])).get('g5')?.read.map(([, seq]) => seq)
  }

  t.test('a floor never goes back, in whatever order it is written', async (t) => {
    t.same(await after(floor(1, 3, 5), floor(1, 4, 5)), [4, 5])
    t.same(await after(floor(1, 4, 5), floor(1, 3, 5)), [4, 5])
    t.same(await after(floor(1, 4, 5), floor(2, 4, 4)), [4, 5])
    t.same(await after(floor(1, 4, 5), floor(2, 3)), [4, 5])
  })

  t.test('a group of one has one lowest, and two again when somebody joined', async (t) => {
    t.same(await after(floor(1, 4, 5), floor(2, 5)), [5])
    t.same(await after(floor(2, 5), floor(1, 5, 5)), [5])
    t.same(await after(floor(2, 5), floor(3, 5, 6)), [5, 6])
    t.same(await after(floor(2), floor(3, 6)), [6])
  })

  t.test('both cursors are judged together', async (t) => {
    const floors = await open()
    await floors.raise([{ ...floor(1, 2, 3), delivered: [['1', 9]] }])
    await floors.raise([floor(1, 4, 5)])
    t.same(await floors.of(['g5']), new Map([['g5', { delivered: [['1', 9]], read: floor(1, 2, 3).read }]]))
  })

  t.test('floors of several groups are read together, and removed', async (t) => {
    const floors = await open()
    await floors.raise([floor(1, 3, 5), { ...floor(1, 4), _id: 'g6' }])
    await floors.raise([])
    t.same([...(await floors.of(['g5', 'g6', 'g7'])).keys()].sort(), ['g5', 'g6'])
    await floors.remove(['g5', 'g7'])
    await floors.remove([])
    t.same([...(await floors.of(['g5', 'g6'])).keys()], ['g6'])
    t.same(await floors.of([]), new Map())
  })

  t.test('it decides as the rule says, whatever is stored', async (t) => {
    const all = [[], [0], [1], [0, 1], [1, 1], [1, 2]]
    const pairs = all.flatMap((before) => all.flatMap((next) => [1, 2].map((version) => ({ before, next, version }))))
    for (const { before, next, version } of pairs) {
      const [stored, written] = [floor(1, ...before), floor(version, ...next)]
      t.same(await after(stored, written), mayReplace(stored, written) ? next : before, JSON.stringify([before, next]))
    }
  })
}
