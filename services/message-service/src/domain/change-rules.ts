import type { ErrorCode, MessageChange, UserId } from '@qunxin/contracts'
import type { Message } from './message.ts'

/** How long its author may take a message back, or give it another text, in ms; 0 is for ever. */
export type ChangeLimits = Record<MessageChange['kind'], number>

/** What is wrong with changing this message; undefined when nothing is. Taking it back twice is taking it back once. */
export function refusalOfChange(
  target: Message | undefined,
  change: { kind: MessageChange['kind']; by: UserId; now: number },
  limits: ChangeLimits,
): ErrorCode | undefined {
  const { kind, by, now } = change
  if (!target || target.change) return 'MESSAGE_NOT_FOUND'
  if (target.from !== by) return 'NOT_ALLOWED'
  if (target.recalled) return kind === 'recall' ? undefined : 'MESSAGE_NOT_FOUND'
  if (limits[kind] > 0 && now - target.at > limits[kind]) return 'TOO_LATE'
  return undefined
}
