import { conversationOfMessage, groupConversation } from '@qunxin/contracts'
import type { History } from '../history.ts'
import type { Scanner } from '../wire/scan.ts'

/** In which conversation a message stands that a user is shown, mostly without a string: few of them are shown many. */
export class ShownIn {
  readonly #history: History
  readonly #userId: number
  /** By who wrote to this user. */
  readonly #personal = new Map<number, number>()
  /** The group of the message before, by the bytes of its id. */
  #group: { sessionId: Buffer; conversation: number } | undefined

  constructor(history: History, userId: number) {
    this.#history = history
    this.#userId = userId
  }

  /** Of the message that was scanned in these bytes. */
  find(bytes: Buffer, { fromUserId, toUserId, sessionStart, sessionEnd }: Scanner): number {
    if (sessionStart < sessionEnd) return this.#inGroup(bytes, sessionStart, sessionEnd)
    const known = toUserId === this.#userId ? this.#personal.get(fromUserId) : undefined
    if (known !== undefined) return known
    const conversation = this.#history.conversation(conversationOfMessage({ fromUserId, toUserId, sessionId: '' }))
    if (toUserId === this.#userId) this.#personal.set(fromUserId, conversation)
    return conversation
  }

  #inGroup(bytes: Buffer, start: number, end: number): number {
    const known = this.#group
    if (known?.sessionId.compare(bytes, start, end) === 0) return known.conversation
    const sessionId = Buffer.from(bytes.subarray(start, end))
    const conversation = this.#history.conversation(groupConversation(sessionId.toString()))
    this.#group = { sessionId, conversation }
    return conversation
  }
}
