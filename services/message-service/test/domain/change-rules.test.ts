import t from 'tap'
import { refusalOfChange } from '../../src/domain/change-rules.ts'
import { message } from '../sample.ts'

const limits = { recall: 120_000, edit: 0 }
const recall = (by: string, now = 2_000) => ({ kind: 'recall' as const, by, now })
const edit = (by: string, now = 2_000) => ({ kind: 'edit' as const, by, now })
const target = message({ at: 1_000 })

t.test('what is not there, or is a change itself, cannot be changed', async (t) => {
  t.equal(refusalOfChange(undefined, recall('1'), limits), 'MESSAGE_NOT_FOUND')
  const change = message({ change: { kind: 'edit', seq: 1, msgId: 'm1' } })
  t.equal(refusalOfChange(change, recall('1'), limits), 'MESSAGE_NOT_FOUND')
})

t.test('only its author changes a message', async (t) => {
  for (const change of [recall('2'), edit('2')]) t.equal(refusalOfChange(target, change, limits), 'NOT_ALLOWED')
  for (const change of [recall('1'), edit('1')]) t.equal(refusalOfChange(target, change, limits), undefined)
})

t.test('up to the last millisecond, and not after it; 0 is for ever', async (t) => {
  t.equal(refusalOfChange(target, recall('1', 121_000), limits), undefined)
  t.equal(refusalOfChange(target, recall('1', 121_001), limits), 'TOO_LATE')
  t.equal(refusalOfChange(target, edit('1', 1e12), limits), undefined)
  t.equal(refusalOfChange(target, edit('1', 2_001), { recall: 0, edit: 1_000 }), 'TOO_LATE')
  t.equal(refusalOfChange(target, recall('1', 1e12), { recall: 0, edit: 1_000 }), undefined)
})

t.test('what was taken back may be taken back again, however late, and has no text to edit', async (t) => {
  const recalled = message({ recalled: true, text: '' })
  t.equal(refusalOfChange(recalled, recall('1', 1e12), limits), undefined)
  t.equal(refusalOfChange(recalled, edit('1'), limits), 'MESSAGE_NOT_FOUND')
  t.equal(refusalOfChange(recalled, edit('2'), limits), 'NOT_ALLOWED')
})
