import type { Bus } from '@qunxin/bus'
import { ANNOUNCE_EVERY_MS, DEAD_AFTER_MS, type MsgModel, type UserId } from '@qunxin/contracts'
import { watchStalls } from '@qunxin/runtime'
import { type BacklogOptions, type BacklogReceiver, readBacklog } from './backlog.ts'
import { conversationOf, messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'

/** A network that swallows everything is noticed by the third ping of the bus; clocks of two machines may differ too. */
const MARGIN_MS = 45_000
/** Who is silent for so long may be taken for dead, and is sent nothing. */
const GIVEN_UP_AFTER_MS = DEAD_AFTER_MS - ANNOUNCE_EVERY_MS
const USERS_AT_ONCE = 32
const TRIES = 3

export interface CatchUpReceiver extends BacklogReceiver {
  /** Acknowledges nothing by itself, and has nothing but this to catch up with. */
  readonly seedsOnly: boolean
}

export interface CatchUpOptions extends BacklogOptions {
  bus: Pick<Bus, 'request' | 'onDisconnect' | 'onReconnect'>
  /** The bound connections of this node. */
  receivers(): Iterable<CatchUpReceiver>
}

/**
 * What was published for this node while NATS was away is gone, and while this process stood still nothing may have been; where
 * nothing more is said no hole would ever show it. So every connection then gets what its user has been sent meanwhile; live
 * frames wait until it has been read.
 */
export function catchUpAfterLosses(options: CatchUpOptions): { stop(): void } {
  let lostAt: number | undefined
  options.bus.onDisconnect(() => {
    lostAt ??= Date.now()
  })
  options.bus.onReconnect(() => {
    const since = (lostAt ?? Date.now()) - MARGIN_MS
    lostAt = undefined
    void catchUpAll(options, since)
  })
  return watchStalls(GIVEN_UP_AFTER_MS, (stoodStillMs) => {
    void catchUpAll(options, Date.now() - stoodStillMs - MARGIN_MS)
  })
}

async function catchUpAll(options: CatchUpOptions, since: number): Promise<void> {
  const receivers: CatchUpReceiver[] = []
  for (const receiver of options.receivers()) {
    // Who holds already is reading a backlog, or about to.
    if (receiver.held) receiver.behind = true
    else {
      receiver.held = []
      receivers.push(receiver)
    }
  }
  const users = Map.groupBy(receivers, ({ userId }) => userId).entries()
  const work = async () => {
    for (const [user, theirs] of users) {
      const messages = await missedBy(user, theirs, options)
      for (const receiver of theirs) if (receiver.open) show(receiver, messages, { order: options.order, since })
    }
  }
  await Promise.all(Array.from({ length: USERS_AT_ONCE }, work))
}

function missedBy(user: UserId, receivers: readonly CatchUpReceiver[], options: CatchUpOptions): Promise<MsgModel[]> {
  let tries = 0
  return readBacklog(user, options, () => {
    const open = receivers.filter((receiver) => receiver.open)
    tries += 1
    return open.some(({ seedsOnly }) => seedsOnly) || (open.length > 0 && tries <= TRIES)
  })
}

/** Older ones than the loss are news only to who has nothing but this to catch up with. */
function show(
  receiver: CatchUpReceiver,
  messages: readonly MsgModel[],
  options: { order: Order; since: number },
): void {
  const { order, since } = options
  const live = receiver.held ?? []
  const missed = receiver.seedsOnly ? messages : messages.filter((message) => message.serverReceiveDate >= since)
  receiver.held = undefined
  for (const message of missed)
    order.take(receiver, {
      frame: messageFrame(message),
      conversation: conversationOf(message),
      seq: message.seq,
      again: { from: String(message.fromUserId), msgId: message.msgId },
    })
  for (const one of live) order.take(receiver, one)
}
