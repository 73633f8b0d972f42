import {
  type GroupId,
  type MembershipChange,
  membershipChange,
  type OperationName,
  operations,
} from '@qunxin/contracts'
import { systemClock, validate } from '@qunxin/runtime'
import t from 'tap'
import { newGroupId } from '../src/group-id.ts'
import { createHandlers } from '../src/handlers.ts'
import { MemoryGroupStore } from '../src/store/memory/memory-group-store.ts'
import { MemoryOutbox } from '../src/store/memory/memory-outbox.ts'
import { MemoryUserStore } from '../src/store/memory/memory-user-store.ts'
import { allRules } from './rules/index.ts'
import type { World } from './rules/world.ts'

function memoryWorld(membersMax: number): World {
  const told: MembershipChange[] = []
  const revoked = new Map<string, number>()
  const seqs = new Map<GroupId, number | undefined>()
  const outbox = new MemoryOutbox()
  let lastTime = 0
  const handlers = createHandlers({
    store: new MemoryGroupStore(outbox),
    users: new MemoryUserStore(),
    owners: {
      apply: async (change) => {
        told.push(membershipChange.parse(change))
        return seqs.has(change.groupId) ? seqs.get(change.groupId) : 0
      },
    },
    gateways: { revoke: (user, notBefore) => void revoked.set(user, notBefore) },
    // Two calls one after the other are never in one millisecond here, so that orders by time can be asserted.
    clock: { now: () => (lastTime = Math.max(lastTime + 1, systemClock.now())) },
    newGroupId,
    membersMax,
  })
  return {
    membersMax,
    async call(name, user, input) {
      const handler = handlers[name as keyof typeof handlers] as (input: unknown, context: object) => Promise<never>
      return handler(validate(operations[name as OperationName].input, input), { user, requestId: '', deadline: 0 })
    },
    told: (groupId: GroupId) => told.filter((change) => change.groupId === groupId),
    newest: (groupId, seq) => void seqs.set(groupId, seq),
    facts: async (groupId) => {
      const all = await outbox.oldest(Number.POSITIVE_INFINITY)
      return all.filter(({ data }) => data.groupId === groupId)
    },
    revoked: async (user) => revoked.get(user) ?? Number.NaN,
  }
}

allRules(t, memoryWorld(8))
