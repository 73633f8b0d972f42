import type { UserId } from '@qunxin/contracts'

/** One socket of a user and the gateway process that holds it. */
export interface Connection {
  conn: string
  node: string
}

export interface Added {
  /** All live connections of the user, oldest first; empty when they are within the limit. */
  connections: Connection[]
  /** The oldest of them, which are one too many each and have to be closed. */
  excess: Connection[]
}

/** What a gateway keeps: which users' sockets it holds. Never throws: while Redis is away it remembers and writes later. */
export interface Registry {
  readonly node: string
  /** Resolves when it is written, or after about a second without Redis. */
  add(user: UserId, conn: string): Promise<Added>
  /** Takes away only what this very process wrote. */
  remove(user: UserId, conn: string): Promise<void>
  /** Removes everything of this process. */
  stop(): Promise<void>
}

/** What message-service asks: which gateway processes hold sockets of these users. */
export interface Routes {
  /**
   * One entry per user asked for; an empty set is a user who is not there. Never throws and takes about a second at most:
   * what is not known for certain is answered with every gateway that may hold the user.
   */
  nodesOf(users: Iterable<UserId>): Promise<Map<UserId, ReadonlySet<string>>>
  /**
   * Who of these users has a connection, read at the time and for certain.
   *
   * @throws AppError UNAVAILABLE when that cannot be said of all of them
   */
  online(users: readonly UserId[]): Promise<Set<UserId>>
  /** The same as `nodesOf` without waiting, when it is known. */
  cached(user: UserId): ReadonlySet<string> | undefined
  /** A gateway says that users came to it. From here on they are found there, whatever a load under way has read. */
  bound(node: string, users: Iterable<UserId>): void
  /** A gateway says that the last socket of these users on it is gone. */
  unbound(node: string, users: Iterable<UserId>): void
  /** After notices may have been missed (the event loop stood still, NATS was away): nothing cached counts any more. */
  dropAll(): void
}
