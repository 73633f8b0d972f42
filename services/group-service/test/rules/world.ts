import type { MembershipChange, OperationName, Operations, OutputOf, UserId } from '@qunxin/contracts'
import type { AppError } from '@qunxin/runtime'
import type { z } from 'zod'
import type { OutboxFact } from '../../src/store/outbox.ts'

/** Where the rules are tried: handlers over a store in memory, or the whole service over NATS and MongoDB. */
export interface World {
  /** How many members a group may have. */
  membersMax: number
  call<Name extends OperationName>(
    name: Name,
    user: UserId,
    input: z.input<Operations[Name]['input']>,
  ): Promise<OutputOf<Operations[Name]>>
  /** What the owner of a group was told, in order. */
  told(groupId: string): MembershipChange[]
  /** From now on the owner of a group confirms changes with this newest seq; undefined when it confirms nothing. */
  newest(groupId: string, seq: number | undefined): void
  /** The facts of a group so far, in order; waits until there are `count`. */
  facts(groupId: string, count: number): Promise<Omit<OutboxFact, 'id'>[]>
  /** The revocations every gateway was told of, waits for the one of `user`. */
  revoked(user: UserId): Promise<number>
}

let nextUser = 1_000_000 + Math.floor(Math.random() * 1_000_000_000)

/** Users nobody else in this process has. */
export function newUsers(count: number): UserId[] {
  return Array.from({ length: count }, () => String(nextUser++))
}

export interface Cast {
  groupId: string
  owner: UserId
  admin: UserId
  member: UserId
  outsider: UserId
}

/** A group with one of each. */
export async function castGroup(world: World, settings: Record<string, string> = {}): Promise<Cast> {
  const [owner = '', admin = '', member = '', outsider = ''] = newUsers(4)
  const input = { groupName: '测试群', memberIds: [owner, admin, member], ...settings }
  const { groupId } = await world.call('group.createGroup', owner, input)
  await world.call('group.setAdmin', owner, { groupId, memberId: admin, admin: true })
  return { groupId, owner, admin, member, outsider }
}

/** The members and their roles, by user. */
export async function rolesIn(world: World, groupId: string): Promise<Record<UserId, string>> {
  const { members } = await world.call('group.membersOf', '', { groupId })
  return Object.fromEntries(members.map(({ userId, role }) => [userId, role]))
}

/** The code a call is refused with, or `done`. */
export function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: AppError) => error.code ?? String(error),
  )
}
