import type { ErrorCode, UserId } from '@qunxin/contracts'
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
  /** Not a member, blocked, or too early in slow mode: refused, unless the log has it from a time when it was allowed. */
  | { kind: 'doubtful'; outcome: Outcome & { kind: 'refused' } }

export class Plan {
  readonly entries: Planned[] = []
  readonly messages: Message[] = []
  /** Sends that are refused unless the log has them, in the order of the entries. */
  readonly doubtful: Pending[] = []
  #bytes = 0

  get full(): boolean {
    return this.messages.length >= COMMIT_LIMITS.documents || this.#bytes >= COMMIT_LIMITS.bytes
  }

  /** Refuses a send if the log does not have it. */
  doubt(pending: Pending, code: ErrorCode, details?: Record<string, unknown>): void {
    this.entries.push({ kind: 'doubtful', outcome: { kind: 'refused', pending, code, ...(details && { details }) } })
    this.doubtful.push(pending)
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
  /** By sender, then msgId. */
  const planned = new Map<UserId, Map<string, Message>>()
  /** When who sent something of this very plan. */
  const paced = new Map<UserId, number>()
  let taken = 0
  for (const pending of conversation.queue) {
    if (plan.full) break
    taken += 1
    const { send, hash } = pending
    const original = conversation.recent.get(send.from, send.msgId)
    if (original) {
      plan.entries.push({ kind: 'decided', outcome: repeatOf(pending, original, conversation.refuses(send)) })
      continue
    }
    let sent = planned.get(send.from)
    const earlier = sent?.get(send.msgId)
    if (earlier) {
      plan.entries.push({ kind: 'repeat', pending, conversation, of: earlier })
      continue
    }
    if (members && !members.has(send.from)) {
      plan.doubt(pending, members.gone ? 'GROUP_NOT_FOUND' : 'NOT_A_MEMBER')
      continue
    }
    if (conversation.refuses(send)) {
      plan.doubt(pending, 'NOT_ALLOWED')
      continue
    }
    const refusal = refusalOf(send, limits)
    if (refusal) {
      plan.entries.push({ kind: 'decided', outcome: { kind: 'refused', pending, code: refusal } })
      continue
    }
    const message = number(send, after, { conversation: conversation.id, hash, now })
    const retryAfterMs =
      members && !message.change
        ? waitOf(message, members, paced.get(send.from) ?? conversation.pace?.lastOf(send.from))
        : 0
    if (retryAfterMs > 0) {
      plan.doubt(pending, 'RATE_LIMITED', { retryAfterMs })
      continue
    }
    after = message
    if (members && members.slowModeMs > 0 && !message.change) paced.set(send.from, message.at)
    if (sent) sent.set(send.msgId, message)
    else {
      sent = new Map([[send.msgId, message]])
      planned.set(send.from, sent)
    }
    plan.store({ kind: 'store', pending, conversation, message })
  }
  conversation.queue = taken === conversation.queue.length ? [] : conversation.queue.slice(taken)
}

/** How long a message comes too early for the group's slow mode, in ms. */
function waitOf(message: Message, members: Members, lastAt: number | undefined): number {
  const { slowModeMs, admins } = members
  if (slowModeMs === 0 || lastAt === undefined || admins.has(message.from)) return 0
  return lastAt + slowModeMs - message.at
}
