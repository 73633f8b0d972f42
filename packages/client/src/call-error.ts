import type { ErrorCode } from '@qunxin/contracts'

/** Refusals after which the same request may be sent again. */
const RETRYABLE: readonly (number | ErrorCode)[] = [
  1007,
  5001,
  5002,
  5003,
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
  'TIMEOUT',
]

/** A refusal by the server, or what kept a request from being answered. */
export class CallError extends Error {
  override readonly name = 'CallError'
  /** The number from the error table on the socket, the word over HTTP. */
  readonly code: number | ErrorCode
  /** A text for a person. */
  readonly info: string
  readonly details: unknown

  constructor(code: number | ErrorCode, info: string, details?: unknown) {
    super(`${code} ${info}`)
    this.code = code
    this.info = info
    this.details = details
  }

  /** Of RATE_LIMITED: how long to wait, in ms, where the server says so; in a group's slow mode it does. */
  get retryAfterMs(): number | undefined {
    const after = (this.details as { retryAfterMs?: unknown } | undefined)?.retryAfterMs
    return typeof after === 'number' ? after : undefined
  }

  get retryable(): boolean {
    return RETRYABLE.includes(this.code)
  }
}

export const unavailable = (info: string) => new CallError(5002, info)
export const timedOut = (info: string) => new CallError(5003, info)
