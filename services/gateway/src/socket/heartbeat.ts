import type { Connection } from './connection.ts'

/** The connections are pinged in so many shares, one behind the other, so that no second has more to do than another. */
const SLOTS = 25

/** Pings every connection in turn, and ends those that gave no sign of life since the last time. */
export class Heartbeat {
  readonly #ping: (connections: Connection[]) => void
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Connection>())
  readonly #timer: NodeJS.Timeout
  #at = 0
  #next = 0

  constructor(everyMs: number, ping: (connections: Connection[]) => void) {
    this.#ping = ping
    this.#timer = setInterval(() => this.#beat(), everyMs / SLOTS).unref()
  }

  add(connection: Connection): void {
    connection.heartbeatSlot = this.#next
    this.#slots[this.#next]?.add(connection)
    this.#next = (this.#next + 1) % SLOTS
  }

  remove(connection: Connection): void {
    this.#slots[connection.heartbeatSlot]?.delete(connection)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const pinged: Connection[] = []
    for (const connection of this.#slots[this.#at] ?? []) {
      if (!connection.alive) {
        connection.socket.terminate()
        continue
      }
      connection.alive = false
      pinged.push(connection)
    }
    this.#ping(pinged)
    this.#at = (this.#at + 1) % SLOTS
  }
}
