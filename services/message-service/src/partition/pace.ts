import type { UserId } from '@qunxin/contracts'

/** When each member last sent into a group in slow mode. Read from the log, so that a new owner knows it too. */
export class Pace {
  /** In the order of time. */
  readonly #lastAt: Map<UserId, number>
  /** Milliseconds since 1970: who is not in here has sent nothing since. */
  #since: number

  constructor(since: number, lastAt: ReadonlyMap<UserId, number>) {
    this.#since = since
    this.#lastAt = new Map([...lastAt].sort(([, one], [, other]) => one - other))
  }

  /** Does it go back as far as the pause does? */
  covers(slowModeMs: number, now: number): boolean {
    return now - slowModeMs >= this.#since
  }

  lastOf(user: UserId): number | undefined {
    return this.#lastAt.get(user)
  }

  sent(user: UserId, at: number): void {
    this.#lastAt.delete(user)
    this.#lastAt.set(user, at)
  }

  /** Forgets what is of no account any more. */
  forgetBefore(time: number): void {
    if (time <= this.#since) return
    this.#since = time
    for (const [user, at] of this.#lastAt) {
      if (at > time) return
      this.#lastAt.delete(user)
    }
  }
}
