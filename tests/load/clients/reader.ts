import type { ChatClient } from '@qunxin/client'
import { type ConversationId, groupOf, peerOf } from '@qunxin/contracts'
import type { History } from '../history.ts'

/** A person takes a moment, and reads several messages at once. */
const READS_WITHIN_MS = 400
/** So many of a hundred times an older message is marked besides: a device that was away, or a slow one. */
const STALE_PERCENT = 5
/** Those who do not read everything read up to every so many messages. */
const SOMETIMES = 5

export interface ReaderOptions {
  chat: ChatClient
  history: History
  client: number
  userId: number
  /** Leaves something unread. */
  sometimes: boolean
}

/** What a client says it has read, behind what it is shown. */
export class Reader {
  readonly #options: ReaderOptions
  /** The newest message of each conversation that is to be marked. */
  readonly #shown = new Map<number, number>()
  readonly #waiting = new Set<number>()

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /** A pause is not over. */
  get reading(): boolean {
    return this.#waiting.size > 0
  }

  shown(conversation: number, seq: number): void {
    if (this.#options.sometimes && seq % SOMETIMES !== 0) return
    this.#shown.set(conversation, Math.max(seq, this.#shown.get(conversation) ?? 0))
    if (this.#waiting.has(conversation)) return
    this.#waiting.add(conversation)
    setTimeout(() => this.#read(conversation), Math.random() * READS_WITHIN_MS)
  }

  #read(conversation: number): void {
    const { chat, history, client, userId } = this.#options
    this.#waiting.delete(conversation)
    const seq = this.#shown.get(conversation) ?? 0
    const id: ConversationId = history.conversations[conversation]?.id ?? ''
    const group = groupOf(id)
    const peer = peerOf(id, String(userId)) ?? ''
    history.marked(client, conversation, seq)
    chat.markRead({ ...(group === undefined ? { to: peer } : { group }), seq })
    if (Math.random() * 100 >= STALE_PERCENT) return
    const stale = { sessionId: group ?? '', peerUserId: Number(peer), seq: Math.ceil(Math.random() * seq) }
    chat.sendFrame('messageRead', stale)
  }
}
