import type { MessageAck, MsgModel, SendOutput } from '@qunxin/contracts'
import { CallError, unavailable } from './call-error.ts'
import { keyOf } from './conversation-name.ts'
import { ConversationQueue, type OutgoingMessage } from './conversation-queue.ts'

const TICK_MS = 1_000

/** Every send without a final answer: sent again with the same msgId until it is acknowledged, refused for good or too old. */
export class Outbox {
  readonly #queues = new Map<string, ConversationQueue>()
  readonly #write: (message: OutgoingMessage) => boolean
  readonly #giveUpAfterMs: number
  #ticking: ReturnType<typeof setInterval> | undefined

  /** `write` answers false while there is no bound connection. */
  constructor(write: (message: OutgoingMessage) => boolean, giveUpAfterMs: number) {
    this.#write = write
    this.#giveUpAfterMs = giveUpAfterMs
  }

  send(message: OutgoingMessage): Promise<SendOutput> {
    const name = conversationOf(message.sessionId, message.toUserId)
    const queue = this.#queues.get(name) ?? new ConversationQueue(this.#write)
    this.#queues.set(name, queue)
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS)
    if (queue.has(message.msgId)) throw new TypeError(`msgId ${message.msgId} is on its way already`)
    return new Promise((resolve, reject) => {
      queue.add({ message, giveUpAt: Date.now() + this.#giveUpAfterMs, resolve, reject })
    })
  }

  /** A `messageAck` came. A refusal does not name the conversation: its msgId alone has to do. */
  answered(ack: MessageAck): void {
    if ('seq' in ack) this.#queues.get(conversationOf(ack.sessionId, ack.peerUserId))?.acknowledged(ack.msgId, ack)
    else {
      const queue = [...this.#queues.values()].find((one) => one.has(ack.msgId))
      queue?.refused(ack.msgId, new CallError(ack.code, ack.info, ack.details))
    }
  }

  /** Is that message one of these? */
  has({ sessionId, toUserId, msgId }: MsgModel): boolean {
    return this.#queues.get(conversationOf(sessionId, toUserId))?.has(msgId) === true
  }

  sendAll(): void {
    for (const queue of this.#queues.values()) queue.sendAll()
  }

  connectionLost(): void {
    for (const queue of this.#queues.values()) queue.connectionLost()
  }

  /** No connection will come any more. */
  close(): void {
    clearInterval(this.#ticking)
    for (const queue of this.#queues.values()) queue.close(unavailable('the connection is closed'))
    this.#queues.clear()
  }

  #tick(): void {
    const now = Date.now()
    for (const [name, queue] of this.#queues) {
      queue.tick(now)
      if (queue.size === 0) this.#queues.delete(name)
    }
    if (this.#queues.size > 0) return
    clearInterval(this.#ticking)
    this.#ticking = undefined
  }
}

const conversationOf = (sessionId: string, peerUserId: number) => keyOf({ sessionId, peerUserId })
