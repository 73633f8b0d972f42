import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { applyChanges } from '../../src/partition/changes.ts'
import { type Outcome, pendingOf } from '../../src/partition/pending.ts'
import { entry, message, run } from '../sample.ts'

const change = { kind: 'edit', seq: 1, msgId: 'm1' } as const
const pending = (fields: Parameters<typeof entry>[2] = {}) => pendingOf(entry('1', '2', fields), run('n'))
const edited: Outcome = {
  kind: 'stored',
  pending: pending({ change }),
  message: message({ seq: 2, text: 'b', change }),
}
const repeated: Outcome = {
  kind: 'duplicate',
  pending: pending({ change, msgId: 'e', text: 'c' }),
  original: { seq: 3, at: 1_003, hash: 'h' },
  quiet: false,
}

t.test('without changes nothing is asked of the log', async (t) => {
  const stored: Outcome = { kind: 'stored', pending: pending(), message: message() }
  const refused: Outcome = { kind: 'refused', pending: pending({ change }), code: 'NOT_A_MEMBER' }
  await t.resolves(applyChanges([stored, refused], () => Promise.reject(new Error('asked'))))
})

t.test('those just stored and those stored before are done together, as the log has them', async (t) => {
  const asked: Message[] = []
  await applyChanges([edited, repeated], async (changes) => {
    asked.push(...changes)
    return [...changes]
  })
  t.match(asked, [edited.message, { seq: 3, at: 1_003, hash: 'h', msgId: 'e', text: 'c', change }])
  t.match(edited.message, { text: 'b' })
})

t.test('an edit of what was taken back goes on without its text, and its repeat is told to nobody', async (t) => {
  const outcomes: Outcome[] = [{ ...edited }, { ...repeated }]
  await applyChanges(outcomes, async (changes) => changes.map((one) => ({ ...one, text: '', recalled: true })))
  t.match(outcomes, [{ message: { seq: 2, text: '', recalled: true } }, { original: { seq: 3, recalled: true } }])
})
