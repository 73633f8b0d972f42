import type { Bus, Msg, Subscription } from '@qunxin/bus'
import {
  decodeBatch,
  groupConversation,
  type MembershipChange,
  membershipChange,
  type PreferenceAnswer,
  type PreferenceChange,
  preferenceChange,
  type ReceiptBatch,
  receiptBatch,
  type SendBatch,
  type SendEntry,
  subjects,
  type TypingNotice,
  typingNotice,
} from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { Batches } from './batches.ts'
import type { ConversationCache } from './conversations.ts'
import type { Lane, Waiting } from './lane.ts'
import { pendingOf } from './pending.ts'

export interface PartitionsOptions {
  bus: Bus
  lanes: readonly Lane[]
  conversations: ConversationCache
  /** What a lane may have waiting; above it a batch is refused at once. */
  queueLimit: Waiting
  /** Refuses a batch as a whole: UNAVAILABLE for each of its sends. */
  refuse(batch: SendBatch, reply: string | undefined): void
  changeMembership(change: MembershipChange, lane: Lane, partition: number): Promise<{ lastSeq: number }>
  typing(notice: TypingNotice, lane: Lane): void
  /** Undefined when the partition was lost meanwhile: nothing is answered. */
  changePreference(change: PreferenceChange, lane: Lane, partition: number): Promise<PreferenceAnswer | undefined>
  /** Resolves when what counts of them is stored. */
  receive(batch: ReceiptBatch): Promise<void>
  logger: Logger
}

const decode = (data: Uint8Array): unknown =>
  JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString())

/** Listens to the subjects of the partitions we own and hands what comes to the lane of each. */
export class Partitions {
  readonly #options: PartitionsOptions
  readonly #subscriptions = new Map<number, Subscription[]>()
  /** Since when everything told to the owner of a partition comes here. */
  readonly #listeningSince = new Map<number, number>()
  readonly #batches = new Batches()
  /** Of these somebody else may still be deciding what is sent. */
  readonly #notTaken = new Set<number>()
  /** What comes until this is over was sent while we could not take it. */
  #catchingUp: Promise<void> | undefined

  constructor(options: PartitionsOptions) {
    this.#options = options
  }

  /** Listens for a partition; its sends count only from {@link take} on. */
  own(partition: number): void {
    const { bus } = this.#options
    this.#notTaken.add(partition)
    this.#subscriptions.set(partition, [
      bus.subscribe(subjects.partitionSend(partition), (message) => this.takeBatch(partition, message)),
      bus.subscribe(subjects.partitionMembership(partition), (message) => this.#takeMembership(partition, message)),
      bus.subscribe(subjects.partitionTyping(partition), ({ data }) =>
        this.#options.typing(typingNotice.parse(decode(data)), this.laneOf(partition)),
      ),
      bus.subscribe(subjects.partitionPreference(partition), (message) => this.#takePreference(partition, message)),
      bus.subscribe(subjects.partitionReceipt(partition), (message) => this.#takeReceipts(message)),
    ])
    this.#listeningSince.set(partition, performance.now())
  }

  /** Gateways repeat what came before. */
  take(partitions: readonly number[]): void {
    for (const partition of partitions) this.#notTaken.delete(partition)
  }

  /** Since when we have been listening for a partition without a break (monotonic ms); undefined when we do not. */
  listeningSince(partition: number): number | undefined {
    return this.#listeningSince.get(partition)
  }

  /** Stops listening and drops what waits: the gateways send it to the new owner. */
  release(partition: number): void {
    this.silence(partition)
    this.drop(partition)
  }

  /** Stops listening; what is in the lanes is finished. */
  silence(partition: number): void {
    for (const subscription of this.#subscriptions.get(partition) ?? []) subscription.unsubscribe()
    this.#subscriptions.delete(partition)
    this.#listeningSince.delete(partition)
    this.#notTaken.delete(partition)
  }

  stopIntake(): void {
    for (const partition of [...this.#subscriptions.keys()]) this.silence(partition)
  }

  /** Drops queues and caches of one partition, or of all. */
  drop(partition?: number): void {
    const { conversations, lanes } = this.#options
    const dropped = conversations.drop(partition)
    for (const [index, lane] of lanes.entries())
      lane.dropped(dropped.filter((one) => one.partition % lanes.length === index))
    this.#batches.drop(partition)
    // We may have been cut off for a moment.
    if (partition === undefined) {
      for (const listening of this.#listeningSince.keys()) this.#listeningSince.set(listening, performance.now())
      this.#catchUp()
    }
  }

  /**
   * Whoever owned meanwhile may have refused what we read only now: stored, it would be there all the same. Gateways repeat what
   * nobody has answered.
   */
  #catchUp(): void {
    const caughtUp: Promise<void> = this.#options.bus
      .flush()
      .catch(() => {})
      .finally(() => {
        if (this.#catchingUp === caughtUp) this.#catchingUp = undefined
      })
    this.#catchingUp = caughtUp
  }

  takeBatch(partition: number, message: Pick<Msg, 'data' | 'reply'>): void {
    if (this.#catchingUp !== undefined || this.#notTaken.has(partition)) return
    const { logger, queueLimit, refuse, conversations } = this.#options
    const batch = batchFrom(message.data)
    if (!batch) {
      logger.error({ partition }, 'an unreadable batch')
      return
    }
    const reply = message.reply || undefined
    const run = this.#batches.begin(partition, batch, reply)
    if (!run) return
    const lane = this.laneOf(partition)
    const { sends, bytes } = lane.waiting
    if (sends + batch.sends.length > queueLimit.sends || bytes > queueLimit.bytes) {
      // The whole batch, so that no later send of a connection gets in front of an earlier one.
      run.unanswered = 0
      refuse(batch, reply)
      return
    }
    for (const send of batch.sends) lane.enqueue(conversations.use(send.conversation, partition), pendingOf(send, run))
  }

  laneOf(partition: number): Lane {
    const { lanes } = this.#options
    return lanes[partition % lanes.length] as Lane
  }

  #takeMembership(partition: number, message: Msg): void {
    const change = membershipChange.parse(decode(message.data))
    void this.#options
      .changeMembership(change, this.laneOf(partition), partition)
      .then((applied) => message.respond(JSON.stringify(applied)))
      .catch((error: unknown) =>
        this.#options.logger.warn(
          { err: error, group: groupConversation(change.groupId) },
          'a change of membership is not confirmed',
        ),
      )
  }

  #takePreference(partition: number, message: Msg): void {
    const change = preferenceChange.parse(decode(message.data))
    void this.#options
      .changePreference(change, this.laneOf(partition), partition)
      .then((answer) => answer && message.respond(JSON.stringify(answer)))
      .catch((error: unknown) =>
        this.#options.logger.warn({ err: error, user: change.user }, 'a change of preferences is not confirmed'),
      )
  }

  #takeReceipts(message: Msg): void {
    const batch = receiptBatch.parse(decode(message.data))
    void this.#options
      .receive(batch)
      .then(() => message.reply && message.respond('{}'))
      .catch((error: unknown) =>
        this.#options.logger.debug({ reason: String(error) }, 'receipts are not confirmed, and come again'),
      )
  }
}

function batchFrom(data: Uint8Array): SendBatch | undefined {
  try {
    const batch = decodeBatch(data)
    return batch.sends.every(isSend) ? batch : undefined
  } catch {
    return undefined
  }
}

/** The few things nothing later checks; that it comes from a gateway is up to NATS permissions. */
function isSend(send: SendEntry): boolean {
  return (
    typeof send.conversation === 'string' &&
    typeof send.from === 'string' &&
    typeof send.msgId === 'string' &&
    (send.utf8 !== undefined || typeof send.text === 'string')
  )
}
