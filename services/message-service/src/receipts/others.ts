import type { UserId } from '@qunxin/contracts'
import type { Routes } from '../fanout/routes.ts'
import type { Waiting } from './waiting.ts'

/** Those whose user may have another connection than the one that read: it wants to be told. */
export async function withOthers<T extends Pick<Waiting, 'user' | 'reader'>>(
  routes: Pick<Routes, 'nodesOf'>,
  waiting: readonly T[],
): Promise<T[]> {
  const alone = waiting.filter(({ reader }) => reader?.alone)
  const users = new Set<UserId>(alone.map(({ user }) => user))
  const found = users.size > 0 ? await routes.nodesOf(users) : new Map<UserId, ReadonlySet<string>>()
  return waiting.filter(({ user, reader }) => {
    if (!reader?.alone) return true
    return [...(found.get(user) ?? [])].some((node) => node !== reader.node)
  })
}
