import type { GroupId, UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { JobItem } from './job.ts'

/** Users by the node that holds their sockets. */
export type ByNode = ReadonlyMap<string, UserId[]>

/** The members of a group, and where they are. */
export interface Audience {
  readonly users: ReadonlySet<UserId>
  readonly nodes: ByNode
  /** Those whom no gateway holds. */
  readonly nowhere: readonly UserId[]
}

/** The group an item's receivers are the members of; undefined when it names its users itself. */
export function groupOfItem({ frame, push }: JobItem): GroupId | undefined {
  if (frame) return frame.message.group
  return push && 'group' in push.to ? push.to.group : undefined
}

/** Are both personal messages of one user to another, one and the same pair? */
export function isOfSamePair(one: JobItem | undefined, other: JobItem): boolean {
  const a = one?.frame?.message
  const b = other.frame?.message
  if (a === undefined || b === undefined || a.group !== undefined || b.group !== undefined) return false
  return a.from === b.from && a.to === b.to
}

/** A personal message goes to the receiver and to the sender's other devices. */
export function receiversOf(message: Message): readonly UserId[] {
  return message.to === undefined ? [message.from] : [message.to, message.from]
}

/** The users an item names itself. */
export function usersOfItem({ frame, push }: JobItem): readonly UserId[] {
  if (frame) return frame.message.group === undefined ? receiversOf(frame.message) : []
  return push && 'users' in push.to ? push.to.users : []
}

export function audienceOf(users: ReadonlySet<UserId>, routes: ReadonlyMap<UserId, ReadonlySet<string>>): Audience {
  return { users, nodes: byNode(users, routes), nowhere: nowhere(users, routes) }
}

export function nowhere(users: Iterable<UserId>, routes: ReadonlyMap<UserId, ReadonlySet<string>>): UserId[] {
  const found: UserId[] = []
  for (const user of users) if ((routes.get(user)?.size ?? 0) === 0) found.push(user)
  return found
}

/** Without those users; a node that has no other is left out. */
export function nodesWithout(nodes: ByNode, others: ReadonlySet<UserId>): ByNode {
  const left = new Map<string, UserId[]>()
  for (const [node, users] of nodes) {
    const some = users.filter((user) => !others.has(user))
    if (some.length > 0) left.set(node, some)
  }
  return left
}

export function withoutThose(users: Iterable<UserId>, others: ReadonlySet<UserId>): readonly UserId[] {
  const all = [...users]
  return others.size === 0 ? all : all.filter((user) => !others.has(user))
}

export function areSameUsers(some: ReadonlySet<UserId>, others: ReadonlySet<UserId>): boolean {
  // Unchanged it is mostly the very same set.
  if (some === others) return true
  if (some.size !== others.size) return false
  for (const user of some) if (!others.has(user)) return false
  return true
}

export function byNode(users: Iterable<UserId>, routes: ReadonlyMap<UserId, ReadonlySet<string>>): ByNode {
  const nodes = new Map<string, UserId[]>()
  for (const user of users) {
    for (const node of routes.get(user) ?? []) {
      const there = nodes.get(node)
      if (there) there.push(user)
      else nodes.set(node, [user])
    }
  }
  return nodes
}
