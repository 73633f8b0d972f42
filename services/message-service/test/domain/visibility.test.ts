import type { MembershipInterval } from '@qunxin/contracts'
import t from 'tap'
import { clipped, isVisible, rangesOf, timesIn } from '../../src/domain/visibility.ts'

/** Message n was stored at n × 10. */
const seqAt = (time: number) => Math.floor(time / 10)
const seenOf = (visible: MembershipInterval[] | undefined, last = 12) =>
  Array.from({ length: last }, (_, i) => i + 1).filter((seq) => isVisible(visible, { seq, at: seq * 10 }))
const inRanges = (visible: MembershipInterval[] | undefined, last = 12) =>
  clipped(rangesOf(visible, seqAt), { fromSeq: 1, toSeq: last }).flatMap(({ fromSeq, toSeq = 0 }) =>
    Array.from({ length: toSeq - fromSeq + 1 }, (_, i) => fromSeq + i),
  )

t.test('without intervals everything may be seen', async (t) => {
  t.same(seenOf(undefined, 3), [1, 2, 3])
  t.same(inRanges(undefined, 3), [1, 2, 3])
  t.same(timesIn(undefined), [])
})

t.test('with none at all, nothing', async (t) => {
  t.same(seenOf([]), [])
  t.same(inRanges([]), [])
})

t.test('what was sent while a member, and not what was sent between leaving and coming back', async (t) => {
  const visible = [
    { afterTime: 999, afterSeq: 2, toTime: 999, toSeq: 4 },
    { afterTime: 0, afterSeq: 9 },
  ]
  t.same(seenOf(visible), [3, 4, 10, 11, 12])
  t.same(inRanges(visible), [3, 4, 10, 11, 12], 'seqs win over times')
  t.same(timesIn(visible), [])
})

t.test('where a seq is not known the time stands for it', async (t) => {
  const visible = [{ afterTime: 20, toTime: 45 }, { afterTime: 60, afterSeq: 7, toTime: 85 }, { afterTime: 100 }]
  t.same(timesIn(visible), [20, 45, 85, 100])
  t.same(seenOf(visible), [3, 4, 8, 11, 12])
  t.same(inRanges(visible), [3, 4, 8, 11, 12])
})

t.test('intervals that overlap or hold nothing make no double and no empty range', async (t) => {
  const visible = [
    { afterTime: 0, afterSeq: 0, toTime: 0, toSeq: 5 },
    { afterTime: 0, afterSeq: 5, toTime: 0, toSeq: 5 },
    { afterTime: 0, afterSeq: 3, toTime: 0, toSeq: 7 },
    { afterTime: 0, afterSeq: 6 },
  ]
  t.same(rangesOf(visible, seqAt), [{ fromSeq: 1, toSeq: 5 }, { fromSeq: 6, toSeq: 7 }, { fromSeq: 8 }])
})

t.test('what is visible is clipped to what is asked for', async (t) => {
  const ranges = [{ fromSeq: 3, toSeq: 5 }, { fromSeq: 9 }]
  t.same(clipped(ranges, { fromSeq: 4, toSeq: 10 }), [
    { fromSeq: 4, toSeq: 5 },
    { fromSeq: 9, toSeq: 10 },
  ])
  t.same(clipped(ranges, { fromSeq: 6 }), [{ fromSeq: 9 }])
  t.same(clipped(ranges, { fromSeq: 6, toSeq: 8 }), [])
})
