import { dateBytes } from './outgoing.ts'
import { Scanner } from './scan.ts'
import { Slab } from './slab.ts'
import { type Address, addressOf } from './wire-socket.ts'

const TICK_MS = 1_000
const READ_BYTES = 256 * 1024

/** A client, as what it shares with the others knows it. */
export interface WireUser {
  /** Writes what it has to send. */
  flush(): void
  /** About once a second. */
  tick(now: number): void
}

/** What all clients of a run share, so that one of them is little more than its socket. */
export class Wire {
  readonly scanner = new Scanner()
  readonly slab = new Slab()
  /** All sockets read into it, one after the other: whoever is told of a frame takes what it wants of it at once. */
  readonly buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  readonly #addresses = new Map<string, Address>()
  readonly #users = new Set<WireUser>()
  #waiting: WireUser[] = []
  #date = { at: 0, bytes: dateBytes(0) }
  #ticking: ReturnType<typeof setInterval> | undefined

  /** Where a gateway is. @throws TypeError for one with TLS */
  address(url: string): Address {
    const address = this.#addresses.get(url) ?? addressOf(url)
    this.#addresses.set(url, address)
    return address
  }

  /** The time, as it stands in frames. */
  date(): Uint8Array {
    const at = Date.now()
    if (at !== this.#date.at) this.#date = { at, bytes: dateBytes(at) }
    return this.#date.bytes
  }

  add(user: WireUser): void {
    this.#users.add(user)
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  remove(user: WireUser): void {
    this.#users.delete(user)
    if (this.#users.size > 0) return
    clearInterval(this.#ticking)
    this.#ticking = undefined
  }

  /** Has it write when this turn of the event loop is over: many frames, one system call. */
  flushLater(user: WireUser): void {
    if (this.#waiting.push(user) === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const users = this.#waiting
    this.#waiting = []
    for (const user of users) user.flush()
  }

  #tick(): void {
    const now = performance.now()
    for (const user of this.#users) user.tick(now)
  }
}
