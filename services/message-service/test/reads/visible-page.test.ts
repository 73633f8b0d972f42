import t from 'tap'
import type { Visible } from '../../src/domain/visibility.ts'
import { visiblePage } from '../../src/reads/visible-page.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { message } from '../sample.ts'

/** Message n of a group was stored at 1,000 + n. */
async function groupWith(last: number) {
  const log = new MemoryLog()
  await log.append(Array.from({ length: last }, (_, i) => message({ group: '5', seq: i + 1 })))
  const seqs = async (visible: Visible, at: { lastTime?: number; beforeSeq?: number; limit?: number } = {}) =>
    (await visiblePage(log, 'g5', { visible, limit: 50, ...at })).map(({ seq }) => seq)
  return { log, seqs }
}

/** Member of 3 to 5 and since 9, and another one of whom only the times are known. */
const bySeq = [
  { afterTime: 0, afterSeq: 2, toTime: 0, toSeq: 5 },
  { afterTime: 0, afterSeq: 8 },
]
const byTime = [{ afterTime: 1_002, toTime: 1_005 }, { afterTime: 1_008 }]

t.test('without a time the newest that may be seen, and below a seq the newest of those below', async (t) => {
  const { seqs } = await groupWith(12)
  for (const visible of [bySeq, byTime]) {
    t.same(await seqs(visible), [3, 4, 5, 9, 10, 11, 12])
    t.same(await seqs(visible, { limit: 5 }), [5, 9, 10, 11, 12])
    t.same(await seqs(visible, { beforeSeq: 9, limit: 2 }), [4, 5])
    t.same(await seqs(visible, { beforeSeq: 7, limit: 2 }), [4, 5], 'a page below what may not be seen is not empty')
    t.same(await seqs(visible, { beforeSeq: 3 }), [])
  }
  t.same(await seqs(undefined, { limit: 3 }), [10, 11, 12])
})

t.test('after a time the oldest that may be seen', async (t) => {
  const { seqs } = await groupWith(12)
  for (const visible of [bySeq, byTime]) {
    t.same(await seqs(visible, { lastTime: 0, limit: 4 }), [3, 4, 5, 9])
    t.same(await seqs(visible, { lastTime: 1_004, limit: 3 }), [5, 9, 10])
    t.same(await seqs(visible, { lastTime: 1_005, limit: 3 }), [9, 10, 11], 'no empty page in front of the next part')
    t.same(await seqs(visible, { lastTime: 1_012 }), [])
  }
  t.same(await seqs(undefined, { lastTime: 1_010 }), [11, 12])
})

t.test('read page by page from either end it is all there is, once', async (t) => {
  const { seqs } = await groupWith(40)
  const visible = Array.from({ length: 10 }, (_, i) => ({
    afterTime: 1_000 + 4 * i,
    ...(i % 2 === 0 && { afterSeq: 4 * i }),
    toTime: 1_000 + 4 * i + (i % 3),
    ...(i % 4 === 0 && { toSeq: 4 * i + (i % 3) }),
  }))
  const all = Array.from({ length: 10 }, (_, i) => Array.from({ length: i % 3 }, (_, k) => 4 * i + k + 1)).flat()
  for (const limit of [1, 2, 3, 7]) {
    const forward: number[] = []
    for (let page = await seqs(visible, { lastTime: 0, limit }); page.length > 0; ) {
      forward.push(...page)
      page = await seqs(visible, { lastTime: 1_000 + forward.at(-1)!, limit })
    }
    t.same(forward, all)
    const backward: number[] = []
    for (let page = await seqs(visible, { limit }); page.length > 0; ) {
      backward.unshift(...page)
      page = await seqs(visible, { beforeSeq: backward[0]!, limit })
    }
    t.same(backward, all)
  }
})

t.test('who may see nothing gets nothing', async (t) => {
  const { seqs } = await groupWith(3)
  t.same(await seqs([]), [])
  t.same(await seqs([{ afterTime: 0, afterSeq: 3 }], { lastTime: 0 }), [])
})
