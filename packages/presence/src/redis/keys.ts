import type { UserId } from '@qunxin/contracts'

export type Keys = ReturnType<typeof createKeys>

/** Names of the Redis keys, below a prefix so that several systems can share one Redis. */
export function createKeys(prefix = '') {
  return {
    /** Hash: connection id → node id. The braces would name its slot in a Redis Cluster, which the scripts of today do not run on. */
    user: (user: UserId) => `${prefix}presence:{${user}}`,
    /** Heartbeat of one gateway process; its value is the epoch it has written all its sockets under. */
    node: (node: string) => `${prefix}node:${node}`,
    /** Random value that is gone after a flush: whoever finds another one than before knows that entries are missing. */
    epoch: `${prefix}presence:epoch`,
  }
}
