import { startMongoWithSmallOplog } from '@qunxin/devstack/small-oplog'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { replay } from '../../src/events/replay.ts'
import { Watermarks } from '../../src/events/watermarks.ts'
import { type MessageDocument, toDocument } from '../../src/store/message-document.ts'
import { message } from '../sample.ts'
import { eventually } from './harness.ts'

t.setTimeout(90_000)

t.test('when the oplog does not reach back so far, it is said for which time, and the rest is read', async (t) => {
  const server = await startMongoWithSmallOplog(t.testdir())
  const client = await MongoClient.connect(server.url)
  t.teardown(async () => {
    await client.close()
    await server.stop()
  })
  const db = client.db('test')
  const messages = db.collection<MessageDocument>('messages')
  const watermarks = new Watermarks(db)
  await watermarks.readBack('dead', 0)
  await messages.insertOne(toDocument(message({ seq: 1 })))

  const oplog = client.db('local').collection('oplog.rs')
  const forgotten = async () => (await oplog.countDocuments({ op: 'i', ns: 'test.messages' })) === 0
  const rubbish = Array.from({ length: 20 }, () => ({ rubbish: 'x'.repeat(100_000) }))
  while (!(await forgotten())) await db.collection('rubbish').insertMany(rubbish.map((one) => ({ ...one })))
  await eventually('the oplog to begin in another second', async () => {
    const [first] = await oplog.find().sort({ $natural: 1 }).limit(1).toArray()
    return Date.now() > (first?.ts.getHighBits() + 2) * 1_000
  })
  await messages.insertOne(toDocument(message({ seq: 2 })))

  const claimed = (await eventually('the watermark to be claimed', () => watermarks.claim('one')))!
  const lost: { from: number; until: number }[] = []
  const read: number[] = []
  await replay(claimed, {
    db,
    take: async (some) => void read.push(...some.map(({ seq }) => seq)),
    lost: (from, until) => void lost.push({ from, until }),
    signal: new AbortController().signal,
  })
  t.same(read, [2])
  t.match(lost, [{ from: claimed.publishedUntil - 10_000 }])
  t.ok(lost[0]!.until > lost[0]!.from && lost[0]!.until < Date.now())
})
