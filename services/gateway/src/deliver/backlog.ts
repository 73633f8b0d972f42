import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { backlog, type MsgModel } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { conversationOf, messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'
import type { Receiver } from './receiver.ts'

const RETRY_MS = 1_000
/** Written between two looks at whether the client keeps up. */
const SLICE_BYTES = 256 * 1024

export interface BacklogReceiver extends Receiver {
  readonly open: boolean
  /** Resolves when what was written has left this process. */
  drained(): Promise<void>
}

/**
 * Gives a connection that knows only the seeds what others sent while its user was away, then lets go what came live
 * meanwhile. Live frames wait however long that takes: shown before, they would count everything older as delivered.
 */
export async function sendBacklog(
  receiver: BacklogReceiver,
  options: { bus: Pick<Bus, 'request'>; order: Order; logger: Logger },
): Promise<void> {
  const { bus, order, logger } = options
  const load = async (): Promise<MsgModel[] | undefined> => {
    try {
      return (await bus.request(backlog, { userId: receiver.userId })).messages
    } catch (error) {
      logger.warn({ err: error, userId: receiver.userId }, 'the backlog could not be read, trying again')
      return undefined
    }
  }

  let messages = await load()
  while (!messages && receiver.open) {
    await delay(RETRY_MS, undefined, { ref: false })
    messages = await load()
  }
  let bytes = 0
  for (const message of messages ?? []) {
    if (!receiver.open) return
    const conversation = conversationOf(message)
    const frame = messageFrame(message)
    receiver.write(frame)
    receiver.wrote(conversation, message.seq)
    order.restart(receiver, conversation, message.seq)
    bytes += frame.length
    if (bytes < SLICE_BYTES) continue
    bytes = 0
    await receiver.drained()
  }
  if (receiver.open) order.release(receiver)
}
