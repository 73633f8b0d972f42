import type { ConversationId } from '@qunxin/contracts'
import type { Collection, Db } from 'mongodb'
import { answered } from './answered.ts'
import type { MessageDocument } from './message-document.ts'
import type { OldMessages } from './old-messages.ts'

export class MongoOldMessages implements OldMessages {
  readonly #messages: Collection<MessageDocument>

  constructor(db: Db) {
    this.#messages = db.collection('messages')
  }

  async conversations(
    after: ConversationId,
    limit: number,
  ): Promise<{ conversation: ConversationId; oldestAt: number }[]> {
    // A DISTINCT_SCAN of (conversation, at): one key per conversation, in the order of the index, and no further than the limit.
    const oldest = this.#messages.aggregate<{ _id: ConversationId; at: number }>([
      { $match: { conversation: { $gt: after } } },
      { $sort: { conversation: 1, at: 1 } },
      { $group: { _id: '$conversation', at: { $first: '$at' } } },
      { $limit: limit },
    ])
    const found = (await answered(oldest.toArray())).map(({ _id, at }) => ({ conversation: _id, oldestAt: at }))
    // Grouped in another way they would be any of them, and who goes on behind the last would leave some out.
    const inOrder = found.every(({ conversation }, index) => conversation > (found[index - 1]?.conversation ?? after))
    if (!inOrder) throw new Error('the conversations do not come in order')
    return found
  }

  async delete(conversation: ConversationId, time: number, limit: number): Promise<number> {
    // One more than may go: who is behind it is not the newest.
    const oldest = this.#messages
      .find({ conversation })
      .sort({ conversation: 1, at: 1 })
      .limit(limit + 1)
      .project<Pick<MessageDocument, '_id' | 'at'>>({ at: 1 })
    const old = (await answered(oldest.toArray())).slice(0, -1).filter(({ at }) => at < time)
    const [first, last] = [old[0], old.at(-1)]
    if (!first || !last) return 0
    // In the order of this index: killed in the middle of it, it has taken the oldest ones.
    const range = { _id: { $gte: first._id, $lte: last._id }, conversation }
    return (await answered(this.#messages.deleteMany(range, { hint: { _id: 1 } }))).deletedCount
  }
}
