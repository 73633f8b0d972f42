import type { ConversationId, UserId } from '@qunxin/contracts'
import { AT_START, type Cursor, further } from '../domain/present.ts'
import type { CursorKey, CursorMove, Cursors } from './cursors.ts'

/** Cursors in memory, for tests. */
export class MemoryCursors implements Cursors {
  readonly #cursors = new Map<string, Cursor>()

  async advance(moves: readonly CursorMove[]): Promise<void> {
    for (const { user, conversation, deliveredSeq = 0, readSeq = 0 } of moves) {
      const before = this.#cursors.get(`${user}/${conversation}`) ?? AT_START
      this.#cursors.set(`${user}/${conversation}`, further(before, { deliveredSeq, readSeq }))
    }
  }

  async of(conversation: ConversationId, users: readonly UserId[]): Promise<Map<UserId, Cursor>> {
    return this.#pick(users, (user) => `${user}/${conversation}`)
  }

  async ofUser(user: UserId, conversations: readonly ConversationId[]): Promise<Map<ConversationId, Cursor>> {
    return this.#pick(conversations, (conversation) => `${user}/${conversation}`)
  }

  async each(keys: readonly CursorKey[]): Promise<Cursor[]> {
    return keys.map((key) => this.#cursors.get(`${key.user}/${key.conversation}`) ?? AT_START)
  }

  #pick(names: readonly string[], keyOf: (name: string) => string): Map<string, Cursor> {
    return new Map(
      names.flatMap((name) => {
        const cursor = this.#cursors.get(keyOf(name))
        return cursor ? [[name, cursor] as const] : []
      }),
    )
  }
}
