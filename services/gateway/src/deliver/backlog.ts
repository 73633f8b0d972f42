import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { backlog, conversationOfMessage, type MsgModel, type OutputOf, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { GroupBacklogs } from './group-backlogs.ts'
import { messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'
import type { Receiver } from './receiver.ts'
import type { Turns } from './turns.ts'
import type { WhoIsBehind } from './who-is-behind.ts'

const RETRY_MS = 1_000
/** Written between two looks at whether the client keeps up. */
const SLICE_BYTES = 256 * 1024

export interface BacklogReceiver extends Receiver {
  readonly open: boolean
  /** Resolves when what was written has left this process. */
  drained(): Promise<void>
}

export interface BacklogOptions {
  bus: Pick<Bus, 'request'>
  order: Order
  groups: Pick<GroupBacklogs, 'add'>
  logger: Logger
}

/**
 * What others sent to a user that has not reached them, tried again for as long as it is `wanted`. It may say that groups are
 * missing: those are for GroupBacklogs to ask for.
 */
export async function readBacklog(
  userId: UserId,
  { bus, logger }: Pick<BacklogOptions, 'bus' | 'logger'>,
  wanted: () => boolean,
): Promise<OutputOf<typeof backlog>> {
  while (wanted()) {
    try {
      return await bus.request(backlog, { userId, groups: 'optional' })
    } catch (error) {
      logger.warn({ err: error, userId }, 'the backlog could not be read, trying again')
      await delay(RETRY_MS, undefined, { ref: false })
    }
  }
  return { messages: [] }
}

/**
 * Gives a connection that knows only the seeds what others sent while its user was away, then lets go what came live
 * meanwhile. Live frames wait however long that takes: shown before, they would count everything older in their conversation
 * as delivered. So when it is groups that cannot be read, only theirs go on waiting.
 */
export async function sendBacklog(
  receiver: BacklogReceiver,
  options: BacklogOptions & { whoIsBehind: Pick<WhoIsBehind, 'of'>; turns: Turns },
): Promise<void> {
  const { order, groups, whoIsBehind, turns } = options
  const { userId, held } = receiver
  if (!held) return
  let groupsMissing: true | undefined
  do {
    held.behind = false
    groupsMissing = undefined
    const missed = await whoIsBehind.of(userId)
    const read: OutputOf<typeof backlog> = missed
      ? { messages: missed }
      : await turns.run(() => readBacklog(userId, options, () => receiver.open))
    await send(receiver, read.messages, { order, wanted: () => receiver.open })
    groupsMissing = read.groupsMissing
  } while (receiver.open && held.behind)
  if (!receiver.open) return
  if (!groupsMissing) return order.release(receiver)
  order.releasePersonal(receiver)
  const wanted = () => receiver.open && receiver.held === held
  groups.add({
    userId,
    wanted,
    show: (messages) =>
      void send(receiver, messages, { order, wanted }).then(() => {
        if (wanted()) order.release(receiver)
      }),
  })
}

async function send(
  receiver: BacklogReceiver,
  messages: readonly MsgModel[],
  { order, wanted }: { order: Order; wanted: () => boolean },
): Promise<void> {
  let bytes = 0
  for (const message of messages) {
    if (!wanted()) return
    const conversation = conversationOfMessage(message)
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
