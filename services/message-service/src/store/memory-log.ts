import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Message, MessageKey } from '../domain/message.ts'
import { clipped } from '../domain/visibility.ts'
import type { Appended, Head, MessageLog, Range, Tail } from './message-log.ts'

const keyOf = ({ conversation, from, msgId }: MessageKey) => `${conversation}/${from}/${msgId}`

/** The log in memory, for tests of what stands on it. */
export class MemoryLog implements MessageLog {
  readonly #conversations = new Map<ConversationId, Map<number, Message>>()
  readonly #byKey = new Map<string, Message>()

  async append(messages: readonly Message[]): Promise<Appended> {
    for (const [index, message] of messages.entries()) {
      const conversation = this.#conversations.get(message.conversation) ?? new Map<number, Message>()
      if (conversation.has(message.seq)) return { stored: index, stoppedBy: 'seq' }
      if (this.#byKey.has(keyOf(message))) return { stored: index, stoppedBy: 'msgId' }
      this.#conversations.set(message.conversation, conversation.set(message.seq, message))
      this.#byKey.set(keyOf(message), message)
    }
    return { stored: messages.length }
  }

  async stored(messages: readonly Message[]): Promise<boolean[]> {
    return messages.map(({ conversation, seq, from, msgId, at }) => {
      const there = this.#conversations.get(conversation)?.get(seq)
      return there !== undefined && there.from === from && there.msgId === msgId && there.at === at
    })
  }

  async applyChanges(changes: readonly Message[]): Promise<Message[]> {
    for (const { conversation, change, text, at } of changes) {
      const target = change && this.#conversations.get(conversation)?.get(change.seq)
      if (!target || target.recalled) continue
      if (change.kind === 'edit' && at > (target.edited ?? 0)) this.#replace({ ...target, text, edited: at })
      if (change.kind !== 'recall') continue
      const { attachment: _, edited: __, ...rest } = target
      this.#replace({ ...rest, text: '', recalled: true })
    }
    return changes.map((message) => {
      const { conversation, change } = message
      const inVain = change && this.#conversations.get(conversation)?.get(change.seq)?.recalled
      if (!inVain) return message
      for (const one of this.#all(conversation))
        if (one.change?.kind === 'edit' && one.change.seq === change.seq)
          this.#replace({ ...one, text: '', recalled: true })
      return this.#conversations.get(conversation)?.get(message.seq) ?? message
    })
  }

  async tail(conversation: ConversationId, limit: number): Promise<Tail> {
    const recent = this.#all(conversation).slice(-limit)
    const { seq, at } = recent.at(-1) ?? { seq: 0, at: 0 }
    return {
      seq,
      at,
      recent: recent.map(({ from, msgId, seq, at, hash, change, recalled, edited }) => ({
        from,
        msgId,
        seq,
        at,
        hash,
        ...(change && { change }),
        ...(recalled && { recalled }),
        ...(edited !== undefined && { edited }),
      })),
    }
  }

  tails(conversations: readonly ConversationId[], limit: number): Promise<Tail[]> {
    return Promise.all(conversations.map((conversation) => this.tail(conversation, limit)))
  }

  async originals(keys: readonly MessageKey[]): Promise<(Message | undefined)[]> {
    return keys.map((key) => this.#byKey.get(keyOf(key)))
  }

  async after(conversation: ConversationId, time: number, limit: number): Promise<Message[]> {
    return this.#all(conversation)
      .filter(({ at, change }) => at > time && !change)
      .slice(0, limit)
  }

  async oldest(conversation: ConversationId, range: Range): Promise<Message[]> {
    return this.#within(conversation, range).slice(0, range.limit)
  }

  async newest(conversation: ConversationId, range: Range): Promise<Message[]> {
    return this.#within(conversation, range).slice(-range.limit)
  }

  async seqsAt(points: readonly { conversation: ConversationId; time: number }[]): Promise<number[]> {
    return points.map(({ conversation, time }) => this.#all(conversation).findLast(({ at }) => at <= time)?.seq ?? 0)
  }

  async lastBySender(conversation: ConversationId, time: number): Promise<Map<UserId, number>> {
    const later = this.#all(conversation).filter(({ at, change }) => at > time && !change)
    return new Map(later.map(({ from, at }) => [from, at]))
  }

  async authors(conversation: ConversationId, fromSeq: number, toSeq: number): Promise<UserId[]> {
    const authors: UserId[] = []
    for (const { seq, from, change } of this.#within(conversation, {
      fromSeq,
      toSeq,
      limit: Number.POSITIVE_INFINITY,
    })) {
      while (authors.length < seq - fromSeq) authors.push('')
      authors.push(change ? '' : from)
    }
    return authors
  }

  async heads(conversations: readonly ConversationId[]): Promise<Head[]> {
    return conversations.flatMap((conversation) => {
      const last = this.#all(conversation).at(-1)
      return last ? [{ conversation, seq: last.seq, at: last.at }] : []
    })
  }

  #replace(message: Message): void {
    this.#conversations.get(message.conversation)?.set(message.seq, message)
    this.#byKey.set(keyOf(message), message)
  }

  #all(conversation: ConversationId): Message[] {
    return [...(this.#conversations.get(conversation)?.values() ?? [])].sort((one, other) => one.seq - other.seq)
  }

  #within(conversation: ConversationId, range: Range): Message[] {
    const { fromSeq = 1, toSeq = Number.POSITIVE_INFINITY, notFrom, afterTime = 0, within, changes } = range
    const parts = clipped(within ?? [{ fromSeq }], { fromSeq, toSeq })
    const isIn = (seq: number) => parts.some((part) => clipped([part], { fromSeq: seq, toSeq: seq }).length > 0)
    return this.#all(conversation).filter(
      ({ seq, from, at, change }) => isIn(seq) && from !== notFrom && at > afterTime && !(change && changes === false),
    )
  }
}
