import type { MessageState } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import { stateInGroup, stateOf } from '../domain/present.ts'
import type { Standing } from '../store/overviews.ts'

/** The state of each message: of a personal one by the receiver's cursor, in a group by its floor. */
export function statesBy({ cursors, floors }: Standing): (message: Message) => MessageState {
  return (message) => {
    const { conversation, seq, to } = message
    if (to === undefined) return stateInGroup(message, floors.get(conversation))
    return stateOf(seq, cursors.get(conversation)?.get(to))
  }
}
