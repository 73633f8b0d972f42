import { type History, outcomes } from '../history.ts'
import { SeqSet } from './seq-set.ts'

/** A connection that lived on so long after an acknowledgement must have shown the message. */
const GRACE_MS = 10_000
/** Protocol §3: what a connection that knows only the seeds gets at most of what it missed. */
const BACKLOG_MESSAGES = 500
/** More than one run has: two indices in one number. */
const MOST_CONVERSATIONS = 2 ** 26

export interface Missing {
  attempt: number
  /** To whom it was not shown. */
  client: number
}

/**
 * Acknowledged messages that a receiver was owed and not shown. Looks at a history that still grows: while waiting for the last
 * messages it is asked again and again, and looks only at what is new.
 */
export class Delivery {
  readonly #history: History
  readonly #had = new Map<number, SeqSet>()
  #read = 0
  #settled = 0
  #connectionsOf: number[][] = []
  #known = 0

  constructor(history: History) {
    this.#history = history
  }

  /** The first message that is still owed to somebody, if there is one. What has no outcome by now is taken to have none. */
  first(): Missing | undefined {
    this.#update()
    const { attempts } = this.#history
    for (; this.#settled < attempts.sender.length; this.#settled++) {
      const missing = this.#missing(this.#settled).next()
      if (!missing.done) return missing.value
    }
    return undefined
  }

  /** Whether every attempt before that one has its outcome, and has been shown to all it is owed to. */
  isSettledUpTo(end: number): boolean {
    this.#update()
    const { outcome } = this.#history.attempts
    for (; this.#settled < end; this.#settled++) {
      if (outcome.at(this.#settled) === outcomes.unknown) return false
      if (!this.#missing(this.#settled).next().done) return false
    }
    return true
  }

  *all(): Generator<Missing> {
    this.#update()
    for (let attempt = 0; attempt < this.#history.attempts.sender.length; attempt++) yield* this.#missing(attempt)
  }

  *#missing(attempt: number): Generator<Missing> {
    const { attempts, conversations } = this.#history
    if (attempts.outcome.at(attempt) !== outcomes.acknowledged) return
    const where = attempts.conversation.at(attempt)
    const sender = attempts.sender.at(attempt)
    const seq = attempts.seq.at(attempt)
    for (const [client, { from, until }] of conversations[where]?.members ?? []) {
      if (client === sender || this.#had.get(this.#key(client, where))?.has(seq)) continue
      const at = attempts.serverAt.at(attempt)
      if (at >= from && at <= until && this.#owed(attempt, client)) yield { attempt, client }
    }
  }

  #update(): void {
    const { shown, connections } = this.#history
    for (; this.#known < connections.client.length; this.#known++) {
      const client = connections.client.at(this.#known)
      const list = this.#connectionsOf[client] ?? []
      list.push(this.#known)
      this.#connectionsOf[client] = list
    }
    for (; this.#read < shown.seq.length; this.#read++) {
      const client = connections.client.at(shown.connection.at(this.#read))
      const key = this.#key(client, shown.conversation.at(this.#read))
      const had = this.#had.get(key) ?? new SeqSet()
      had.add(shown.seq.at(this.#read))
      this.#had.set(key, had)
    }
  }

  /** Whether a connection was there long enough afterwards: any that has a backlog, without one only what was there before. */
  #owed(attempt: number, client: number): boolean {
    const { attempts, connections, clients } = this.#history
    const acknowledgedAt = attempts.acknowledgedAt.at(attempt)
    const sync = clients[client]?.sync === true
    return (this.#connectionsOf[client] ?? []).some((connection) => {
      const boundAt = connections.boundAt.at(connection)
      if (connections.closedAt.at(connection) < Math.max(acknowledgedAt, boundAt) + GRACE_MS) return false
      if (boundAt <= attempts.intendedAt.at(attempt)) return true
      return !sync && this.#storedBehind(attempt, client, boundAt) < BACKLOG_MESSAGES
    })
  }

  /**
   * How many messages of others the backlog of a connection may have held instead: stored behind this one, and sent before it
   * was bound. When this one was acknowledged says nothing: it may have been sent again for the answer alone.
   */
  #storedBehind(first: number, client: number, boundAt: number): number {
    const { attempts, conversations } = this.#history
    const storedAt = attempts.serverAt.at(first)
    let count = 0
    for (let attempt = 0; attempt < attempts.sender.length; attempt++) {
      if (attempts.intendedAt.at(attempt) > boundAt || count >= BACKLOG_MESSAGES) break
      // One without an acknowledgement has no time of the server's.
      if (attempts.serverAt.at(attempt) <= storedAt || attempts.sender.at(attempt) === client) continue
      if (conversations[attempts.conversation.at(attempt)]?.members.has(client)) count += 1
    }
    return count
  }

  #key(client: number, conversation: number): number {
    return client * MOST_CONVERSATIONS + conversation
  }
}
