import type { UserId } from '@qunxin/contracts'
import type { Added, Registry, Routes } from '../ports.ts'

export interface MemoryPresence {
  registry(node: string, options?: { connectionsPerUser?: number }): Registry
  routes(): Routes
  /** A process died without stopping: what it wrote is void. */
  kill(node: string): void
}

/** Presence of gateways and readers that live in one process, for tests. */
export function createMemoryPresence(): MemoryPresence {
  const users = new Map<UserId, Map<string, string>>()
  const nodesOf = (user: UserId): ReadonlySet<string> => new Set(users.get(user)?.values())

  const removeWhere = (user: UserId, void_: (conn: string, node: string) => boolean) => {
    const entries = users.get(user)
    if (!entries) return
    for (const [conn, node] of entries) if (void_(conn, node)) entries.delete(conn)
    if (entries.size === 0) users.delete(user)
  }
  const kill = (node: string) => {
    for (const user of users.keys()) removeWhere(user, (_, theirs) => theirs === node)
  }

  return {
    kill,
    registry: (node, { connectionsPerUser = 10 } = {}) => ({
      node,
      async add(user, conn): Promise<Added> {
        const entries = users.get(user) ?? new Map<string, string>()
        users.set(user, entries.set(conn, node))
        if (entries.size <= connectionsPerUser) return { connections: [], excess: [] }
        const connections = [...entries.entries()].sort().map(([id, theirs]) => ({ conn: id, node: theirs }))
        return { connections, excess: connections.slice(0, connections.length - connectionsPerUser) }
      },
      async remove(user, conn) {
        removeWhere(user, (id, theirs) => id === conn && theirs === node)
      },
      async stop() {
        kill(node)
      },
    }),
    routes: () => ({
      nodesOf: async (asked) => new Map([...asked].map((user) => [user, nodesOf(user)])),
      online: async (asked) => new Set(asked.filter((user) => nodesOf(user).size > 0)),
      cached: () => undefined,
      bound: () => {},
      unbound: () => {},
      dropAll: () => {},
    }),
  }
}
