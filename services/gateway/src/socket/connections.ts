import type { UserId } from '@qunxin/contracts'
import type { Connection } from './connection.ts'

const NONE: readonly Connection[] = []

/** The bound connections of this node. */
export class Connections {
  readonly #byId = new Map<string, Connection>()
  readonly #byUser = new Map<UserId, readonly Connection[]>()

  add(connection: Connection): void {
    this.#byId.set(connection.id, connection)
    this.#byUser.set(connection.userId, [...this.of(connection.userId), connection])
  }

  /** Returns false when it was not there. */
  remove(connection: Connection): boolean {
    if (!this.#byId.delete(connection.id)) return false
    const left = this.of(connection.userId).filter((other) => other !== connection)
    if (left.length === 0) this.#byUser.delete(connection.userId)
    else this.#byUser.set(connection.userId, left)
    return true
  }

  all(): Iterable<Connection> {
    return this.#byId.values()
  }

  byId(id: string): Connection | undefined {
    return this.#byId.get(id)
  }

  of(user: UserId): readonly Connection[] {
    return this.#byUser.get(user) ?? NONE
  }
}
