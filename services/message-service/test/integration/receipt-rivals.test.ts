import { randomInt } from 'node:crypto'
import type { Bus } from '@qunxin/bus'
import { partitionOf, type Receipt, subjects } from '@qunxin/contracts'
import t from 'tap'
import { askOwner } from '../../src/asking.ts'
import { eventually, fakeGateway, fakeGroups, PARTITIONS, world } from './harness.ts'
import { random } from './writers.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
const pick = random(seed)
t.setTimeout(120_000)

/** Told to the owner and confirmed, as a gateway does it. */
async function tell(bus: Bus, ...receipts: Receipt[]): Promise<void> {
  const [{ conversation } = { conversation: '' }] = receipts
  const payload = JSON.stringify({ node: 'node', receipts })
  const subject = subjects.partitionReceipt(partitionOf(conversation, PARTITIONS))
  await eventually('an answer', () => askOwner(bus, subject, { payload, deadline: Date.now() + 5_000 }))
}

t.test('two owners at once, each with its own receipts', async (t) => {
  // Two systems that do not see each other on NATS but share a database: each instance believes that it owns every partition.
  const w = await world()
  t.teardown(() => w.end())
  const other = `${w.name}x`
  await Promise.all([w.start(), w.start({ SUBJECT_PREFIX: other })])
  const buses = [await w.connect('node-1'), await w.connect('node-2', other)] as const
  const gateways = await Promise.all([fakeGateway(buses[0], 'node-1'), fakeGateway(buses[1], 'node-2')])
  t.teardown(() => {
    for (const gateway of gateways) gateway.stop()
  })
  for (const groups of [fakeGroups(await w.connect('groups-1')), fakeGroups(await w.connect('groups-2', other))])
    groups.create('5', '1', '2', '3', '4')

  await t.test('no cursor that is told is behind one that was told and answered before', async (t) => {
    const sends = Array.from({ length: 60 }, () => gateways[0].entry('11', { user: '12' }))
    await gateways[0].send(...sends)
    let furthest = { delivered: 0, read: 0 }
    for (let round = 0; round < 12; round++) {
      const before = gateways.map(({ seen }) => seen.length)
      const seqs = [pick(60) + 1, pick(60) + 1] as const
      const receipt = { user: '12', conversation: 'p11-12' }
      await Promise.all([
        tell(buses[0], { ...receipt, delivered: seqs[0] }),
        tell(buses[1], { ...receipt, read: Math.ceil(seqs[1] / 2) }),
      ])
      const shown = gateways.flatMap(({ seen }, index) =>
        seen.slice(before[index]).flatMap(({ item }) => item.cursor ?? []),
      )
      for (const { delivered, read } of shown)
        t.ok(delivered >= furthest.delivered && read >= furthest.read, `${delivered}/${read} in round ${round}`)
      furthest = {
        delivered: Math.max(furthest.delivered, ...seqs.map((seq, index) => (index === 0 ? seq : Math.ceil(seq / 2)))),
        read: Math.max(furthest.read, Math.ceil(seqs[1] / 2)),
      }
    }
    const stored = await w.db.collection('cursors').findOne({ user: '12', conversation: 'p11-12' })
    t.match(stored, { deliveredSeq: furthest.delivered, readSeq: furthest.read })
  })

  await t.test('a floor made from less than is known never replaces a higher one', async (t) => {
    await gateways[0].send(...Array.from({ length: 9 }, () => gateways[0].entry('1', { group: '5' })))
    const read = (user: string, seq: number) => ({ user, conversation: 'g5', read: seq })
    const floor = async () =>
      (await w.db.collection('floors').findOne({ _id: 'g5' as never }))?.read as [string, number][]
    const upTo = [1, 2, 3, 5, 8]
    let lowest = 0
    for (const [round, seq] of upTo.entries()) {
      // Both have read the cursors by then, and each hears of half of what is read.
      await tell(buses[0], read('1', seq), read('2', seq))
      await tell(buses[1], read('3', seq), read('4', seq))
      const seqs = (await floor()).map(([, at]) => at)
      t.ok((seqs[0] ?? 0) >= lowest, `${seqs} in round ${round}`)
      t.ok((seqs[0] ?? 0) <= seq)
      lowest = seqs[0] ?? 0
    }
    await tell(buses[0], read('3', 9), read('4', 9), read('2', 9), read('1', 9))
    t.same(
      (await floor()).map(([, at]) => at),
      [9, 9],
    )
  })
})

t.test('what is read while owners change is stored when it is answered, told, and never behind', async (t) => {
  const w = await world()
  t.teardown(() => w.end())
  const running = [await w.start(), await w.start()]
  const bus = await w.connect('node-1')
  const gateway = await fakeGateway(bus, 'node-1')
  t.teardown(() => gateway.stop())
  const groups = fakeGroups(await w.connect('group-service'))
  const members = ['1', '2', '3', '4', '5']
  groups.create('7', ...members)
  const conversations = ['p21-22', 'p23-24', 'p25-26', 'g7']
  for (const [from, to] of [
    ['21', '22'],
    ['23', '24'],
    ['25', '26'],
  ] as const)
    await gateway.send(...Array.from({ length: 40 }, () => gateway.entry(from, { user: to })))
  await gateway.send(...Array.from({ length: 40 }, () => gateway.entry('1', { group: '7' })))
  const readers = [
    ...[1, 2, 3].map((pair) => ({ user: String(20 + 2 * pair), conversation: conversations[pair - 1]! })),
    ...members.slice(1).map((user) => ({ user, conversation: 'g7' })),
  ]
  let over = false
  const reading = Promise.all(
    readers.map(async ({ user, conversation }) => {
      for (let seq = 1; seq < 40 && !over; seq += 1 + pick(3)) {
        await tell(bus, { user, conversation, read: seq })
        const stored = await w.db.collection('cursors').findOne({ user, conversation })
        if (stored?.readSeq < seq)
          t.fail(`${user} in ${conversation}: ${seq} was answered, ${stored?.readSeq} is stored`)
      }
      await tell(bus, { user, conversation, read: 40 })
    }),
  )
  for (let step = 0; step < 4; step++) {
    const joining = w.start()
    await running.splice(pick(running.length), 1)[0]!.stop()
    running.push(await joining)
  }
  over = true
  await reading
  for (const { user, conversation } of readers.slice(0, 3)) {
    const shown = gateway.seen.flatMap(({ item }) =>
      item.conversation === conversation && item.cursor?.of === user ? [item.cursor] : [],
    )
    t.equal(Math.max(...shown.map(({ read }) => read)), 40, `${conversation}: the last state was told`)
  }
  const counts = () => gateway.seen.filter(({ item, frame }) => item.conversation === 'g7' && 'readCount' in frame.data)
  await eventually('the counts at the end', () => counts().at(-1)?.frame.data.readCount === 4)
  t.match(counts().at(-1)?.frame.data, { seq: 40, deliveredCount: 4, readCount: 4, total: 4 })
})
