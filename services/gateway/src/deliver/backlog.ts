import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { backlog, type MsgModel, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { conversationOf, messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'
import type { Receiver } from './receiver.ts'

const RETRY_MS = 1_000
/** Written between two looks at whether the client keeps up. */
const SLICE_BYTES = 256 * 1024

export interface BacklogReceiver extends Receiver {
  readonly open: boolean
  /** What was live may have been lost since its backlog was read: it is read again. */
  behind: boolean
  /** Resolves when what was written has left this process. */
  drained(): Promise<void>
}

export interface BacklogOptions {
  bus: Pick<Bus, 'request'>
  order: Order
  logger: Logger
}

/** What others sent to a user that has not reached them, tried again for as long as it is `wanted`. */
export async function readBacklog(
  userId: UserId,
  { bus, logger }: Pick<BacklogOptions, 'bus' | 'logger'>,
  wanted: () => boolean,
): Promise<MsgModel[]> {
  while (wanted()) {
    try {
      return (await bus.request(backlog, { userId })).messages
    } catch (error) {
      logger.warn({ err: error, userId }, 'the backlog could not be read, trying again')
      await delay(RETRY_MS, undefined, { ref: false })
    }
  }
  return []
}

/**
 * Gives a connection that knows only the seeds what others sent while its user was away, then lets go what came live
 * meanwhile. Live frames wait however long that takes: shown before, they would count everything older as delivered.
 */
export async function sendBacklog(receiver: BacklogReceiver, options: BacklogOptions): Promise<void> {
  const { order } = options
  do {
    receiver.behind = false
    await sendOnce(receiver, options)
  } while (receiver.open && receiver.behind)
  if (receiver.open) order.release(receiver)
}

async function sendOnce(receiver: BacklogReceiver, options: BacklogOptions): Promise<void> {
  const { order } = options
  let bytes = 0
  for (const message of await readBacklog(receiver.userId, options, () => receiver.open)) {
    if (!receiver.open) return
    const conversation = conversationOf(message)
    if (message.seq <= (receiver.floors?.get(conversation) ?? 0)) continue
    const frame = messageFrame(message)
    order.showHeldBefore(receiver, conversation, message.seq)
    receiver.write(frame)
    receiver.wrote(conversation, message.seq)
    order.restart(receiver, conversation, message.seq)
    bytes += frame.length
    if (bytes < SLICE_BYTES) continue
    bytes = 0
    await receiver.drained()
  }
}
