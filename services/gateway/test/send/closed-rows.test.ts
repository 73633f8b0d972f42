import t from 'tap'
import { ClosedRows } from '../../src/send/closed-rows.ts'
import { send } from './sample.ts'

/** Connections that take everything at once. */
const atOnce = (now: number) => new ClosedRows((_conn, heard) => heard(now))

t.test('a closed row refuses what comes behind, and opens with the first one refused', async (t) => {
  const rows = atOnce(0)
  rows.close(send('m1'), 'TIMEOUT', 0)
  rows.close(send('m2'), 'TIMEOUT', 0)
  t.equal(rows.refusal(send('m3'), 10), 'TIMEOUT')
  t.equal(rows.refusal(send('m2'), 10), 'TIMEOUT')
  t.equal(rows.refusal(send('m1'), 10), undefined)
  t.equal(rows.refusal(send('m2'), 10), undefined)
})

t.test('another conversation, another connection and HTTP are not concerned', async (t) => {
  const rows = atOnce(0)
  rows.close(send('m1'), 'UNAVAILABLE', 0)
  t.equal(rows.refusal(send('m2', { conversation: 'p1-3' }), 10), undefined)
  t.equal(rows.refusal(send('m2', { conn: 'c2' }), 10), undefined)
  rows.close(send('m1', { conn: '' }), 'UNAVAILABLE', 0)
  t.equal(rows.refusal(send('m2', { conn: '' }), 10), undefined)
})

t.test('who never sends the refused one again is heard after a second', async (t) => {
  const rows = atOnce(0)
  rows.close(send('m1'), 'TIMEOUT', 0)
  t.equal(rows.refusal(send('m2'), 999), 'TIMEOUT')
  t.equal(rows.refusal(send('m2'), 1_000), undefined)
  rows.close(send('m5'), 'TIMEOUT', 0)
  rows.sweep(1_000)
  t.equal(rows.refusal(send('m6'), 500), undefined, 'forgotten by the sweep')
})

t.test('the second begins when the client has taken the refusal, however long the network holds it back', async (t) => {
  const asked: [string, (now: number) => void][] = []
  const rows = new ClosedRows((conn, heard) => asked.push([conn, heard]))
  rows.close(send('m1'), 'TIMEOUT', 0)
  rows.close(send('m2'), 'TIMEOUT', 0)
  t.same(
    asked.map(([conn]) => conn),
    ['c1'],
    'asked once for a row',
  )
  t.equal(rows.refusal(send('m3'), 7_000), 'TIMEOUT')
  asked[0]?.[1](7_500)
  t.equal(rows.refusal(send('m3'), 8_499), 'TIMEOUT')
  t.equal(rows.refusal(send('m3'), 8_500), undefined)
  rows.close(send('m4'), 'TIMEOUT', 10_000)
  t.equal(rows.refusal(send('m5'), 39_999), 'TIMEOUT')
  t.equal(rows.refusal(send('m5'), 40_000), undefined, 'one that never does is not waited for any longer')
})

t.test('a row that is over can be closed anew, also while one in front of it waits to be heard', async (t) => {
  let now = 0
  const rows = new ClosedRows((conn, heard) => conn === 'c1' && heard(now))
  rows.close(send('m1', { conn: 'gone' }), 'TIMEOUT', 0)
  rows.close(send('m1'), 'TIMEOUT', 0)
  now = 2_000
  rows.sweep(now)
  rows.close(send('m5'), 'UNAVAILABLE', now)
  t.equal(rows.refusal(send('m6'), 2_001), 'UNAVAILABLE')
  t.equal(rows.refusal(send('m5'), 2_001), undefined, 'it opens with the first one refused this time')
})
