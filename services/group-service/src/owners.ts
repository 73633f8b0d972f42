import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { groupConversation, membershipApplied, partitionOf, subjects } from '@qunxin/contracts'
import { type Logger, withinTime } from '@qunxin/runtime'
import type { Owners } from './domain/ports.ts'

/** Nobody waits longer for the answer of a call. */
const PATIENCE_MS = 5_000
const RETRY_MS = 50

export interface OwnersOptions {
  partitions: number
  /** How long a confirmation is waited for. */
  timeoutMs: number
  logger: Logger
}

/**
 * Without a confirmation in time the call is answered all the same: an owner that does not hear us goes by nothing older than
 * 200 ms. But it is answered only after the server has what the owner is told: one that hears goes by that for longer.
 */
export function busOwners(bus: Bus, { partitions, timeoutMs, logger }: OwnersOptions): Owners {
  let losses = 0
  bus.onDisconnect(() => {
    losses += 1
  })
  return {
    async apply(change) {
      const subject = subjects.partitionMembership(partitionOf(groupConversation(change.groupId), partitions))
      const until = performance.now() + PATIENCE_MS
      let mayBeApplied = false
      for (let left = PATIENCE_MS; left > 0; left = until - performance.now()) {
        // While too much waits to leave, nothing is published at all.
        const before = bus.writable ? losses : undefined
        try {
          const answer = await bus.ask(subject, JSON.stringify(change), { timeoutMs })
          const { lastSeq } = membershipApplied.parse(JSON.parse(Buffer.from(answer).toString()))
          // Applied before it was told again, it stands at an earlier seq that nobody knows.
          return mayBeApplied ? undefined : lastSeq
        } catch (error) {
          const { groupId, version } = change
          const reason = error instanceof Error ? error.message : String(error)
          logger.debug({ reason, groupId, version, subject }, 'the owner did not confirm a change of membership')
        }
        mayBeApplied = true
        const taken = await withinTime(left, bus.flush()).then(
          () => true,
          () => false,
        )
        if (taken && before === losses) return undefined
        await delay(RETRY_MS)
      }
      return undefined
    },
  }
}
