import type { Bus } from '@qunxin/bus'
import { type OutputOf, sendInput, sendMessage, userId } from '@qunxin/contracts'
import { AppError, validate } from '@qunxin/runtime'
import type { Principal } from '../auth/principal.ts'
import type { Limits } from '../limits/limits.ts'
import type { Row } from '../surface.ts'
import { entryOf, outputOf, type SubmitSend } from './send-call.ts'

export interface CallInput {
  principal: Principal
  /** As it came: `data` of either edge. */
  data: unknown
  requestId: string
  /** What it came in, as far as that is known. */
  bytes: number
  /** The edge has taken this one from the limit already: the socket counts every frame, whatever is in it. */
  counted?: boolean
  /** The connection it came on, which is not shown its own message; none for HTTP. */
  conn?: string
}

/** Calls of all clients that may be under way: their answers take memory too, and the process needs the bus for itself. */
const MAX_UNDER_WAY = { calls: 2_000, bytes: 32 * 1024 * 1024 }

export interface CallsOptions {
  bus: Pick<Bus, 'request'>
  sends: SubmitSend
  limits: Limits
  timeoutMs: number
  now?: () => number
}

/** The one way from an edge to an operation. */
export class Calls {
  readonly #options: CallsOptions
  #underWay = 0
  #bytes = 0

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /**
   * Answers with the operation's output.
   *
   * @throws AppError UNAVAILABLE when too many are under way, RATE_LIMITED with `details.retryAfterMs`, FORBIDDEN when the data names another user, BAD_REQUEST with
   *   `details.field`, and whatever the operation refuses with
   */
  async call(row: Row, input: CallInput): Promise<OutputOf<Row['operation']>> {
    if (!input.counted) await this.#take(input.principal)
    const { bytes } = input
    if (!this.mayWait(bytes)) throw new AppError('UNAVAILABLE', { details: { problem: 'too many calls under way' } })
    this.#underWay += 1
    this.#bytes += bytes
    try {
      return await this.#carryOut(row, input)
    } finally {
      this.#underWay -= 1
      this.#bytes -= bytes
    }
  }

  /** Is there room for another call of so many bytes? */
  mayWait(bytes: number): boolean {
    return this.#underWay < MAX_UNDER_WAY.calls && this.#bytes + bytes <= MAX_UNDER_WAY.bytes
  }

  /** Calls that wait for their service. */
  get underWay(): number {
    return this.#underWay
  }

  async #carryOut(row: Row, { principal, data, requestId, conn }: CallInput): Promise<OutputOf<Row['operation']>> {
    const fields = fieldsOf(data)
    refuseOthers(fields, principal)
    if (row.operation === sendMessage) {
      const input = validate(sendInput, fields)
      const entry = entryOf(input, principal.userId, conn ?? '')
      return outputOf(entry, await new Promise((answer) => this.#options.sends.submit(entry, answer)))
    }
    const input = validate(row.operation.input, fields)
    const { bus, timeoutMs } = this.#options
    return bus.request(row.operation, input, { user: principal.userId, requestId, timeoutMs })
  }

  async #take({ userId }: Principal): Promise<void> {
    const taken = await this.#options.limits.take(userId, this.#options.now?.() ?? Date.now())
    if (!taken.ok) throw new AppError('RATE_LIMITED', { details: { retryAfterMs: taken.retryAfterMs } })
  }
}

/** `data` may be left out where an operation needs nothing. */
function fieldsOf(data: unknown): Record<string, unknown> {
  if (data === undefined || data === null) return {}
  if (typeof data !== 'object' || Array.isArray(data)) throw new AppError('BAD_REQUEST', { details: { field: 'data' } })
  return data as Record<string, unknown>
}

/** The token says who acts; seed B's requests name the user too, and may name nobody else (protocol §2, §3). */
export function refuseOthers(fields: Record<string, unknown>, principal: Principal): void {
  for (const field of ['userId', 'fromUserId']) {
    if (fields[field] === undefined) continue
    const named = userId.safeParse(fields[field])
    if (!named.success) throw new AppError('BAD_REQUEST', { details: { field } })
    if (named.data !== principal.userId) throw new AppError('FORBIDDEN', { details: { field } })
  }
}
