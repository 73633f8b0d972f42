import { type Limits, refusalOf } from '../domain/limits.ts'
import type { Message } from '../domain/message.ts'
import { number, type Position } from '../domain/numbering.ts'
import type { Members } from '../membership/members.ts'
import type { Conversation } from './conversation.ts'
import type { Outcome, Pending } from './pending.ts'
import { repeatOf } from './pending.ts'

/** The most one commit carries. */
export const COMMIT_LIMITS = { documents: 1_000, bytes: 8 * 1024 * 1024 }

/** A send as planned: stored as `message`, the repeat of one further up, or refused unless the log knows it. */
export type Planned =
  | { kind: 'store'; pending: Pending; conversation: Conversation; message: Message }
  | { kind: 'repeat'; pending: Pending; conversation: Conversation; of: Message }
  | { kind: 'decided'; outcome: Outcome }
  /** Not a member: refused, unless the log has it from the time when they were one. */
  | { kind: 'outsider'; outcome: Outcome & { kind: 'refused' } }

export class Plan {
  readonly entries: Planned[] = []
  readonly messages: Message[] = []
  /** Sends by who is no member, in the order of the entries. */
  readonly outsiders: Pending[] = []
  #bytes = 0

  get full(): boolean {
    return this.messages.length >= COMMIT_LIMITS.documents || this.#bytes >= COMMIT_LIMITS.bytes
  }

  store(entry: Planned & { kind: 'store' }): void {
    this.entries.push(entry)
    this.messages.push(entry.message)
    this.#bytes += entry.pending.bytes
  }
}

export function pendingIn(entry: Planned): Pending {
  return 'outcome' in entry ? entry.outcome.pending : entry.pending
}

/**
 * Takes from a conversation's queue what fits: duplicates first, then membership and limits, then seq and time. `members` is
 * undefined for a personal conversation.
 */
export function planConversation(
  plan: Plan,
  conversation: Conversation,
  options: { members: Members | undefined; limits: Limits; now: number },
): void {
  const { members, limits, now } = options
  let after: Position = conversation.position ?? { seq: 0, at: 0 }
  let planned: Map<string, Message> | undefined
  let taken = 0
  for (const pending of conversation.queue) {
    if (plan.full) break
    taken += 1
    const { send, hash } = pending
    const original = conversation.recent.get(send.from, send.msgId)
    if (original) {
      plan.entries.push({ kind: 'decided', outcome: repeatOf(pending, original) })
      continue
    }
    const key = `${send.from}/${send.msgId}`
    const earlier = planned?.get(key)
    if (earlier) {
      plan.entries.push({ kind: 'repeat', pending, conversation, of: earlier })
      continue
    }
    if (members && !members.has(send.from)) {
      const code = members.gone ? 'GROUP_NOT_FOUND' : 'NOT_A_MEMBER'
      plan.entries.push({ kind: 'outsider', outcome: { kind: 'refused', pending, code } })
      plan.outsiders.push(pending)
      continue
    }
    const refusal = refusalOf(send, limits)
    if (refusal) {
      plan.entries.push({ kind: 'decided', outcome: { kind: 'refused', pending, code: refusal } })
      continue
    }
    const message = number(send, after, { hash, now })
    after = message
    planned ??= new Map()
    planned.set(key, message)
    plan.store({ kind: 'store', pending, conversation, message })
  }
  conversation.queue = taken === conversation.queue.length ? [] : conversation.queue.slice(taken)
}
