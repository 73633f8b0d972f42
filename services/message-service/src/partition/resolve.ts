import type { Message, Original } from '../domain/message.ts'
import type { Conversation } from './conversation.ts'
import { type Outcome, type Pending, repeatOf } from './pending.ts'
import type { Plan } from './plan.ts'
import type { Written } from './writer.ts'

/** One message the database will not take must not hold up its lane for ever. */
const MOST_FAULTS = 5

export interface Resolved {
  outcomes: Outcome[]
  /** Sends to plan once more, in order, before what came in meanwhile. */
  requeued: Map<Conversation, Pending[]>
}

/** Turns what was planned and what was written into one outcome per send, and moves the conversations on. */
export function resolve(plan: Plan, facts: { written: Written; known: readonly (Original | undefined)[] }): Resolved {
  const { written, known } = facts
  const outcomes: Outcome[] = []
  const requeued = new Map<Conversation, Pending[]>()
  const stored = new Set<Message>()
  let index = -1
  let doubtful = -1
  const requeue = (conversation: Conversation, pending: Pending) => {
    const list = requeued.get(conversation)
    if (list) list.push(pending)
    else requeued.set(conversation, [pending])
  }
  for (const entry of plan.entries) {
    if (entry.kind === 'decided') outcomes.push(entry.outcome)
    else if (entry.kind === 'doubtful') {
      doubtful += 1
      const original = known[doubtful]
      // What somebody sent before they were blocked is not told after it.
      const quiet = entry.outcome.code === 'NOT_ALLOWED'
      outcomes.push(original ? repeatOf(entry.outcome.pending, original, quiet) : entry.outcome)
    } else if (entry.kind === 'repeat') {
      const { pending, conversation, of } = entry
      if (stored.has(of)) outcomes.push(repeatOf(pending, of, true))
      else requeue(conversation, pending)
    } else {
      index += 1
      const { pending, conversation, message } = entry
      if (written.isStored(index)) {
        stored.add(message)
        conversation.stored(message)
        outcomes.push({ kind: 'stored', pending, message })
        continue
      }
      const original = written.originals?.get(index)
      if (original) {
        const { seq, at, hash, recalled, edited } = original
        const changed = { ...(recalled && { recalled }), ...(edited !== undefined && { edited }) }
        conversation.recent.add(message.from, message.msgId, { seq, at, hash, ...changed })
        outcomes.push(repeatOf(pending, original))
        continue
      }
      if (written.unsure || written.stoppedAt === index) conversation.forget()
      if (written.fault && written.stoppedAt === index && ++pending.faults === MOST_FAULTS) {
        outcomes.push({ kind: 'refused', pending, code: 'INTERNAL' })
        continue
      }
      requeue(conversation, pending)
    }
  }
  return { outcomes, requeued }
}
