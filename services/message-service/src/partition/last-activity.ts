import type { ConversationId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import type { Conversations } from '../store/conversations.ts'

const FLUSH_EVERY_MS = 5_000
/** Two rows each. */
const CONVERSATIONS_PER_FLUSH = 500
/** Above it what comes is left out: a list then shows a conversation where it stood before. */
const MOST_WAITING = 100_000

/**
 * Tells the rows of personal conversations when something was last sent, for the order of lists: a hint, written seldom, for
 * what waits longest. Groups have no such rows: their newest entry is looked up.
 */
export class LastActivity {
  readonly #rows: Pick<Conversations, 'touch'>
  readonly #logger: Logger
  /** In the order in which they began to wait. */
  readonly #waiting = new Map<ConversationId, number>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(rows: Pick<Conversations, 'touch'>, logger: Logger) {
    this.#rows = rows
    this.#logger = logger
  }

  stored(messages: readonly Message[]): void {
    for (let i = 0; i < messages.length; i++) {
      const { conversation, group, at } = messages[i] as Message
      // Of one conversation's messages, which stand together, the last one counts.
      if (group !== undefined || messages[i + 1]?.conversation === conversation) continue
      const isNew = !this.#waiting.has(conversation)
      // Setting what is there already keeps its place in the order.
      if (!isNew || this.#waiting.size < MOST_WAITING) this.#waiting.set(conversation, at)
    }
    if (this.#waiting.size > 0) this.#schedule()
  }

  /** Writes what waits longest, and comes again for the rest. */
  async flush(): Promise<void> {
    const hints: { conversation: ConversationId; at: number }[] = []
    for (const [conversation, at] of this.#waiting) {
      if (hints.length === CONVERSATIONS_PER_FLUSH) break
      hints.push({ conversation, at })
      this.#waiting.delete(conversation)
    }
    await this.#rows.touch(hints).catch((error: unknown) => {
      this.#logger.warn({ reason: String(error) }, 'the order of conversation lists lags behind')
      // There may be no next message that says it again.
      if (!this.#stopped) this.#waitOn(hints)
    })
  }

  /** Writes all that waits. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    while (this.#waiting.size > 0) await this.flush()
  }

  #waitOn(hints: readonly { conversation: ConversationId; at: number }[]): void {
    for (const { conversation, at } of hints)
      if (!this.#waiting.has(conversation) && this.#waiting.size < MOST_WAITING) this.#waiting.set(conversation, at)
    if (this.#waiting.size > 0) this.#schedule()
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer ??= setTimeout(() => {
      void this.flush().finally(() => {
        this.#timer = undefined
        if (this.#waiting.size > 0) this.#schedule()
      })
    }, FLUSH_EVERY_MS).unref()
  }
}
