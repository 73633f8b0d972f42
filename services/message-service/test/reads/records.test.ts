import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { type RangePorts, readRange } from '../../src/reads/range.ts'
import { loadRecords } from '../../src/reads/records.ts'
import { groupsOf, message } from '../sample.ts'
import { memoryStores } from '../sample-stores.ts'

async function setup(last: number, text = 'x') {
  const stores = memoryStores()
  await stores.log.append(Array.from({ length: last }, (_, i) => message({ seq: i + 1, text })))
  return { ...stores, membership: groupsOf({ version: 1, members: [] }) }
}
const seqs = ({ recordList }: { recordList: { seq: number }[] }) => recordList.map(({ seq }) => seq)
const withUser = { groupId: undefined, chatUserId: '2', lastTime: undefined, pageSize: undefined, beforeSeq: undefined }

t.test('after a time: the oldest first, and whether there is more', async (t) => {
  const ports = await setup(7)
  const page = await loadRecords(ports, '1', { ...withUser, lastTime: 1_002, pageSize: 3 })
  t.same(seqs(page), [3, 4, 5])
  t.equal(page.hasMore, true)
  const rest = await loadRecords(ports, '1', { ...withUser, lastTime: 1_005, pageSize: 3 })
  t.same(seqs(rest), [6, 7])
  t.equal(rest.hasMore, false)
})

t.test('without a time: the newest page; before a seq: the newest below it', async (t) => {
  const ports = await setup(7)
  t.same(seqs(await loadRecords(ports, '2', { ...withUser, chatUserId: '1', pageSize: 3 })), [5, 6, 7])
  const older = await loadRecords(ports, '1', { ...withUser, beforeSeq: 5, pageSize: 3 })
  t.same(seqs(older), [2, 3, 4])
  t.equal(older.hasMore, true)
  const first = await loadRecords(ports, '1', { ...withUser, beforeSeq: 2, pageSize: 3 })
  t.same(seqs(first), [1])
  t.equal(first.hasMore, false)
  t.same(seqs(await loadRecords(ports, '1', { ...withUser, beforeSeq: 1 })), [])
})

t.test('a page is 50 records unless asked otherwise', async (t) => {
  t.equal(seqs(await loadRecords(await setup(60), '1', withUser)).length, 50)
})

t.test('a page that would be too large is shorter, at the end read from, and says that there is more', async (t) => {
  const ports = await setup(200, '长'.repeat(5_000))
  const forward = await loadRecords(ports, '1', { ...withUser, lastTime: 0, pageSize: 200 })
  t.ok(Buffer.byteLength(JSON.stringify(forward)) <= 512 * 1024 + 100)
  t.equal(seqs(forward)[0], 1)
  t.equal(forward.hasMore, true)
  const backward = await loadRecords(ports, '1', { ...withUser, pageSize: 200 })
  t.equal(seqs(backward).at(-1), 200)
  t.ok(seqs(backward).length < 200)
  t.equal(backward.hasMore, true)
})

t.test('with somebody never talked to there is nothing', async (t) => {
  t.same(await loadRecords(await setup(3), '1', { ...withUser, chatUserId: '99' }), { recordList: [], hasMore: false })
})

t.test('the state of a personal message follows its receiver’s cursors', async (t) => {
  const ports = await setup(3)
  await ports.log.append([message({ seq: 4, from: '2', to: '1' })])
  await ports.cursors.advance([
    { user: '2', conversation: 'p1-2', deliveredSeq: 4, readSeq: 1 },
    { user: '1', conversation: 'p1-2', deliveredSeq: 3 },
  ])
  const { recordList } = await loadRecords(ports, '1', withUser)
  t.same(
    recordList.map(({ state }) => state),
    [3, 2, 2, 1],
  )
})

const nobodyAsked = async () => t.fail('nobody is to be asked') as never

t.test('the state of a group message follows whoever is furthest behind, in history and in a range', async (t) => {
  const ports = await setup(0)
  await ports.log.append([1, 2, 3].map((seq) => message({ group: '5', seq, from: seq === 3 ? '2' : '1' })))
  const entries = (two: number, three: number): [string, number][] => [
    ['2', two],
    ['3', three],
  ]
  await ports.floors.raise([{ _id: 'g5', version: 1, delivered: entries(2, 3), read: entries(1, 3) }])
  const { recordList } = await loadRecords(ports, '1', { ...withUser, chatUserId: undefined, groupId: '5' })
  const { messages } = await readRange({ ...ports, lateIn: nobodyAsked }, { conversation: 'g5', fromSeq: 1, toSeq: 3 })
  for (const list of [recordList, messages])
    t.same(
      list.map(({ state }) => state),
      [3, 2, 3],
    )
})

t.test(
  'a range says who may not read what an edit in it changes, and withholds it from all when that is not known',
  async (t) => {
    const ports = await setup(0)
    const change = { kind: 'edit', seq: 1, msgId: 'm1' } as const
    const entries = [1, 2, 3].map((seq) => message({ group: '5', seq }))
    await ports.log.append([...entries, message({ group: '5', seq: 4, text: 'new', change })])
    const read = (lateIn: RangePorts['lateIn'], fromSeq = 1) =>
      readRange({ ...ports, lateIn }, { conversation: 'g5', fromSeq, toSeq: 4 })
    const late = [['2', 3]] as [string, number][]
    t.match(await read(async () => late, 4), { messages: [{ contentStr: 'new', change }], late })
    t.notOk('late' in (await read(async () => [])))
    t.match(await read(async () => undefined), { messages: [{}, {}, {}, { contentStr: '', change, withheld: true }] })
    const { messages } = await readRange(
      { ...ports, lateIn: nobodyAsked },
      { conversation: 'g5', fromSeq: 1, toSeq: 3 },
    )
    t.equal(messages.length, 3, 'where nothing was edited nobody is asked')
  },
)

t.test('a group is asked about once, and a refusal passed on', async (t) => {
  const ports = await setup(0)
  await ports.log.append([message({ group: '5' })])
  const inGroup = { ...withUser, chatUserId: undefined, groupId: '5' }
  t.match(await loadRecords(ports, '1', inGroup), { recordList: [{ chat_type: 'groupchat', toId: '5', state: 1 }] })
  ports.membership.memberOf = async () => {
    throw new AppError('NOT_A_MEMBER')
  }
  await t.rejects(loadRecords(ports, '9', inGroup), { code: 'NOT_A_MEMBER' })
})
