import type { MessageAck, MsgModel } from '@qunxin/contracts'
import { CatchUp, type SyncCall } from './catch-up.ts'
import { type ConversationName, nameOfMessage } from './conversation-name.ts'
import type { Events } from './events.ts'
import type { Position } from './options.ts'
import { type Standing, Standings } from './standings.ts'

export interface InboxOptions {
  userId: number
  events: Events
  /** Only with it anything is caught up with, or said to have been received. */
  sync?: {
    call: SyncCall
    received(name: ConversationName, seq: number): void
    positions: readonly Position[] | undefined
  }
  /** Is this a send of this client's own that waits for its answer? */
  isOutgoing(message: MsgModel): boolean
}

/** Gives the application each message once, whatever connection brings it, and those of one conversation in order. */
export class Inbox {
  readonly #options: InboxOptions
  readonly #standings = new Standings()
  readonly #catchUp: CatchUp | undefined

  constructor(options: InboxOptions) {
    this.#options = options
    const { sync, events } = options
    for (const { sessionId, peerUserId, seq } of sync?.positions ?? [])
      this.#standings.at({ sessionId, peerUserId }, 0).given.addAll(seq)
    this.#catchUp =
      sync &&
      new CatchUp({
        call: sync.call,
        standings: this.#standings,
        resumed: sync.positions !== undefined,
        give: (message) => this.#give(message),
        events,
      })
  }

  /** How far every conversation has been given without a gap. */
  get positions(): Position[] {
    const followed = this.#standings.all().filter((one) => this.#catchUp?.isFollowed(one) ?? true)
    return followed.map(({ name, given }) => ({ ...name, seq: given.contiguous }))
  }

  /** A message, or a change of one, came live. */
  take(message: MsgModel): void {
    const name = nameOfMessage(message, this.#options.userId)
    if (!this.#catchUp?.keeps(name, message)) this.#give(message)
  }

  /** A send of this client's own was stored: it is not shown it. */
  acknowledged(ack: MessageAck): void {
    if (!('seq' in ack)) return
    const { sessionId, peerUserId, seq, duplicate } = ack
    // A duplicate may be of long ago: what came behind it is not known to be there.
    if (duplicate && !this.#standings.of({ sessionId, peerUserId })) return
    this.#standings.at({ sessionId, peerUserId }, seq - 1).given.add(seq)
  }

  bound(): void {
    this.#catchUp?.begin()
  }

  connectionLost(): void {
    this.#catchUp?.end()
  }

  #give(message: MsgModel): void {
    const { userId, events, sync, isOutgoing } = this.#options
    const name = nameOfMessage(message, userId)
    const { seq, fromUserId, change } = message
    const standing: Standing = this.#standings.at(name, seq - 1)
    if (!standing.given.add(seq) || isOutgoing(message)) return
    events.emit(change ? 'messageChanged' : 'message', message)
    if (fromUserId !== userId) sync?.received(name, standing.given.contiguous)
  }
}
