import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { connectMongo } from '../../../src/store/mongo.ts'
import { MongoConversations } from '../../../src/store/mongo-conversations.ts'
import { MongoCursors } from '../../../src/store/mongo-cursors.ts'
import { MongoFloors } from '../../../src/store/mongo-floors.ts'
import { MongoLog } from '../../../src/store/mongo-log.ts'
import { MongoOverviews } from '../../../src/store/mongo-overviews.ts'
import { MongoPreferences } from '../../../src/store/mongo-preferences.ts'
import { overviewsSuite } from '../../store/overviews-suite.ts'
import { logger, mongoUrl } from '../harness.ts'

async function connected(t: Test, database = `t${randomBytes(5).toString('hex')}`) {
  const mongo = await connectMongo({ url: mongoUrl, database, logger })
  t.teardown(async () => {
    await mongo.db.dropDatabase()
    await mongo.close()
  })
  return mongo
}

t.test('overviews in MongoDB', async (t) => {
  const { db } = await connected(t)
  await overviewsSuite(t, async () => {
    for (const { name } of await db.listCollections().toArray()) await db.collection(name).deleteMany({})
    return {
      log: new MongoLog(db),
      cursors: new MongoCursors(db),
      conversations: new MongoConversations(db),
      floors: new MongoFloors(db),
      preferences: new MongoPreferences(db),
      overviews: new MongoOverviews(db),
    }
  })
})

t.test('a database of an earlier version gets the indexes of this one in place of its own', async (t) => {
  const earlier = await connected(t)
  const database = earlier.db.databaseName
  const messages = earlier.db.collection('messages')
  const rows = earlier.db.collection('conversations')
  await messages.dropIndexes()
  await rows.dropIndexes()
  await messages.createIndex({ conversation: 1, at: 1 })
  await rows.createIndex({ user: 1, lastAt: -1 })
  const later = await connected(t, database)
  const keys = async (collection: string) =>
    (await later.db.collection(collection).indexes()).map(({ key }) => Object.keys(key).join()).sort()
  t.same(await keys('messages'), [
    '_id',
    'conversation,_id',
    'conversation,at,from',
    'conversation,change.seq',
    'conversation,from,msgId',
  ])
  t.same(await keys('conversations'), ['_id', 'user,lastAt,conversation'])
})
