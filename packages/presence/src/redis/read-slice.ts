import type { UserId } from '@qunxin/contracts'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'

export interface Slice {
  /** What Redis holds for each user, in the order asked. */
  nodes: string[][]
  /** Nodes that may hold any of the users although their entries are not there. */
  uncertain: string[]
  /** Nodes whose process is gone: their entries are void. */
  dead: ReadonlySet<string>
}

/**
 * Reads the users' entries between two looks at the epoch, after the node keys: entries are complete for a node that vouched
 * for this epoch before they were read, unless the epoch went meanwhile.
 */
export async function readSlice(
  redis: Redis,
  keys: Keys,
  ask: { users: readonly UserId[]; live: readonly string[] },
): Promise<Slice> {
  const { users, live } = ask
  const [before, vouched, entries, after] = await Promise.all([
    redis.get(keys.epoch),
    Promise.all(live.map((node) => redis.get(keys.node(node)))),
    Promise.all(users.map((user) => redis.hvals(keys.user(user)))),
    redis.get(keys.epoch),
  ])
  const epoch = before === after ? before : null
  const nodes = entries.map((values) => [...new Set(values)])
  const unheard = [...new Set(nodes.flat())].filter((node) => !live.includes(node))
  const theirs = await Promise.all(unheard.map((node) => redis.get(keys.node(node))))
  return {
    nodes,
    uncertain: live.filter((_, i) => epoch === null || vouched[i] !== epoch),
    dead: new Set(unheard.filter((_, i) => theirs[i] === null)),
  }
}
