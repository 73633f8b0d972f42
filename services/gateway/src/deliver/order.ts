import { type ConversationId, groupOf } from '@qunxin/contracts'
import { Hole, type Waiting } from './hole.ts'
import type { LiveFrame, Receiver } from './receiver.ts'
import { ShownCursors } from './shown-cursors.ts'

/** Conversations of one connection whose position is kept; the one longest unused is forgotten first. */
const MAX_POSITIONS = 2_000
/** Frames one connection may hold back, for its backlog or behind a hole. */
const MAX_WAITING = 1_000

export interface OrderOptions {
  /** Does this connection still wait for the answer of that send of its own? */
  waits(conn: string, conversation: ConversationId, msgId: string): boolean
  /** A hole has come up: see that it is filled, or given up, soon. */
  onHole(hole: Hole): void
}

/** Brings each connection every message of a conversation once and in order of seq, as far as they come (design §3.5). */
export class Order {
  readonly #options: OrderOptions

  constructor(options: OrderOptions) {
    this.#options = options
  }

  /** A frame came for this connection. */
  take(receiver: Receiver, live: LiveFrame): void {
    const { held } = receiver
    if (held && !(held.groupsOnly && isPersonal(live))) {
      if (held.frames.push(live) > MAX_WAITING) receiver.overrun()
      return
    }
    const { conversation, seq, frame, again, breaks } = live
    if (breaks !== undefined) this.#forget(receiver, breaks)
    if (conversation === undefined || seq === undefined) {
      if (frame && isNews(receiver, live)) receiver.write(frame)
      return
    }
    if (again?.from === receiver.userId && this.#options.waits(receiver.id, conversation, again.msgId)) return
    this.#place(receiver, conversation, { seq, frame })
  }

  /** The answer to a send of this connection's own: its seq counts as had. */
  own(receiver: Receiver, conversation: ConversationId, seq: number, duplicate: boolean): void {
    // A duplicate may be of long ago: what came after it is no hole.
    if (duplicate && receiver.positions?.get(conversation) === undefined) return
    this.take(receiver, { conversation, seq, frame: undefined })
  }

  /** Lets go what waited for the binding or the backlog, in the order it came. */
  release(receiver: Receiver): void {
    const frames = receiver.held?.frames ?? []
    receiver.held = undefined
    for (const live of frames) this.take(receiver, live)
  }

  /** Lets go what waited of personal conversations: what was missed of them has been shown. */
  releasePersonal(receiver: Receiver): void {
    const { held } = receiver
    if (!held) return
    held.groupsOnly = true
    for (const live of held.frames.splice(0)) this.take(receiver, live)
  }

  /** Everything up to `seq` has been dealt with, but what comes next need not be `seq` + 1. */
  restart(receiver: Receiver, conversation: ConversationId, seq: number): void {
    receiver.floors ??= new Map()
    receiver.floors.set(conversation, seq)
    receiver.positions?.delete(conversation)
    receiver.holes?.delete(conversation)
  }

  /** Writes what is held from in front of `seq`: a backlog leaves out what the user sent from other devices. */
  showHeldBefore(receiver: Receiver, conversation: ConversationId, seq: number): void {
    let last = receiver.floors?.get(conversation) ?? 0
    for (const held of receiver.held?.frames ?? []) {
      if (held.conversation !== conversation || held.seq === undefined || !held.frame) continue
      // What is sent round once more may be of long ago.
      if (held.seq <= last || held.seq >= seq || held.again) continue
      last = held.seq
      receiver.write(held.frame)
      receiver.wrote(conversation, held.seq)
    }
  }

  /** Messages that were missing, in order of seq. Returns whether the hole is closed. */
  fill(hole: Hole, found: readonly (Waiting & { again: LiveFrame['again'] })[]): boolean {
    const { receiver, conversation } = hole
    for (const { seq, frame, again } of found) {
      if (seq <= this.#last(receiver, conversation)) continue
      const own = again?.from === receiver.userId && this.#options.waits(receiver.id, conversation, again.msgId)
      this.#write(receiver, conversation, { seq, frame: own ? undefined : frame })
    }
    return this.#goOn(hole)
  }

  /** Writes what waited, hole or not. */
  giveUp(hole: Hole): void {
    const { receiver, conversation } = hole
    receiver.skipped(conversation)
    for (const one of hole.waiting) this.#write(receiver, conversation, one)
    receiver.holes?.delete(conversation)
  }

  /**
   * The position unknown, as after a change of membership: what was sent meanwhile is no hole. What waits was sent to its user
   * all the same: the change may have been told before, and be told once more to who has been a member for long.
   */
  #forget(receiver: Receiver, conversation: ConversationId): void {
    const hole = receiver.holes?.get(conversation)
    if (hole) this.giveUp(hole)
    const last = receiver.positions?.get(conversation)
    if (last !== undefined) this.restart(receiver, conversation, last)
  }

  #place(receiver: Receiver, conversation: ConversationId, one: Waiting) {
    const last = receiver.positions?.get(conversation)
    if (last === undefined) {
      if (one.seq <= (receiver.floors?.get(conversation) ?? 0)) return
      receiver.floors?.delete(conversation)
      return this.#write(receiver, conversation, one)
    }
    if (one.seq <= last) return
    const hole = receiver.holes?.get(conversation)
    if (!hole && one.seq === last + 1) return this.#write(receiver, conversation, one)
    const holding = hole ?? this.#open(receiver, conversation)
    holding.add(one)
    if (hole) {
      if (holding.waiting.length > MAX_WAITING) this.giveUp(holding)
      else this.#goOn(holding)
    } else this.#options.onHole(holding)
  }

  #open(receiver: Receiver, conversation: ConversationId): Hole {
    const hole = new Hole(receiver, conversation, performance.now())
    receiver.holes ??= new Map()
    receiver.holes.set(conversation, hole)
    return hole
  }

  /** Writes what waits and is next now. */
  #goOn(hole: Hole): boolean {
    const { receiver, conversation, waiting } = hole
    let at = 0
    for (; at < waiting.length; at++) {
      const one = waiting[at] as Waiting
      const last = this.#last(receiver, conversation)
      if (one.seq > last + 1) break
      if (one.seq === last + 1) this.#write(receiver, conversation, one)
    }
    waiting.splice(0, at)
    if (waiting.length > 0) return false
    receiver.holes?.delete(conversation)
    return true
  }

  #last(receiver: Receiver, conversation: ConversationId): number {
    return receiver.positions?.get(conversation) ?? 0
  }

  #write(receiver: Receiver, conversation: ConversationId, { seq, frame }: Waiting): void {
    receiver.positions ??= new Map()
    const { positions } = receiver
    // Put in anew it stands last: the first one is the one longest unused, of those used since there were so many.
    if (positions.size > MAX_POSITIONS / 2) positions.delete(conversation)
    positions.set(conversation, seq)
    if (positions.size > MAX_POSITIONS) {
      const [oldest] = positions.keys()
      if (oldest !== undefined && oldest !== conversation) positions.delete(oldest)
    }
    if (!frame) return
    receiver.write(frame)
    receiver.wrote(conversation, seq)
  }
}

/** A cursor of a former owner of the partition may come behind one of its successor. */
function isNews(receiver: Receiver, { conversation, cursor }: LiveFrame): boolean {
  if (!cursor || conversation === undefined) return true
  receiver.shown ??= new ShownCursors()
  return receiver.shown.advance(conversation, cursor)
}

/** A push that names no conversation is not: it is about a group, and keeps its place among the group's messages. */
function isPersonal({ conversation }: LiveFrame): boolean {
  return conversation !== undefined && groupOf(conversation) === undefined
}
