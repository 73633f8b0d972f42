import type { ConversationId, UserId } from '@qunxin/contracts'
import type { AnyBulkWriteOperation, Collection, Db, Filter } from 'mongodb'
import { AT_START, type Cursor } from '../domain/present.ts'
import { answered } from './answered.ts'
import type { CursorKey, CursorMove, Cursors } from './cursors.ts'

/** A bulk write is one command up to here. */
const UPDATES_PER_WRITE = 1_000
/** So many of one conversation that come equally far go into one update, which is a quarter of the work for the server. */
const TOGETHER = 5
/** What an `$or` of keys may hold without being long in planning. */
const KEYS_PER_QUERY = 250

interface CursorDocument extends Cursor {
  user: UserId
  conversation: ConversationId
}

type Update = AnyBulkWriteOperation<CursorDocument>

export class MongoCursors implements Cursors {
  readonly #cursors: Collection<CursorDocument>

  constructor(db: Db) {
    this.#cursors = db.collection('cursors')
  }

  async advance(moves: readonly CursorMove[]): Promise<void> {
    if (await this.#writeTogether(moves)) return
    await this.#write(moves.map(updateOfOne))
  }

  /** Writes as many as may be with one update; false when not all of them are written. */
  async #writeTogether(moves: readonly CursorMove[]): Promise<boolean> {
    const places = [...Map.groupBy(moves, placeOf).values()]
    if (places.every((same) => same.length < TOGETHER)) return false
    const updates = places.flatMap((same) => (same.length < TOGETHER ? same.map(updateOfOne) : updateOfMany(same)))
    // An update of many makes no cursor for who has none, and the driver does not try one again that broke.
    return this.#write(updates).then(
      (written) => written === moves.length,
      () => false,
    )
  }

  async each(keys: readonly CursorKey[]): Promise<Cursor[]> {
    const found = new Map<string, Cursor>()
    for (let at = 0; at < keys.length; at += KEYS_PER_QUERY) {
      const $or = keys.slice(at, at + KEYS_PER_QUERY).map(({ user, conversation }) => ({ user, conversation }))
      const documents = this.#cursors.find({ $or }, { batchSize: KEYS_PER_QUERY + 1 })
      for (const document of await answered(documents.toArray()))
        found.set(`${document.user}/${document.conversation}`, cursorOf(document))
    }
    return keys.map(({ user, conversation }) => found.get(`${user}/${conversation}`) ?? AT_START)
  }

  /** Returns how many cursors there were, or are now. */
  async #write(updates: readonly Update[]): Promise<number> {
    let written = 0
    for (let at = 0; at < updates.length; at += UPDATES_PER_WRITE) {
      const some = updates.slice(at, at + UPDATES_PER_WRITE)
      const { matchedCount, upsertedCount } = await answered(this.#cursors.bulkWrite(some, { ordered: false }))
      written += matchedCount + upsertedCount
    }
    return written
  }

  async of(conversation: ConversationId, users: readonly UserId[]): Promise<Map<UserId, Cursor>> {
    return this.#read({ conversation, user: { $in: [...users] } }, 'user')
  }

  async ofUser(user: UserId, conversations: readonly ConversationId[]): Promise<Map<ConversationId, Cursor>> {
    return this.#read({ user, conversation: { $in: [...conversations] } }, 'conversation')
  }

  async #read(filter: Filter<CursorDocument>, name: 'user' | 'conversation'): Promise<Map<string, Cursor>> {
    const found = new Map<string, Cursor>()
    for await (const document of this.#cursors.find(filter)) {
      found.set(document[name], cursorOf(document))
    }
    return found
  }
}

function placeOf({ conversation, deliveredSeq = 0, readSeq = 0 }: CursorMove): string {
  return `${conversation} ${deliveredSeq} ${readSeq}`
}

function updateOfOne(move: CursorMove): Update {
  const { user, conversation } = move
  return { updateOne: { filter: { user, conversation }, update: upTo(move), upsert: true } }
}

/** Of moves to one place. */
function updateOfMany(moves: readonly CursorMove[]): Update {
  const { conversation = '', ...place } = moves[0] ?? {}
  const filter = { conversation, user: { $in: moves.map(({ user }) => user) } }
  return { updateMany: { filter, update: upTo(place) } }
}

/** $max, so that two writers in any order leave the higher one. */
function upTo({ deliveredSeq = 0, readSeq = 0 }: Partial<Cursor>) {
  return { $max: { deliveredSeq, readSeq } }
}

function cursorOf({ deliveredSeq, readSeq }: Cursor): Cursor {
  return { deliveredSeq, readSeq }
}
