import { type ConversationId, type GroupId, groupOf, type UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { Position } from '../domain/numbering.ts'
import { Recent } from '../domain/recent.ts'
import type { Tail } from '../store/message-log.ts'
import type { Preference } from '../store/preferences.ts'
import type { Pace } from './pace.ts'
import type { Pending } from './pending.ts'

/** What an owner keeps of a conversation in memory: its place in the log and the sends that wait for it. */
export class Conversation {
  readonly id: ConversationId
  readonly partition: number
  readonly group: GroupId | undefined
  /** Sends not taken into a commit yet, in the order they came. */
  queue: Pending[] = []
  /** The newest stored message; undefined until the tail is loaded. */
  position: Position | undefined
  /**
   * The newest seq this process knows the fan-out of: what the log has beyond it may have been lost on the way. Undefined until
   * the tail has been read once.
   */
  seenSeq: number | undefined
  recent = new Recent()
  /** Of groups in slow mode, once it is loaded. */
  pace: Pace | undefined
  /** Personal: what its users want of it, as far as they want anything; loaded with the tail. */
  readonly preferences = new Map<UserId, Preference>()
  /** When the reading began that they are from (monotonic ms). */
  preferencesAt = -Infinity
  /** Stands in its lane's list of conversations to serve. */
  listed = false
  /** Something it needs is being loaded. */
  loading = false
  /** The reading of the tail under way. */
  tailLoading: Promise<void> | undefined
  /** Its sends are in the commit under way. */
  committing = false
  /** Its place among the uses of the cache. */
  movedAt = 0
  /** The cache was dropped: whoever still holds this object must not act on it. */
  dropped = false

  constructor(id: ConversationId, partition: number) {
    this.id = id
    this.partition = partition
    this.group = groupOf(id)
  }

  take(tail: Tail): void {
    this.advance(tail)
    this.recent = new Recent()
    for (const { from, msgId, change, ...original } of tail.recent) {
      this.recent.add(from, msgId, original)
      if (change) this.recent.changed(from, change, original.at)
    }
  }

  advance({ seq, at }: Position): void {
    this.position = { seq, at }
    this.seenSeq = seq
  }

  /** A message of ours is in the log. */
  stored(message: Message): void {
    this.advance(message)
    const { from, msgId, seq, at, hash, change } = message
    this.recent.add(from, msgId, { seq, at, hash })
    if (change) this.recent.changed(from, change, at)
    else this.pace?.sent(from, at)
  }

  /** The log is ahead of what we know: the tail has to be read again. */
  forget(): void {
    this.position = undefined
    this.pace = undefined
  }

  /** What a user wants now, unless something newer is known. */
  prefer(row: Preference): void {
    if ((this.preferences.get(row.user)?.version ?? 0) < row.version) this.preferences.set(row.user, row)
  }

  /** Does one of its users refuse what the other sends? */
  get hasBlock(): boolean {
    if (this.group !== undefined || this.preferences.size === 0) return false
    for (const { blocked } of this.preferences.values()) if (blocked) return true
    return false
  }

  /** Does the other user refuse what this one sends? */
  isBlocked(from: UserId): boolean {
    if (this.group !== undefined || this.preferences.size === 0) return false
    for (const { user, blocked } of this.preferences.values()) if (blocked && user !== from) return true
    return false
  }

  /** Is this refused, or told to nobody when it was stored before? What was said may be taken back all the same. */
  refuses({ from, change }: Pick<Message, 'from' | 'change'>): boolean {
    return change?.kind !== 'recall' && this.isBlocked(from)
  }

  get idle(): boolean {
    return this.queue.length === 0 && !this.listed && !this.loading && !this.tailLoading && !this.committing
  }
}
