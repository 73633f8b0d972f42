import type {
  blockList,
  conversationList,
  editMessage,
  Operation,
  OutputOf,
  queryPresence,
  queryReceipts,
  recallMessage,
  sync,
} from '@qunxin/contracts'
import { nameOf, type Peer } from './conversation-name.ts'
import { newMsgId } from './msg-id.ts'

type Message = Peer & { seq: number }

/** The extensions of docs/protocol.md that are asked for by name, each as a method. */
export abstract class TypedCalls {
  abstract call<R = unknown>(tag: string, data?: Record<string, unknown>): Promise<R>

  /** What came behind each position, and which conversations there are besides. With `sync` the client does that by itself. */
  sync(positions: readonly Message[], newAfter?: string): Promise<OutputOf<typeof sync>> {
    return this.#ask<typeof sync>('sync', { positions: positions.map(named), newAfter })
  }

  /** A page of the user's conversations, the newest first; `next` of one page is `after` of the next. */
  conversations(after?: string): Promise<OutputOf<typeof conversationList>> {
    return this.#ask<typeof conversationList>('conversationList', { after })
  }

  /** Who has received and read the message `seq`. */
  receipts({ after, ...message }: Message & { after?: number }): Promise<OutputOf<typeof queryReceipts>> {
    return this.#ask<typeof queryReceipts>('queryReceipts', { ...named(message), after })
  }

  /** Takes one's own message `seq` back. */
  recall(message: Message): Promise<OutputOf<typeof recallMessage>> {
    return this.#ask<typeof recallMessage>('recallMessage', named(message))
  }

  /** Gives one's own message `seq` another text. With the same `msgId` it can be asked for again. */
  edit({ text, msgId = newMsgId(), ...message }: Message & { text: string; msgId?: string }) {
    return this.#ask<typeof editMessage>('editMessage', { ...named(message), msgId, contentStr: text })
  }

  /** From now on that user's personal messages are refused. */
  async block(userId: string | number): Promise<void> {
    await this.call('blockUser', { blockUserId: userId })
  }

  async unblock(userId: string | number): Promise<void> {
    await this.call('unblockUser', { blockUserId: userId })
  }

  /** Whom the user blocks; `next` of one page is `after` of the next. */
  blockList(after?: number): Promise<OutputOf<typeof blockList>> {
    return this.#ask<typeof blockList>('blockList', { after })
  }

  /** Whether messages of the conversation are worth a notification. */
  async mute({ muted, ...peer }: Peer & { muted: boolean }): Promise<void> {
    await this.call('muteConversation', { ...nameOf(peer), muted })
  }

  /** Which of these users, of those the user has a personal conversation with, are online. */
  presence(userIds: readonly (string | number)[]): Promise<OutputOf<typeof queryPresence>> {
    return this.#ask<typeof queryPresence>('queryPresence', { userIds })
  }

  #ask<O extends Operation>(tag: string, data: Record<string, unknown>): Promise<OutputOf<O>> {
    return this.call<OutputOf<O>>(tag, data)
  }
}

function named({ seq, ...peer }: Message) {
  return { ...nameOf(peer), seq }
}
