import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { Cursor } from '../domain/present.ts'
import { keyOf } from './gathering.ts'

/** Users and conversations with runs; above it a send takes nothing along. */
const MOST_SENDERS = 20_000
/** Runs of one user in one conversation. */
const MOST_RUNS = 16

/** What one user has sent into one conversation one behind the other: both ends included. */
export type Run = [fromSeq: number, toSeq: number]

export interface Sender {
  user: UserId
  conversation: ConversationId
  runs: Run[]
  /** Monotonic ms. */
  since: number
}

/** What was sent and may take its sender's cursor along, the longest waiting first. */
export class Runs {
  readonly #senders = new Map<string, Sender>()

  get size(): number {
    return this.#senders.size
  }

  add(messages: readonly Pick<Message, 'conversation' | 'from' | 'seq'>[], now: number): void {
    let sender: Sender | undefined
    for (const { conversation, from: user, seq } of messages) {
      // Those of one sender mostly stand together.
      if (sender?.conversation !== conversation || sender.user !== user) {
        const key = keyOf({ user, conversation })
        sender = this.#senders.get(key)
        if (!sender) {
          if (this.#senders.size >= MOST_SENDERS) continue
          sender = { user, conversation, runs: [], since: now }
          this.#senders.set(key, sender)
        }
      }
      const last = sender.runs.at(-1)
      if (last?.[1] === seq - 1) last[1] = seq
      else if (sender.runs.length < MOST_RUNS) sender.runs.push([seq, seq])
    }
  }

  /** Takes those out that have waited since `until` or longer. */
  take(until: number, most: number): Sender[] {
    const taken: Sender[] = []
    for (const [key, sender] of this.#senders) {
      if (sender.since > until || taken.length === most) break
      this.#senders.delete(key)
      taken.push(sender)
    }
    return taken
  }
}

/** How far a cursor comes when each send right behind the last read message takes it along. */
export function takenAlong(runs: readonly Run[], { deliveredSeq, readSeq }: Cursor): Cursor {
  let read = readSeq
  for (const [fromSeq, toSeq] of runs) if (fromSeq - 1 <= read) read = Math.max(read, toSeq)
  return { deliveredSeq: Math.max(deliveredSeq, read), readSeq: read }
}
