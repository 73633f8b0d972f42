import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.ts'
import { log } from './log.ts'
import { sign } from './signature.ts'

export interface Refusal {
  attempts: number
  reason: string
}

type Settings = Pick<
  Config,
  'WEBHOOK_URL' | 'WEBHOOK_SECRET' | 'TIMEOUT_MS' | 'ATTEMPTS' | 'BACKOFF_MS' | 'LONGEST_BACKOFF_MS'
>

/** Posts to the webhook until it answers 2xx. */
export class Webhook {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /**
   * Tries as often as configured and resolves with why it gave up, or with undefined when the webhook has it.
   *
   * @throws when `signal` is aborted: whether the webhook has it is not known then
   */
  async deliver(body: string, id: string, signal: AbortSignal): Promise<Refusal | undefined> {
    const { ATTEMPTS } = this.#settings
    for (let attempt = 1; ; attempt++) {
      const { reason, retryAfterMs = 0 } = await this.#post(body, id)
      if (reason === undefined) return undefined
      log('the webhook did not take a delivery', { id, attempt, reason })
      if (attempt >= ATTEMPTS) return { attempts: attempt, reason }
      signal.throwIfAborted()
      await delay(Math.max(retryAfterMs, this.#pauseMs(attempt)), undefined, { signal })
    }
  }

  async #post(body: string, id: string): Promise<{ reason?: string; retryAfterMs?: number }> {
    const { WEBHOOK_URL, WEBHOOK_SECRET, TIMEOUT_MS, LONGEST_BACKOFF_MS } = this.#settings
    try {
      const response = await fetch(WEBHOOK_URL, {
        method: 'POST',
        // The id is the same each time; the signature is not, because it says when it was made.
        headers: { 'content-type': 'application/json', 'x-delivery': id, ...sign(body, WEBHOOK_SECRET) },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      // Nobody reads what it says; an unread body would hold the connection.
      await response.body?.cancel()
      if (response.ok) return {}
      const seconds = Number(response.headers.get('retry-after')) || 0
      return { reason: `status ${response.status}`, retryAfterMs: Math.min(seconds * 1000, LONGEST_BACKOFF_MS) }
    } catch (error) {
      return { reason: String((error as Error).cause ?? error) }
    }
  }

  /** Twice as long each time, and anything between half of that and all: many bridges do not come back at once. */
  #pauseMs(attempt: number): number {
    const { BACKOFF_MS, LONGEST_BACKOFF_MS } = this.#settings
    const longest = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** (attempt - 1))
    return longest * (0.5 + Math.random() / 2)
  }
}
