import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Collection, Db, Filter } from 'mongodb'
import type { Cursor } from '../domain/present.ts'
import { answered } from './answered.ts'
import type { CursorMove, Cursors } from './cursors.ts'

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
    if (moves.length === 0) return
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
      found.set(document[name], { deliveredSeq: document.deliveredSeq, readSeq: document.readSeq })
    }
    return found
  }
}
