import { type ConversationId, pairOf, type UserId } from '@qunxin/contracts'
import type { Collection, Db } from 'mongodb'
import { answered } from './answered.ts'
import type { Conversations } from './conversations.ts'

interface ConversationRow {
  /** `<user>/<conversation>`: written by two owners at once, it is still one row. */
  _id: string
  user: UserId
  conversation: ConversationId
  lastAt: number
}

export class MongoConversations implements Conversations {
  readonly #rows: Collection<ConversationRow>

  constructor(db: Db) {
    this.#rows = db.collection('conversations')
  }

  async begin(conversations: readonly ConversationId[], at: number): Promise<void> {
    const write = this.#rows.bulkWrite(
      conversations.flatMap((conversation) =>
        (pairOf(conversation) ?? []).map((user) => ({
          updateOne: {
            filter: { _id: `${user}/${conversation}` },
            update: { $setOnInsert: { user, conversation, lastAt: at } },
            upsert: true,
          },
        })),
      ),
      { ordered: false, writeConcern: { w: 'majority', journal: true } },
    )
    await answered(write)
  }

  async among(user: UserId, conversations: readonly ConversationId[]): Promise<Set<ConversationId>> {
    const rows = this.#rows
      .find({ _id: { $in: conversations.map((conversation) => `${user}/${conversation}`) } })
      .project<ConversationRow>({ conversation: 1 })
    return new Set((await answered(rows.toArray())).map(({ conversation }) => conversation))
  }

  async touch(hints: readonly { conversation: ConversationId; at: number }[]): Promise<void> {
    if (hints.length === 0) return
    const write = this.#rows.bulkWrite(
      hints.flatMap(({ conversation, at }) =>
        (pairOf(conversation) ?? []).map((user) => ({
          updateOne: { filter: { _id: `${user}/${conversation}` }, update: { $max: { lastAt: at } } },
        })),
      ),
      { ordered: false },
    )
    await answered(write)
  }

  async of(user: UserId, limit: number): Promise<ConversationId[]> {
    const rows = this.#rows
      .find({ user })
      .sort({ lastAt: -1 })
      .limit(limit)
      .project<ConversationRow>({ conversation: 1 })
    return (await rows.toArray()).map(({ conversation }) => conversation)
  }

  async ofUsers(users: readonly UserId[], limit: number): Promise<Map<UserId, ConversationId[]>> {
    const rows = await this.#rows
      .find({ user: { $in: [...users] } })
      .sort({ user: 1 })
      .limit(limit + 1)
      .batchSize(limit + 1)
      .project<ConversationRow>({ user: 1, conversation: 1 })
      .toArray()
    // They come user by user: of the one the limit fell on, and of those behind, not all are there.
    const cut = rows.length > limit ? rows.at(-1)?.user : undefined
    const whole = cut === undefined ? users : users.filter((user) => user < cut)
    const found = new Map(whole.map((user): [UserId, ConversationId[]] => [user, []]))
    for (const { user, conversation } of rows) found.get(user)?.push(conversation)
    return found
  }
}
