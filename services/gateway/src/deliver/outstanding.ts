import { type ConversationId, groupOf, type UserId } from '@qunxin/contracts'

type Seqs = Map<ConversationId, number>

/** What was written to one connection of a client that acknowledges nothing, until a pong proves that it arrived. */
export interface Outstanding {
  readonly userId: UserId
  /** Since the last ping. */
  written: Seqs
  /** Before the ping numbered `ping`. */
  pinged: Seqs | undefined
  ping: number
  /** Conversations with a hole: a cumulative receipt would claim what never came. */
  skipped: Set<ConversationId> | undefined
}

export function nothingOutstanding(userId: UserId): Outstanding {
  return { userId, written: new Map(), pinged: undefined, ping: 0, skipped: undefined }
}

/** Has anything been written since the last ping that one user said to another? */
export function hasPersonal(outstanding: Outstanding | undefined): boolean {
  for (const conversation of outstanding?.written.keys() ?? []) if (groupOf(conversation) === undefined) return true
  return false
}

/** A ping with this number is sent: unless an earlier one is unanswered, its pong will speak for everything written so far. */
export function pinged(outstanding: Outstanding, ping: number): void {
  if (outstanding.written.size === 0 || outstanding.pinged) return
  outstanding.pinged = outstanding.written
  outstanding.written = new Map()
  outstanding.ping = ping
}

/** The pong of the ping with this number came, or of a later one. Returns how far which conversation has arrived by that. */
export function ponged(outstanding: Outstanding, ping: number): [ConversationId, number][] {
  const { pinged, skipped } = outstanding
  if (!pinged || ping < outstanding.ping) return []
  outstanding.pinged = undefined
  return [...pinged].filter(([conversation]) => !skipped?.has(conversation))
}
