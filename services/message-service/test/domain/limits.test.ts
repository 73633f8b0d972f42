import t from 'tap'
import { refusalOf } from '../../src/domain/limits.ts'
import { entry } from '../sample.ts'

const limits = { textLength: 5 }

t.test('who sends to oneself, to 0 or to nobody is told that there is no such receiver', async (t) => {
  t.equal(refusalOf(entry('1', '1'), limits), 'NO_SUCH_RECEIVER')
  t.equal(refusalOf(entry('1', '0'), limits), 'NO_SUCH_RECEIVER')
  const { to: _, ...nobody } = entry('1', '2')
  t.equal(refusalOf(nobody, limits), 'NO_SUCH_RECEIVER')
})

t.test('a text is measured in UTF-16 units and may not be empty; the others may', async (t) => {
  t.equal(refusalOf(entry('1', '2', { text: '一二三四五' }), limits), undefined)
  t.equal(refusalOf(entry('1', '2', { text: '一二三四👍' }), limits), 'MESSAGE_TOO_LONG')
  t.equal(refusalOf(entry('1', '2', { text: '' }), limits), 'BAD_REQUEST')
  for (const type of [2, 3, 4] as const) t.equal(refusalOf(entry('1', '2', { text: '', type }), limits), undefined)
})

t.test('an unknown type is refused', async (t) => {
  t.equal(refusalOf(entry('1', '2', { type: 5 as 1 }), limits), 'UNSUPPORTED_CONTENT')
})

t.test('an edit has the text of a message, a recall has none', async (t) => {
  const change = { seq: 1, msgId: 'm1' }
  const edit = { change: { kind: 'edit' as const, ...change } }
  t.equal(refusalOf(entry('1', '2', { text: '', ...edit }), limits), 'BAD_REQUEST')
  t.equal(refusalOf(entry('1', '2', { text: '一二三四五六', ...edit }), limits), 'MESSAGE_TOO_LONG')
  t.equal(refusalOf(entry('1', '2', { text: '', change: { kind: 'recall', ...change } }), limits), undefined)
})
