import type { Bus } from '@qunxin/bus'
import { ALL_GATEWAYS, type GatewayControl, subjects } from '@qunxin/contracts'
import type { Gateways } from './domain/ports.ts'

export function busGateways(bus: Bus): Gateways {
  return {
    revoke(userId, notBefore) {
      const order: GatewayControl = { kind: 'revoke', userId, notBefore }
      bus.publish(subjects.gatewayControl(ALL_GATEWAYS), JSON.stringify(order))
    },
  }
}
