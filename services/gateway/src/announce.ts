import type { Bus } from '@qunxin/bus'
import { ANNOUNCE_EVERY_MS, type GatewayInstance, subjects } from '@qunxin/contracts'
import { every } from '@qunxin/runtime'

/** Says twice a second that this gateway lives, and at the end that it leaves. */
export function announce(bus: Pick<Bus, 'connected' | 'publish'>, node: string): { stop(): void } {
  const say = (leaving: boolean) => {
    const announcement: GatewayInstance = { node, leaving }
    if (bus.connected) bus.publish(subjects.gatewayInstances, JSON.stringify(announcement))
  }
  say(false)
  const saying = every(ANNOUNCE_EVERY_MS, () => say(false))
  return {
    stop() {
      saying.stop()
      say(true)
    },
  }
}
