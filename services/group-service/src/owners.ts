import type { Bus } from '@qunxin/bus'
import { groupConversation, partitionOf, subjects } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Owners } from './domain/ports.ts'

/** Without a confirmation in time the call is answered all the same: what the owner knows of members lapses in 200 ms. */
export function busOwners(bus: Bus, options: { partitions: number; timeoutMs: number; logger: Logger }): Owners {
  const { partitions, timeoutMs, logger } = options
  return {
    async apply(change) {
      const partition = partitionOf(groupConversation(change.groupId), partitions)
      try {
        await bus.ask(subjects.partitionMembership(partition), JSON.stringify(change), { timeoutMs })
      } catch (error) {
        const { groupId, version } = change
        const reason = error instanceof Error ? error.message : String(error)
        logger.debug({ reason, groupId, version, partition }, 'the owner did not confirm a change of membership')
      }
    },
  }
}
