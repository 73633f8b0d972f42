import { randomBytes } from 'node:crypto'
import t from 'tap'
import { connectMongo } from '../../../src/store/mongo.ts'
import { MongoConversations } from '../../../src/store/mongo-conversations.ts'
import { MongoCursors } from '../../../src/store/mongo-cursors.ts'
import { MongoFloors } from '../../../src/store/mongo-floors.ts'
import { MongoLog } from '../../../src/store/mongo-log.ts'
import { MongoPreferences } from '../../../src/store/mongo-preferences.ts'
import { partitionsInForce } from '../../../src/store/settings.ts'
import { message } from '../../sample.ts'
import { conversationsSuite } from '../../store/conversations-suite.ts'
import { cursorsSuite } from '../../store/cursors-suite.ts'
import { floorsSuite } from '../../store/floors-suite.ts'
import { messageLogSuite } from '../../store/message-log-suite.ts'
import { preferencesSuite } from '../../store/preferences-suite.ts'
import { logger, mongoUrl } from '../harness.ts'

t.setTimeout(120_000)
const name = `t${randomBytes(5).toString('hex')}`
const mongo = await connectMongo({ url: mongoUrl, database: name, logger })
t.teardown(async () => {
  await mongo.db.dropDatabase()
  await mongo.close()
})
const emptied = async <T>(store: T, collection: string): Promise<T> => {
  await mongo.db.collection(collection).deleteMany({})
  return store
}

t.test('the log in MongoDB', (t) => messageLogSuite(t, () => emptied(new MongoLog(mongo.db), 'messages')))
t.test('a tail whose head is deleted while many are read is read again', async (t) => {
  const log = await emptied(new MongoLog(mongo.db), 'messages')
  const conversation = 'p1-2'
  await log.append([...[1, 2].map((seq) => message({ seq })), message({ conversation: 'p1-3' })])
  const heads = log.heads.bind(log)
  log.heads = async (conversations) => {
    const found = await heads(conversations)
    await log.append([message({ seq: 3 })])
    await mongo.db.collection('messages').deleteMany({ conversation, at: { $lt: message({ seq: 3 }).at } })
    return found
  }
  const all = [conversation, 'p1-3', 'p1-4']
  const tails = await log.tails(all, 1)
  t.same(
    tails.map(({ seq }) => seq),
    [3, 1, 0],
  )
  t.same(tails, await Promise.all(all.map((one) => log.tail(one, 1))))
})
t.test('cursors in MongoDB', (t) => cursorsSuite(t, () => emptied(new MongoCursors(mongo.db), 'cursors')))
t.test('conversations in MongoDB', (t) =>
  conversationsSuite(t, () => emptied(new MongoConversations(mongo.db), 'conversations')),
)
t.test('floors in MongoDB', (t) => floorsSuite(t, () => emptied(new MongoFloors(mongo.db), 'floors')))
t.test('preferences in MongoDB', (t) =>
  preferencesSuite(t, () => emptied(new MongoPreferences(mongo.db), 'preferences')),
)

t.test('the number of partitions is what the first process said', async (t) => {
  t.equal(await partitionsInForce(mongo.db, 64), 64)
  t.equal(await partitionsInForce(mongo.db, 32), 64)
})

t.test('the indexes stand on what is asked for', async (t) => {
  const keys = async (collection: string) =>
    (await mongo.db.collection(collection).indexes()).map(
      ({ key, unique }) => `${Object.keys(key).join()}${unique ? '!' : ''}`,
    )
  t.same((await keys('messages')).sort(), [
    '_id',
    'conversation,_id',
    'conversation,at,from',
    'conversation,change.seq',
    'conversation,from,msgId!',
  ])
  t.same((await keys('cursors')).sort(), ['_id', 'user,conversation!'])
  t.same((await keys('preferences')).sort(), ['_id', 'conversation,user', 'user,peer'])
  t.same((await keys('conversations')).sort(), ['_id', 'user,lastAt,conversation'])
})

t.test('an index that has a better one now is dropped; without one a start keeps nobody from writing', async (t) => {
  const messages = mongo.db.collection('messages')
  const names = async () => (await messages.indexes()).map((index) => index.name)
  const again = () => connectMongo({ url: mongoUrl, database: name, logger })
  await messages.createIndex({ conversation: 1, at: 1 })
  await (await again()).close()
  t.notOk((await names()).includes('conversation_1_at_1'))

  // Who writes holds a lock, here for as long as the start takes: whoever waited for the whole collection would wait for it.
  const session = mongo.client.startSession()
  session.startTransaction()
  await messages.insertOne({ from: 'somebody' }, { session })
  await (await again()).close()
  await t.resolves(session.commitTransaction(), 'and is not given up for it')
  await session.endSession()
})
