import type { SendAnswer } from '@qunxin/contracts'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
const first = await w.start()
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))

const HOUR_MS = 3_600_000
const send = async (from: string, group: string, fields: { msgId?: string; text?: string } = {}): Promise<SendAnswer> =>
  (await gateway.send(gateway.entry(from, { group }, fields)))[0] as SendAnswer
const set = async (group: string, change: { slowModeMs?: number; admins?: string[] }) => {
  const version = groups.store(group, change)
  await groups.tell({ groupId: group, version })
}
const isEarly = (answer: SendAnswer) => 'code' in answer && answer.code === 'RATE_LIMITED'
const stored = (conversation: string) => w.db.collection('messages').find({ conversation }).sort({ _id: 1 }).toArray()

t.test('once slow mode is confirmed, members wait between two messages, and admins do not', async (t) => {
  groups.create('51', '1', '2', '3')
  t.match(await send('1', '51'), { seq: 1 })
  await set('51', { slowModeMs: HOUR_MS, admins: ['3'] })
  const refused = await send('1', '51')
  t.ok(isEarly(refused), 'what was sent before it counts')
  const { retryAfterMs } = (refused as unknown as { details: { retryAfterMs: number } }).details
  t.ok(retryAfterMs > HOUR_MS - 60_000 && retryAfterMs <= HOUR_MS)
  t.match(await send('2', '51'), { seq: 2 }, 'everybody for themselves')
  t.ok(isEarly(await send('2', '51')))
  for (const seq of [3, 4]) t.match(await send('3', '51'), { seq })
  await set('51', { slowModeMs: 0 })
  t.match(await send('1', '51'), { seq: 5 })
})

t.test('a repeat is answered as ever and costs nothing', async (t) => {
  groups.create('52', '1', '2')
  await set('52', { slowModeMs: HOUR_MS })
  t.match(await send('1', '52', { msgId: 'once', text: 'hi' }), { seq: 1 })
  for (let i = 0; i < 3; i++) t.match(await send('1', '52', { msgId: 'once', text: 'hi' }), { seq: 1, duplicate: true })
  t.match(await send('1', '52', { msgId: 'once', text: 'other' }), { code: 'MSG_ID_REUSED' })
  t.ok(isEarly(await send('1', '52', { msgId: 'twice' })))
})

t.test('messages are as far apart in the log as the pause says, whoever sends how often', async (t) => {
  groups.create('53', '1', '2')
  await set('53', { slowModeMs: 300 })
  const tries = Array.from({ length: 40 }, (_, i) => i)
  for (const i of tries)
    await gateway.send(...['1', '1', '2'].map((from) => gateway.entry(from, { group: '53' }, { text: String(i) })))
  await eventually('three messages of each', async () => {
    await Promise.all(['1', '2'].map((from) => send(from, '53')))
    const messages = await stored('g53')
    return ['1', '2'].every((user) => messages.filter(({ from }) => from === user).length >= 3)
  })
  const messages = await stored('g53')
  for (const user of ['1', '2']) {
    const times = messages.filter(({ from }) => from === user).map(({ at }) => at as number)
    const gaps = times.slice(1).map((at, i) => at - (times[i] as number))
    t.ok(
      gaps.every((gap) => gap >= 300),
      gaps.join(' '),
    )
  }
})

t.test('an admin who becomes a plain member waits, and a member who becomes an admin need not', async (t) => {
  groups.create('54', '1', '2')
  await set('54', { slowModeMs: HOUR_MS, admins: ['1'] })
  t.match(await send('1', '54'), { seq: 1 })
  t.match(await send('2', '54'), { seq: 2 })
  await set('54', { admins: ['2'] })
  t.ok(isEarly(await send('1', '54')), 'what was sent as an admin counts')
  t.match(await send('2', '54'), { seq: 3 })
})

t.test('a slow mode nobody told the owner of is in force shortly after all the same', async (t) => {
  groups.create('55', '1')
  t.match(await send('1', '55'), { seq: 1 })
  groups.store('55', { slowModeMs: HOUR_MS })
  await eventually('a refusal', async () => isEarly(await send('1', '55')))
})

t.test('the pause holds over a change of the owner, behind many messages of others too', async (t) => {
  groups.create('56', '1', '2')
  await set('56', { slowModeMs: HOUR_MS, admins: ['2'] })
  t.match(await send('1', '56', { msgId: 'early', text: 'early' }), { seq: 1 })
  await gateway.send(...Array.from({ length: 300 }, () => gateway.entry('2', { group: '56' })))
  const second = await w.start()
  await first.stop()
  await eventually('the successor has everything', async () => (await ownedBy(second.opsUrl)) === PARTITIONS)
  t.ok(isEarly(await send('1', '56')))
  t.match(
    await send('1', '56', { msgId: 'early', text: 'early' }),
    { seq: 1, duplicate: true },
    'which the tail no longer has',
  )
  t.match(await send('2', '56'), { seq: 302 })
})
