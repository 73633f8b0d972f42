import type { ErrorFrame, MessageAck, MessageStatePush, MsgModel, SyncPosition, TypingPush } from '@qunxin/contracts'
import type { ConversationName } from './conversation-name.ts'

/** What a connection tells: the server's pushes by their tags, and the connection's own state. */
export interface ClientEvents {
  /** Each message of others, and of the user's other devices, once; those of a conversation in order. */
  message: MsgModel
  /** A recall or an edit: `change` says of which message, the rest is the change's own place and, of an edit, the new text, unless `withheld`. */
  messageChanged: MsgModel
  /** How far somebody has received and read. */
  messageState: MessageStatePush
  typing: TypingPush
  /** With `sync`: messages came in a conversation that was not known when the connection got lost. They are not given: load them. */
  conversation: ConversationName & { lastSeq: number }
  /** With `sync`: what was missed cannot be given. Whatever is shown of the conversation is to be loaded anew. */
  reset: ConversationName & Pick<Extract<SyncPosition, { status: 'reset' }>, 'lastSeq' | 'reason'>
  /** Every answer to a send, also a refusal after which the SDK sends again, and what is answered twice. */
  messageAck: MessageAck
  groupListChanged: { groupId: string; reason: string }
  groupChanged: { groupId: string; reason: string; byUserId: number; userIds?: number[] }
  error: ErrorFrame
  /** `connecting` after a loss, `bound` when frames flow again, `closed` for good. */
  state: 'connecting' | 'bound' | 'closed'
  /** Each time a socket closed; `final` when the SDK does not reconnect by itself. */
  close: { code: number; reason: string; final: boolean }
  /** Every frame that is nobody's answer, known tag or not. */
  frame: { tag: string; data: unknown }
}

type Listener<K extends keyof ClientEvents> = (event: ClientEvents[K]) => void

export class Events {
  readonly #listeners = new Map<keyof ClientEvents, Set<Listener<never>>>()

  /** Returns the function that takes the listener away again. */
  on<K extends keyof ClientEvents>(name: K, listener: Listener<K>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener as Listener<never>))
    return () => void listeners.delete(listener as Listener<never>)
  }

  /** What a listener throws is reported as uncaught, in a turn of its own: the connection goes on, and so do the other listeners. */
  emit<K extends keyof ClientEvents>(name: K, event: ClientEvents[K]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        ;(listener as Listener<K>)(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
