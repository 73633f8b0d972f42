import type { Bus } from '@qunxin/bus'
import { ALL_GATEWAYS, type CloseCode, closeCodes, gatewayControl, subjects, type UserId } from '@qunxin/contracts'

export interface ControlOptions {
  bus: Pick<Bus, 'subscribe'>
  node: string
  /** Closes a connection, if this node has it. */
  close(conn: string, code: CloseCode): void
  /** Tokens of this user from before `notBefore` (ms) are no longer good. */
  revoked(user: UserId, notBefore: number): void
}

/** Takes orders given to this gateway, or to all. */
export function subscribeControl({ bus, node, close, revoked }: ControlOptions): void {
  for (const whom of [node, ALL_GATEWAYS]) {
    bus.subscribe(subjects.gatewayControl(whom), (message) => {
      const order = gatewayControl.parse(message.json())
      if (order.kind === 'revoke') revoked(order.userId, order.notBefore)
      else if (isCloseCode(order.code)) close(order.conn, order.code)
    })
  }
}

function isCloseCode(code: number): code is CloseCode {
  return Object.hasOwn(closeCodes, code)
}
