import { createLogger } from '@qunxin/runtime'
import { membersAt } from '../../src/membership/members.ts'
import type { StatePush } from '../../src/receipts/place.ts'
import { Receipts, type ReceiptsOptions } from '../../src/receipts/receipts.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryFloors } from '../../src/store/memory-floors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { message } from '../sample.ts'

/** Receipts over stores in memory, of a process that owns every partition. */
export function setup(options: Partial<ReceiptsOptions> = {}) {
  const log = new MemoryLog()
  const cursors = new MemoryCursors()
  const floors = new MemoryFloors()
  const pushes: StatePush[] = []
  const clock = { now: 1_000 }
  const place = {
    owned: 1 as number | undefined,
    tenure: () => place.owned,
    tell: async (some: readonly StatePush[]) => void pushes.push(...some),
  }
  /** The one group there is. */
  const group = { version: 1, users: [] as string[], joinedSeq: new Map<string, number>(), known: true }
  const members = () =>
    group.known
      ? membersAt(group.version, new Set(group.users), { slowModeMs: 0, admins: new Set(), joinedSeq: group.joinedSeq })
      : undefined
  const receipts = new Receipts({
    log,
    cursors,
    floors,
    place,
    routes: { nodesOf: async (users) => new Map([...users].map((user) => [user, new Set(['a'])] as const)) },
    newestSeq: () => undefined,
    membersNow: async () => members(),
    lastMembers: members,
    logger: createLogger('test', 'silent'),
    now: () => clock.now,
    ...options,
  })
  return {
    log,
    cursors,
    floors,
    receipts,
    place,
    clock,
    group,
    /** Taken, and whatever waits written. */
    async take(...some: Parameters<Receipts['take']>) {
      const taken = receipts.take(...some)
      await receipts.flush()
      await taken
    },
    /** What was told since the last time. */
    told: () => pushes.splice(0).map(({ to, data, except, cursor }) => ({ to, data, except, cursor })),
    /** Messages of one conversation, by who wrote them. */
    write: async (conversation: string, ...from: string[]) => {
      const place = conversation.startsWith('g') ? { group: conversation.slice(1) } : { conversation }
      const first = (await log.tail(conversation, 1)).seq + 1
      await log.append(
        from.map((user, index) => message({ ...place, seq: first + index, from: user, msgId: `m${first + index}` })),
      )
    },
  }
}
