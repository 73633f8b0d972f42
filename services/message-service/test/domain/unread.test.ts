import t from 'tap'
import { countedTo, newestWindow, uncounted, unreadOf, windowBehind } from '../../src/domain/unread.ts'

t.test('a window begins behind the cursor and is bounded', async (t) => {
  t.equal(windowBehind('g5', 7, 7), undefined)
  t.equal(windowBehind('g5', 9, 7), undefined)
  t.same(windowBehind('g5', 6, 7), { conversation: 'g5', fromSeq: 7, toSeq: 7 })
  t.same(windowBehind('g5', 0, 90_000), { conversation: 'g5', fromSeq: 1, toSeq: 5_000 })
})

t.test('behind a bounded window the newest entries are another, which overlaps with no other', async (t) => {
  const window = (toSeq: number) => ({ conversation: 'g5', fromSeq: 1, toSeq })
  t.equal(newestWindow(window(7), 7), undefined)
  t.same(newestWindow(window(5_000), 5_001), { conversation: 'g5', fromSeq: 5_001, toSeq: 5_001 })
  t.same(newestWindow(window(5_000), 90_000), { conversation: 'g5', fromSeq: 85_001, toSeq: 90_000 })
})

t.test('recalls and edits do not count, nor do recalled messages, if they are unread and others’', async (t) => {
  const window = { conversation: 'g5', fromSeq: 10, toSeq: 30 }
  const change = (from: string, kind: 'recall' | 'edit', seq: number, at = 20) => ({
    seq: at,
    from,
    change: { kind, seq },
  })
  const left = uncounted('1', window, [
    change('2', 'edit', 11),
    change('2', 'recall', 12),
    change('3', 'recall', 12),
    // Taken back after it was read: only the recall itself stands in the window.
    change('2', 'recall', 9),
    change('1', 'recall', 13),
    change('1', 'edit', 14),
    // Of another window.
    change('2', 'edit', 11, 31),
  ])
  t.equal(left, 5)
  t.equal(uncounted('1', window, []), 0)
})

t.test('unread is what is left of the entries of others, no more than 999', async (t) => {
  t.equal(unreadOf(7, 5), 2)
  t.equal(unreadOf(countedTo(5), 5), 999)
  t.equal(unreadOf(countedTo(0), 0), 999)
  t.equal(unreadOf(0, 0), 0)
})
