import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Collection, Db, Filter } from 'mongodb'
import { AT_START, type Cursor } from '../domain/present.ts'
import { answered } from './answered.ts'
import type { CursorKey, CursorMove, Cursors } from './cursors.ts'

/** A bulk write is one command up to here. */
const MOVES_PER_WRITE = 1_000
/** What an `$or` of keys may hold without being long in planning. */
const KEYS_PER_QUERY = 250

interface CursorDocument extends Cursor {
  user: UserId
  conversation: ConversationId
}

export class MongoCursors implements Cursors {
  readonly #cursors: Collection<CursorDocument>

  constructor(db: Db) {
    this.#cursors = db.collection('cursors')
  }

  async advance(moves: readonly CursorMove[]): Promise<void> {
    for (let at = 0; at < moves.length; at += MOVES_PER_WRITE) await this.#write(moves.slice(at, at + MOVES_PER_WRITE))
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

  async #write(moves: readonly CursorMove[]): Promise<void> {
    const write = this.#cursors.bulkWrite(
      moves.map(({ user, conversation, deliveredSeq = 0, readSeq = 0 }) => ({
        updateOne: {
          filter: { user, conversation },
          // $max, so that two writers in any order leave the higher one.
          update: { $max: { deliveredSeq, readSeq } },
          upsert: true,
        },
      })),
      { ordered: false },
    )
    await answered(write)
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

function cursorOf({ deliveredSeq, readSeq }: Cursor): Cursor {
  return { deliveredSeq, readSeq }
}
