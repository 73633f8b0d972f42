import { setTimeout as delay } from 'node:timers/promises'
import {
  type backlog,
  type ConversationId,
  conversationOfMessage,
  type MsgModel,
  type OutputOf,
  type UserId,
} from '@qunxin/contracts'
import { type BacklogOptions, type BacklogReceiver, readBacklog } from './backlog.ts'
import { Held } from './held.ts'
import { messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'
import type { LiveFrame } from './receiver.ts'

/** Clocks of two machines may differ, and what was published may be older than the loss. */
const MARGIN_MS = 45_000
/** Several instances find out about the same loss one after the other: they are waited for, so that it is read once. */
const GATHER_MS = 50
const USERS_AT_ONCE = 32
const TRIES = 3
/** Who acknowledges by itself is not kept from live frames longer, for what was missed in groups; as long as behind a hole. */
const GROUPS_MS = 10_000

type Read = Readonly<OutputOf<typeof backlog>>

export interface CatchUpReceiver extends BacklogReceiver {
  /** Acknowledges nothing by itself, and has nothing but this to catch up with. */
  readonly seedsOnly: boolean
}

export interface CatchUpOptions extends BacklogOptions {
  /** The bound connections of this node. */
  receivers(): Iterable<CatchUpReceiver>
}

/**
 * When deliveries are gone for good, no hole would ever show it where nothing more is said. So every connection then gets what
 * its user has been sent meanwhile; live frames wait until it has been read, those of groups until theirs has.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  #gathering: CatchUpReceiver[] | undefined
  #rounds = 0

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** How often everybody was caught up. */
  get rounds(): number {
    return this.#rounds
  }

  /** What was published in the last so many ms may not have come. From here on live frames wait. */
  begin(forMs: number): void {
    const since = Date.now() - forMs - MARGIN_MS
    const begun = this.#gathering
    const round = begun ?? []
    for (const receiver of this.#options.receivers()) {
      const { held } = receiver
      // Who holds everything is reading a backlog, or about to; who waits for groups alone has let live frames pass.
      if (held && !held.groupsOnly) {
        held.behind = true
        held.since = Math.min(held.since, since)
      } else {
        receiver.held = held
          ? new Held({ frames: held.frames, since: Math.min(held.since, since) })
          : new Held({ since })
        round.push(receiver)
      }
    }
    if (begun) return
    this.#gathering = round
    void delay(GATHER_MS, undefined, { ref: false }).then(() => {
      this.#gathering = undefined
      this.#rounds += 1
      return this.#run(round)
    })
  }

  async #run(receivers: readonly CatchUpReceiver[]): Promise<void> {
    const users = Map.groupBy(receivers, ({ userId }) => userId).entries()
    const work = async () => {
      for (const [user, theirs] of users) {
        const read = await this.#missedBy(user, theirs)
        this.#show(
          user,
          theirs.filter(({ open }) => open),
          read,
        )
      }
    }
    await Promise.all(Array.from({ length: USERS_AT_ONCE }, work))
  }

  #show(userId: UserId, receivers: readonly CatchUpReceiver[], read: Read): void {
    const { order, groups } = this.#options
    for (const receiver of receivers) show(receiver, read, order)
    if (!read.groupsMissing) return
    const shown = receivers.map((receiver) => ({ receiver, held: receiver.held }))
    groups.add({
      userId,
      wanted: () => shown.some((one) => isWaiting(one) || isLetGo(one)),
      show(messages) {
        for (const one of shown) {
          if (isWaiting(one)) show(one.receiver, { messages }, order)
          else if (isLetGo(one)) for (const message of news(one, messages)) take(one.receiver, message, order)
        }
      },
    })
    void delay(GROUPS_MS, undefined, { ref: false }).then(() => {
      for (const one of shown) if (isWaiting(one) && !one.receiver.seedsOnly) order.release(one.receiver)
    })
  }

  async #missedBy(user: UserId, receivers: readonly CatchUpReceiver[]): Promise<Read> {
    for (;;) {
      for (const { held } of receivers) if (held) held.behind = false
      let tries = 0
      const read = await readBacklog(user, this.#options, () => {
        const open = receivers.filter((receiver) => receiver.open)
        tries += 1
        return open.some(({ seedsOnly }) => seedsOnly) || (open.length > 0 && tries <= TRIES)
      })
      // More was lost while it was read.
      if (!receivers.some(({ open, held }) => open && held?.behind)) return read
    }
  }
}

interface Shown {
  receiver: CatchUpReceiver
  held: Held | undefined
}

/** It still holds what it held then: nobody has let it go, or begun anew. */
function isWaiting({ receiver, held }: Shown): boolean {
  return receiver.open && receiver.held === held
}

/** It was not kept waiting: what it missed is still news where nothing later has been shown. */
function isLetGo({ receiver }: Shown): boolean {
  return receiver.open && !receiver.held && !receiver.seedsOnly
}

/** Older ones than the loss are news only to who has nothing but this to catch up with. */
function news({ receiver, held }: Shown, messages: readonly MsgModel[]): readonly MsgModel[] {
  return receiver.seedsOnly || !held ? messages : messages.filter(({ serverReceiveDate: at }) => at >= held.since)
}

function show(receiver: CatchUpReceiver, { messages, groupsMissing }: Read, order: Order): void {
  const { held } = receiver
  if (!held) return
  const live = held.frames.splice(0)
  if (groupsMissing) held.groupsOnly = true
  else receiver.held = undefined
  for (const message of news({ receiver, held }, messages)) {
    const { seq } = message
    const conversation = conversationOfMessage(message)
    // Without a position no hole tells of what was in front: a backlog leaves out what the user sent from other devices.
    if (receiver.positions?.get(conversation) === undefined)
      for (const one of live) if (isBefore(one, conversation, seq)) order.take(receiver, one)
    take(receiver, message, order)
  }
  for (const one of live) order.take(receiver, one)
}

function take(receiver: CatchUpReceiver, message: MsgModel, order: Order): void {
  order.take(receiver, {
    frame: messageFrame(message),
    conversation: conversationOfMessage(message),
    seq: message.seq,
    again: { from: String(message.fromUserId), msgId: message.msgId },
  })
}

/** What is sent round once more may be of long ago. */
function isBefore(live: LiveFrame, conversation: ConversationId, seq: number): boolean {
  return live.conversation === conversation && live.seq !== undefined && live.seq < seq && !live.again
}
