import type { ConversationId } from '@qunxin/contracts'
import type { Receiver } from './receiver.ts'

export interface Waiting {
  seq: number
  /** None for a message of the connection's own. */
  frame: Buffer | undefined
}

/** Messages of one conversation that reached a connection before an earlier one did, in order of seq. */
export class Hole {
  readonly receiver: Receiver
  readonly conversation: ConversationId
  /** Of `performance.now()`. */
  readonly since: number
  readonly waiting: Waiting[] = []

  constructor(receiver: Receiver, conversation: ConversationId, since: number) {
    this.receiver = receiver
    this.conversation = conversation
    this.since = since
  }

  add(one: Waiting): void {
    let at = this.waiting.length
    while (at > 0 && (this.waiting[at - 1] as Waiting).seq > one.seq) at -= 1
    if (this.waiting[at - 1]?.seq !== one.seq) this.waiting.splice(at, 0, one)
  }

  /** The first and the last seq that are missing in front of what waits. */
  missing(last: number): { from: number; to: number } {
    return { from: last + 1, to: (this.waiting[0]?.seq ?? last + 1) - 1 }
  }

  /** Still the one of its connection? Afterwards it was filled, or given up. */
  get open(): boolean {
    return this.receiver.holes?.get(this.conversation) === this
  }
}
