import {
  type GroupId,
  groupConversation,
  personalConversation,
  type SendAnswer,
  type SendEntry,
  type UserId,
} from '@qunxin/contracts'
import { contentHash } from '../src/domain/content.ts'
import type { Message } from '../src/domain/message.ts'
import { audienceOf } from '../src/fanout/audience.ts'
import type { Audiences } from '../src/fanout/audiences.ts'
import type { Routes } from '../src/fanout/routes.ts'
import type { MembershipSource } from '../src/membership/source.ts'
import type { BatchRun } from '../src/partition/pending.ts'

/** A message of 1 to 2, changed as asked. */
export function message(fields: Partial<Message> = {}): Message {
  const seq = fields.seq ?? 1
  const text = fields.text ?? `text ${seq}`
  const type = fields.type ?? 1
  const place = fields.group === undefined ? { to: '2' } : {}
  const conversation = fields.group === undefined ? 'p1-2' : groupConversation(fields.group)
  return {
    conversation,
    seq,
    at: 1_000 + seq,
    from: '1',
    msgId: `m${seq}`,
    hash: contentHash({ type, text, ...(fields.attachment && { attachment: fields.attachment }) }),
    type,
    text,
    ...place,
    ...fields,
  }
}

export function entry(from: string, to: string, fields: Partial<SendEntry> = {}): SendEntry {
  return {
    id: 1,
    conn: 'c1',
    conversation: personalConversation(from, to),
    from,
    to,
    msgId: 'm1',
    type: 1,
    text: 'hi',
    ...fields,
  }
}

export function run(node: string, fields: Partial<BatchRun> = {}): BatchRun {
  return { partition: 0, node, number: 1, reply: undefined, unanswered: 1, ...fields }
}

export function accepted(id: number, seq: number): SendAnswer {
  return { id, seq, at: 1_000 + seq }
}

/** group-service of one group, whose state a test sets. */
export function groupsOf(state: { version: number; members: string[] }): MembershipSource {
  return {
    membersOf: async () => ({
      version: state.version,
      members: state.members.map((userId) => ({ userId, role: 'member' as const })),
    }),
    versionsOf: async (groups) => groups.map(() => state.version),
    memberOf: async () => ({ joinedAt: 1, joinedSeq: 0, role: 'member' as const }),
    groupsOf: async () => [],
    groupsOfUsers: async (users) => users.map(() => []),
  }
}

/** Where a fan-out finds users, and the members of groups. */
export function reachOf(
  routes: ReadonlyMap<UserId, ReadonlySet<string>>,
  members: ReadonlyMap<GroupId, ReadonlySet<UserId>> = new Map(),
) {
  return { routes, audiences: new Map([...members].map(([group, users]) => [group, audienceOf(users, routes)])) }
}

/** Audiences that are put together each time. */
export function audiencesBy(routes: Pick<Routes, 'nodesOf'>): Pick<Audiences, 'of'> {
  return { of: async (_, users) => audienceOf(users, await routes.nodesOf(users)) }
}
