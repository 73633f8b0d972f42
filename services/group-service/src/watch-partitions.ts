import type { Bus } from '@qunxin/bus'
import { DEAD_AFTER_MS, messageInstance, subjects } from '@qunxin/contracts'
import type { Logger, Readiness } from '@qunxin/runtime'

/** With another number of partitions than message-service, this process would tell changes to the wrong owners. */
export function watchPartitions(
  bus: Bus,
  options: { partitions: number; readiness: Readiness; logger: Logger },
): { stop(): void } {
  const { partitions, readiness, logger } = options
  let agreed: NodeJS.Timeout | undefined
  const subscription = bus.subscribe(subjects.messageInstances, (message) => {
    const announced = messageInstance.parse(message.json())
    if (announced.partitions === partitions) return
    const why = `PARTITIONS is ${partitions} here and ${announced.partitions} in message-service ${announced.instance}`
    if (agreed === undefined) logger.error(why)
    readiness.unmet('partitions', why)
    clearTimeout(agreed)
    agreed = setTimeout(() => {
      agreed = undefined
      readiness.met('partitions')
    }, DEAD_AFTER_MS)
    agreed.unref()
  })
  return {
    stop() {
      subscription.unsubscribe()
      clearTimeout(agreed)
    },
  }
}
