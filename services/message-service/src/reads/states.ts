import type { ConversationId, MessageState } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import { stateInGroup, stateOf } from '../domain/present.ts'
import type { Overviews, Standing } from '../store/overviews.ts'

/** The state of each message: of a personal one by the receiver's cursor, in a group by its floor. */
export function statesBy({ cursors, floors }: Standing): (message: Message) => MessageState {
  return (message) => {
    const { conversation, seq, to } = message
    if (to === undefined) return stateInGroup(message, floors.get(conversation))
    return stateOf(seq, cursors.get(conversation)?.get(to))
  }
}

/** The same of one conversation, whose readers are looked up. */
export async function statesOf(
  overviews: Pick<Overviews, 'standing'>,
  conversation: ConversationId,
): Promise<(message: Message) => MessageState> {
  return statesBy(await overviews.standing({ readers: [conversation], heads: [] }))
}
