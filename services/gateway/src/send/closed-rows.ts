import type { ErrorCode } from '@qunxin/contracts'
import type { NewSend } from '../calls/send-call.ts'

/** A client that pipelines has more on the wire when it is refused: this long, more than a bad mobile round trip, it may still come. */
const CLOSED_MS = 1_000

/** More than any flood closes in a second; above it the oldest is open again, as after its time. */
const MAX_CLOSED = 100_000

interface Closed {
  /** The first one refused: with it the resends begin. */
  msgId: string
  code: ErrorCode
  /** Milliseconds since 1970. */
  until: number
}

/**
 * Rows (one connection's sends into one conversation) of which one was refused for now. What the client had sent behind it
 * before it knew is refused likewise, or it would stand in front of the resend.
 */
export class ClosedRows {
  /** In the order of closing, so that those to open stand first. */
  readonly #rows = new Map<string, Closed>()

  close(send: NewSend, code: ErrorCode, now: number): void {
    if (send.conn === '' || this.#rows.has(rowOf(send))) return
    this.#rows.set(rowOf(send), { msgId: send.msgId, code, until: now + CLOSED_MS })
    if (this.#rows.size <= MAX_CLOSED) return
    const [oldest] = this.#rows.keys()
    if (oldest !== undefined) this.#rows.delete(oldest)
  }

  /** What a send is to be refused with, if it may not go; the first one refused may, and opens its row. */
  refusal(send: NewSend, now: number): ErrorCode | undefined {
    if (this.#rows.size === 0) return undefined
    const closed = this.#rows.get(rowOf(send))
    if (!closed) return undefined
    if (closed.msgId !== send.msgId && closed.until > now) return closed.code
    this.#rows.delete(rowOf(send))
    return undefined
  }

  /** Forgets those whose time is over. */
  sweep(now: number): void {
    for (const [row, { until }] of this.#rows) {
      if (until > now) return
      this.#rows.delete(row)
    }
  }
}

function rowOf({ conn, conversation }: NewSend): string {
  return `${conn} ${conversation}`
}
