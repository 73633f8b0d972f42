import { setTimeout as delay } from 'node:timers/promises'
import {
  type ConversationId,
  DEAD_AFTER_MS,
  type GroupId,
  type membersOf,
  type OutputOf,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import { receiversOf } from '../fanout/audience.ts'
import type { Routes } from '../fanout/routes.ts'
import type { MembershipSource } from '../membership/source.ts'
import type { MissedBy } from './message-events.ts'

export interface MissedByOptions {
  source: Pick<MembershipSource, 'membersOf'>
  routes: Pick<Routes, 'nodesOf'>
  /** Was this gateway heard of lately? */
  lives(node: string): boolean
  /** Since when we listen to the gateways (monotonic ms). */
  listeningSince: number
  /** Those who muted a conversation, as stored: we need not be its owner. */
  mutedIn(conversation: ConversationId): Promise<ReadonlySet<UserId>>
  /** Of larger groups nobody is told of. */
  groupLimit: number
}

/**
 * Who missed messages whose owner died before it told: the receivers as of now who have no connection now. Who came back in
 * between has read them, or been sent them.
 */
export function missedBy(options: MissedByOptions): MissedBy {
  const { source, routes, lives, listeningSince, mutedIn, groupLimit } = options
  return async (messages) => {
    // A gateway that has had no time to be heard of is not dead.
    await delay(Math.max(0, listeningSince + DEAD_AFTER_MS - performance.now()))
    const receivers = await membersOfAll(new Set(messages.flatMap(({ group }) => group ?? [])), source)
    const told = messages.flatMap((message) => {
      if (message.change) return []
      const users = receivers.get(message.group ?? '')
      if (users && users.length > groupLimit) return []
      return [{ message, users: receiversIn(message, users).filter((user) => user !== message.from) }]
    })
    const nodes = await routes.nodesOf(new Set(told.flatMap(({ users }) => users)))
    const isAway = (user: UserId) => ![...(nodes.get(user) ?? [])].some(lives)
    const away = new Set([...nodes.keys()].filter(isAway))
    const missed = told
      .map(({ message, users }) => ({ message, users: users.filter((user) => away.has(user)) }))
      .filter(({ users }) => users.length > 0)
    const conversations = new Set(missed.map(({ message }) => message.conversation))
    const muted = new Map(await Promise.all([...conversations].map(async (one) => [one, await mutedIn(one)] as const)))
    return missed.map(({ message, users }) => ({
      message,
      users,
      muted: users.filter((user) => muted.get(message.conversation)?.has(user)),
    }))
  }
}

type Member = OutputOf<typeof membersOf>['members'][number]

/** A message is for nobody who joined after it. */
function receiversIn(message: Message, members: readonly Member[] | undefined): readonly UserId[] {
  if (message.group === undefined) return receiversOf(message)
  return (members ?? []).flatMap(({ userId, joinedSeq = 0 }) => (joinedSeq < message.seq ? [userId] : []))
}

/** The members of each group; none of one that is gone. */
async function membersOfAll(
  groups: ReadonlySet<GroupId>,
  source: MissedByOptions['source'],
): Promise<ReadonlyMap<GroupId, readonly Member[]>> {
  const ask = async (group: GroupId) => {
    const { members } = await source.membersOf(group).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'GROUP_NOT_FOUND') return { members: [] }
      throw error
    })
    return [group, members] as const
  }
  return new Map(await Promise.all([...groups].map(ask)))
}
