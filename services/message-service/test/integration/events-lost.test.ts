import { startMongoWithSmallOplog } from '@qunxin/devstack/small-oplog'
import { MongoClient, type Timestamp } from 'mongodb'
import t, { type Test } from 'tap'
import { replay } from '../../src/events/replay.ts'
import { Watermarks } from '../../src/events/watermarks.ts'
import { type MessageDocument, toDocument } from '../../src/store/message-document.ts'
import { message } from '../sample.ts'
import { eventually } from './harness.ts'

t.setTimeout(90_000)

/** A database whose oplog forgets fast. */
async function open(t: Test) {
  const server = await startMongoWithSmallOplog(t.testdir())
  const client = await MongoClient.connect(server.url)
  t.teardown(async () => {
    await client.close()
    await server.stop()
  })
  const db = client.db('test')
  const oplog = client.db('local').collection('oplog.rs')
  const rubbish = Array.from({ length: 20 }, () => ({ rubbish: 'x'.repeat(100_000) }))
  const isThere = async () => (await oplog.countDocuments({ op: 'i', ns: 'test.messages' })) > 0
  const begin = async () => (await oplog.find().sort({ $natural: 1 }).limit(1).toArray())[0]?.ts as Timestamp
  return {
    db,
    messages: db.collection<MessageDocument>('messages'),
    watermarks: new Watermarks(db),
    /** Resolves when nothing of the messages so far, nor this place, is in the oplog. */
    async forget(place?: Timestamp) {
      while ((await isThere()) || (place && (await begin()).lessThanOrEqual(place)))
        await db.collection('rubbish').insertMany(rubbish.map((one) => ({ ...one })))
      await eventually(
        'the oplog to begin in another second',
        async () => Date.now() > ((await begin()).getHighBits() + 2) * 1_000,
      )
    },
  }
}

t.test('when the oplog does not reach back so far, it is said for which time, and the rest is read', async (t) => {
  const { db, messages, watermarks, forget } = await open(t)
  await watermarks.readBack('dead', 0)
  await messages.insertOne(toDocument(message({ seq: 1 })))
  await forget()
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

for (const cursor of ['open', 'given up by the server'])
  t.test(
    `who waits until the oplog has forgotten all that was to be read has finished: cursor ${cursor}`,
    async (t) => {
      const { db, messages, watermarks, forget } = await open(t)
      await watermarks.readBack('dead', 0)
      await messages.insertMany(
        Array.from({ length: 2_500 }, (_, i) => toDocument(message({ seq: i + 1, msgId: `m${i}` }))),
      )
      const claimed = (await eventually('the watermark to be claimed', () => watermarks.claim('one')))!
      const lost: { from: number; until: number }[] = []
      let read = 0
      await replay(claimed, {
        db,
        take: async (some) => {
          if (read === 0) await forget(claimed.upTo)
          // As it does by itself with a cursor that nobody has read from for ten minutes.
          if (read === 0 && cursor !== 'open') await db.admin().command({ killAllSessions: [] })
          read += some.length
        },
        lost: (from, until) => {
          lost.push({ from, until })
          if (lost.length > 5) throw new Error('it is lost again and again')
        },
        signal: new AbortController().signal,
      })
      t.ok(read > 0 && read < 2_500)
      t.ok(lost.length > 0)
    },
  )
