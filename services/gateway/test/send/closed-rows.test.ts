import t from 'tap'
import type { NewSend } from '../../src/calls/send-call.ts'
import { ClosedRows } from '../../src/send/closed-rows.ts'

const send = (msgId: string, changed: Partial<NewSend> = {}): NewSend => ({
  conn: 'c1',
  conversation: 'p1-2',
  from: '1',
  to: '2',
  msgId,
  type: 1,
  text: 'x',
  ...changed,
})

t.test('a closed row refuses what comes behind, and opens with the first one refused', async (t) => {
  const rows = new ClosedRows()
  rows.close(send('m1'), 'TIMEOUT', 0)
  rows.close(send('m2'), 'TIMEOUT', 0)
  t.equal(rows.refusal(send('m3'), 10), 'TIMEOUT')
  t.equal(rows.refusal(send('m2'), 10), 'TIMEOUT')
  t.equal(rows.refusal(send('m1'), 10), undefined)
  t.equal(rows.refusal(send('m2'), 10), undefined)
})

t.test('another conversation, another connection and HTTP are not concerned', async (t) => {
  const rows = new ClosedRows()
  rows.close(send('m1'), 'UNAVAILABLE', 0)
  t.equal(rows.refusal(send('m2', { conversation: 'p1-3' }), 10), undefined)
  t.equal(rows.refusal(send('m2', { conn: 'c2' }), 10), undefined)
  rows.close(send('m1', { conn: '' }), 'UNAVAILABLE', 0)
  t.equal(rows.refusal(send('m2', { conn: '' }), 10), undefined)
})

t.test('who never sends the refused one again is heard after a second', async (t) => {
  const rows = new ClosedRows()
  rows.close(send('m1'), 'TIMEOUT', 0)
  t.equal(rows.refusal(send('m2'), 999), 'TIMEOUT')
  t.equal(rows.refusal(send('m2'), 1_000), undefined)
  rows.close(send('m5'), 'TIMEOUT', 1_000)
  rows.sweep(2_000)
  t.equal(rows.refusal(send('m6'), 1_500), undefined, 'forgotten by the sweep')
})
