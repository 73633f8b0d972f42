import { type ConversationId, groupOf } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import { AT_START, sinceJoining } from '../domain/present.ts'
import type { Members } from '../membership/members.ts'
import type { CursorMove, Cursors } from '../store/cursors.ts'
import type { FloorKeeper } from './floor-keeper.ts'
import type { GroupState } from './group-state.ts'
import type { GroupStates } from './group-states.ts'
import type { Place } from './place.ts'
import { Runs, type Sender, takenAlong } from './runs.ts'

/** A receipt of what came right before the send may still be on its way; and one conversation is written once in this time. */
const WAIT_MS = 1_000
/** At once, of all conversations: one read and one write a second, whatever is sent. */
const MOST_AT_ONCE = 500

export interface TakeAlongOptions {
  cursors: Cursors
  states: GroupStates
  floors: FloorKeeper
  place: Place
  lastMembers(conversation: ConversationId): Members | undefined
  logger: Logger
  now(): number
}

/**
 * A send right after the last read message takes its sender's cursors along (protocol §5). Nobody is told: own messages are in
 * no count and unread by nobody. What is lost with this process leaves the cursor where the user's next receipt finds it.
 */
export class TakeAlong {
  readonly #options: TakeAlongOptions
  readonly #runs = new Runs()
  #timer: NodeJS.Timeout | undefined

  constructor(options: TakeAlongOptions) {
    this.#options = options
  }

  /** These are in the log. */
  stored(messages: readonly Pick<Message, 'conversation' | 'from' | 'seq'>[]): void {
    this.#runs.add(messages, this.#options.now())
    this.#schedule()
  }

  /** Decides on what has waited long enough, or on all; resolves when it is written or given up. */
  async flush({ all = false } = {}): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { now, logger } = this.#options
    const senders = this.#runs.take(all ? Number.POSITIVE_INFINITY : now() - WAIT_MS, MOST_AT_ONCE)
    try {
      if (senders.length > 0) await this.#move(senders)
    } catch (error) {
      logger.warn({ reason: String(error) }, 'cursors were not taken along')
    }
    this.#schedule()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#runs.size > 0) this.#timer ??= setTimeout(() => void this.flush(), WAIT_MS).unref()
  }

  async #move(senders: readonly Sender[]): Promise<void> {
    const { cursors, states, place, floors, lastMembers } = this.#options
    const stored = await cursors.each(senders)
    const moves = senders.flatMap((sender, index): Required<CursorMove>[] => {
      const { user, conversation, runs } = sender
      const joined = lastMembers(conversation)?.joinedSeq.get(user) ?? 0
      const before = sinceJoining(stored[index] ?? AT_START, joined)
      const after = takenAlong(runs, before)
      return after.readSeq > before.readSeq ? [{ user, conversation, ...after }] : []
    })
    await cursors.advance(moves)
    const changed = new Set<GroupState>()
    for (const { user, conversation, ...cursor } of moves) {
      if (groupOf(conversation) === undefined) continue
      const state = states.peek(conversation, place.tenure(conversation))
      if (!state?.members.has(user)) continue
      state.put(user, cursor)
      changed.add(state)
    }
    await floors.write(changed)
  }
}
