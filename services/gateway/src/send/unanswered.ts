/** An owner that is silent is told again after so long: it may be another one by then. */
export const REPEAT_AFTER_MS = 500

/** What was published for the owner of a partition and is published again until somebody has answered it. */
export class Unanswered {
  readonly #publish: () => boolean
  /** Undefined while it never went out. */
  #publishedAt: number | undefined

  /** `publish` returns false when nothing can go out now (NATS is away). */
  constructor(publish: () => boolean) {
    this.#publish = publish
  }

  publish(now: number): void {
    if (this.#publish()) this.#publishedAt = now
  }

  /** Publishes it again when it went out before `since`, or never did. */
  repeat(since: number, now: number): void {
    if (this.#publishedAt === undefined || this.#publishedAt <= since) this.publish(now)
  }
}
