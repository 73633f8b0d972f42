import type { CloseCode } from '@qunxin/contracts'

type Reaction = 'reconnect' | 'later' | 'newToken' | 'stop'

/** What the SDK does by itself about each close code of the server. */
const reactions: Record<CloseCode, Reaction> = {
  1001: 'reconnect',
  1008: 'stop',
  1009: 'reconnect',
  4001: 'newToken',
  4002: 'newToken',
  4003: 'stop',
  4008: 'reconnect',
  4009: 'stop',
  4029: 'later',
}

/** A code that is not in the table (1006, a proxy's) is a connection that got lost. */
export function reactionTo(code: number): Reaction {
  return Object.hasOwn(reactions, code) ? reactions[code as CloseCode] : 'reconnect'
}
