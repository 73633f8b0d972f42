import type { ErrorCode } from '@qunxin/contracts'
import type { SendInRow } from '../calls/send-call.ts'

/** How long a client may take to act on a refusal once it has come to it. */
const CLOSED_MS = 1_000
/** A client that has not come to its refusals by then is as good as dead. */
const UNHEARD_MS = 30_000

/** Above it the oldest is open again, as after its time. */
const MAX_CLOSED = 100_000

interface Closed {
  /** The first one refused: with it the resends begin. */
  msgId: string
  code: ErrorCode
  /** It was on its way to its owner, not refused at once. */
  underWay: boolean
  /** Milliseconds since 1970. */
  until: number
}

/** Calls back, with the time, once a connection has taken what is written to it up to now. */
export type WhenHeard = (conn: string, heard: (now: number) => void) => void

/**
 * Rows (one connection's sends into one conversation) of which one was refused for now. What the client had sent behind it
 * before it knew is refused likewise, or it would stand in front of the resend. When it knows is not a matter of time: a
 * network that stands still for a moment brings later whatever was on the wire.
 */
export class ClosedRows {
  readonly #rows = new Map<string, Closed>()
  readonly #whenHeard: WhenHeard

  constructor(whenHeard: WhenHeard) {
    this.#whenHeard = whenHeard
  }

  /** One was refused at once. */
  close(send: SendInRow, code: ErrorCode, now: number): void {
    this.#close(send, { code, underWay: false }, now)
  }

  /** One that was under way has ended. It stood in front of whatever was refused at once meanwhile, and is to come again first. */
  ended(send: SendInRow, code: ErrorCode, now: number): void {
    this.#close(send, { code, underWay: true }, now)
  }

  /** What a send is to be refused with, if it may not go; the first one refused may, and opens its row. */
  refusal(send: SendInRow, now: number): ErrorCode | undefined {
    if (this.#rows.size === 0) return undefined
    const closed = this.#rows.get(rowOf(send))
    if (!closed) return undefined
    if (closed.msgId !== send.msgId && closed.until > now) return closed.code
    this.#rows.delete(rowOf(send))
    return undefined
  }

  /** Forgets those whose time is over. */
  sweep(now: number): void {
    for (const [row, { until }] of this.#rows) if (until <= now) this.#rows.delete(row)
  }

  #close(send: SendInRow, { code, underWay }: Pick<Closed, 'code' | 'underWay'>, now: number): void {
    if (send.conn === '') return
    const key = rowOf(send)
    const closed = this.#rows.get(key)
    if (closed && closed.until > now && (closed.underWay || !underWay)) return
    const row = { msgId: send.msgId, code, underWay, until: now + UNHEARD_MS }
    this.#rows.set(key, row)
    this.#whenHeard(send.conn, (heardAt) => {
      row.until = Math.min(row.until, heardAt + CLOSED_MS)
    })
    if (this.#rows.size <= MAX_CLOSED) return
    const [oldest] = this.#rows.keys()
    if (oldest !== undefined) this.#rows.delete(oldest)
  }
}

function rowOf({ conn, conversation }: SendInRow): string {
  return `${conn} ${conversation}`
}
