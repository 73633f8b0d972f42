import { type Bus, connectBus, type HandlersOf, type Msg } from '@qunxin/bus'
import {
  ANNOUNCE_EVERY_MS,
  type Delivery,
  type DeliveryConfirm,
  decodeBatch,
  encodeDelivery,
  type FrameItem,
  groupOf,
  type MsgModel,
  type PresenceChange,
  placeDelivery,
  type ReceiptBatch,
  type SendAnswer,
  type SendBatch,
  type SendEntry,
  subjects,
  type TypingNotice,
} from '@qunxin/contracts'
import { createLogger } from '@qunxin/runtime'

type MessageHandlers = Partial<HandlersOf<'message'>>

/** A message-service that does what a test tells it, over real NATS: every partition is its own. */
export class ScriptedService {
  readonly instance: string
  readonly bus: Bus
  /** Every batch that came, repeats included. */
  readonly batches: SendBatch[] = []
  readonly binds: PresenceChange[] = []
  readonly unbinds: PresenceChange[] = []
  readonly receiptBatches: ReceiptBatch[] = []
  readonly typing: TypingNotice[] = []
  /** Takes batches of receipts and does not say so while set; of groups only. */
  silentToReceipts: boolean | 'of groups' = false
  /** Says nothing to binds while set. */
  silentToBinds = false
  /** Since when (ms) tokens of a user count. */
  readonly notBefore = new Map<string, number>()
  /** Users who have missed nothing; of the others it is only known once their backlog is read. */
  readonly upToDate = new Set<string>()
  /** What comes along when it is asked who is behind. */
  readonly missed = new Map<string, MsgModel[]>()
  /** What to do with a batch; the default stores and answers nothing. */
  onBatch: (batch: SendBatch) => void = () => {}
  readonly #partitions: number
  /** Everything delivered to each node, in the order of its numbers. */
  readonly #delivered = new Map<string, Uint8Array[]>()
  /** From which number on each node's can still be had. */
  readonly #oldest = new Map<string, number>()
  /** What each node has said it has. */
  readonly confirmed = new Map<string, number>()
  /** What is said to the nodes is lost on the way while set. */
  losing = false
  /** Hears nothing of what nodes confirm or ask for while set. */
  deaf = false
  #stopped = false
  #announcing: NodeJS.Timeout | undefined

  constructor(bus: Bus, instance: string, partitions: number) {
    this.bus = bus
    this.instance = instance
    this.#partitions = partitions
    bus.subscribe('partition.*.send', (message) => {
      const batch = decodeBatch(message.data)
      this.batches.push(batch)
      this.onBatch(batch)
    })
    bus.subscribe(subjects.messageConfirm(instance), (message) => this.#confirmed(message.json()))
    bus.subscribe('partition.*.receipt', (message) => {
      const batch = message.json<ReceiptBatch>()
      this.receiptBatches.push(batch)
      const ofGroups = batch.receipts.some(({ conversation }) => groupOf(conversation) !== undefined)
      const silent = this.silentToReceipts === 'of groups' ? ofGroups : this.silentToReceipts
      if (!silent) message.respond('{}')
    })
    bus.subscribe('partition.*.typing', (message) => {
      this.typing.push(message.json())
    })
    bus.serve({ 'user.notBeforeOf': ({ userIds }: { userIds: string[] }) => this.#notBefore(userIds) }, 'group-service')
    bus.serve({ 'message.behind': ({ userIds }: { userIds: string[] }) => this.#behind(userIds) }, 'message-service')
    bus.subscribe(subjects.presenceBind, (message) => this.#bind(message))
    bus.subscribe(subjects.presenceUnbind, (message) => {
      this.unbinds.push(message.json<PresenceChange>())
    })
  }

  /** The receipts of all batches in order of arrival, repeats left out: a batch comes again when its answer is late. */
  get receipts(): ReceiptBatch['receipts'] {
    const all = this.receiptBatches.flatMap(({ receipts }) => receipts)
    return [...new Map(all.map((receipt) => [JSON.stringify(receipt), receipt])).values()]
  }

  /** The sends of all batches in order of arrival, repeats left out. */
  get sends(): SendEntry[] {
    const seen = new Set<number>()
    return this.batches.flatMap(({ sends }) => sends).filter(({ id }) => !seen.has(id) && Boolean(seen.add(id)))
  }

  live(): void {
    this.#say(false)
    this.#announcing ??= setInterval(() => this.#say(false), ANNOUNCE_EVERY_MS)
  }

  leave(): void {
    clearInterval(this.#announcing)
    this.#announcing = undefined
    this.#say(true)
  }

  serve(handlers: MessageHandlers): void {
    this.bus.serve(handlers, 'message-service')
  }

  answer(node: string, answers: readonly SendAnswer[]): void {
    const items = answers.map((answer) => ({ kind: 'answer' as const, answer }))
    this.publish(node, { from: this.instance, items }, [])
  }

  /** Delivers messages, each with its frame, in one delivery. */
  deliver(
    node: string,
    messages: readonly { message: MsgModel; to: Omit<FrameItem, 'kind' | 'size' | 'seq'> }[],
  ): void {
    const bodies = messages.map(({ message }) => Buffer.from(JSON.stringify({ tag: 'message', data: message })))
    const items = messages.map(
      ({ message, to }, i): FrameItem => ({ kind: 'frame', size: bodies[i]?.length ?? 0, seq: message.seq, ...to }),
    )
    this.publish(node, { from: this.instance, items }, bodies)
  }

  push(node: string, users: string[], tag: string, data: unknown): void {
    const body = Buffer.from(JSON.stringify({ tag, data }))
    this.publish(node, { from: this.instance, items: [{ kind: 'frame', size: body.length, users }] }, [body])
  }

  publish(node: string, delivery: Delivery, bodies: readonly Uint8Array[]): void {
    const payload = encodeDelivery(delivery, bodies)
    const delivered = this.#delivered.get(node) ?? []
    this.#delivered.set(node, delivered)
    placeDelivery(payload, { number: delivered.push(payload), oldest: this.#oldest.get(node) ?? 1 })
    if (!this.losing) this.bus.publish(subjects.gatewayDeliver(node), payload)
  }

  /** Has nothing any more of what was delivered to the node so far. */
  giveUp(node: string): void {
    this.#oldest.set(node, (this.#delivered.get(node)?.length ?? 0) + 1)
    this.bus.publish(subjects.gatewayDeliver(node), this.#mark(node))
  }

  /** Says that it leaves, and is gone. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.leave()
    await this.bus.close()
  }

  #confirmed({ node, confirmed, again }: DeliveryConfirm): void {
    if (this.deaf) return
    this.confirmed.set(node, confirmed)
    if (!again || this.losing) return
    const first = Math.max(confirmed, (this.#oldest.get(node) ?? 1) - 1)
    for (const payload of this.#delivered.get(node)?.slice(first) ?? [])
      this.bus.publish(subjects.gatewayDeliver(node), payload)
    this.bus.publish(subjects.gatewayDeliver(node), this.#mark(node))
  }

  #mark(node: string): Uint8Array {
    const payload = encodeDelivery({ from: this.instance, items: [] }, [])
    placeDelivery(payload, { number: this.#delivered.get(node)?.length ?? 0, oldest: this.#oldest.get(node) ?? 1 })
    return payload
  }

  #notBefore(userIds: readonly string[]) {
    return { notBefore: userIds.map((userId) => this.notBefore.get(userId) ?? 0) }
  }

  #behind(userIds: readonly string[]) {
    const behind = userIds.filter((userId) => !this.upToDate.has(userId) && !this.missed.has(userId))
    return { behind, backlogs: [...this.missed].filter(([userId]) => userIds.includes(userId)) }
  }

  #bind(message: Msg): void {
    this.binds.push(message.json<PresenceChange>())
    if (!this.silentToBinds) message.respond(JSON.stringify({ instance: this.instance }))
  }

  #say(leaving: boolean): void {
    const announcement = { instance: this.instance, epoch: 1, partitions: this.#partitions, leaving }
    this.bus.publish(subjects.messageInstances, JSON.stringify(announcement))
  }
}

export async function startScriptedService(options: {
  url: string
  prefix: string
  instance?: string
  partitions?: number
}): Promise<ScriptedService> {
  const { instance = 'ms-1', partitions = 8 } = options
  const bus = await connectBus({
    url: options.url,
    name: instance,
    prefix: options.prefix,
    inboxPrefix: `_INBOX_${instance}`,
    logger: createLogger('test', 'silent'),
  })
  const service = new ScriptedService(bus, instance, partitions)
  service.live()
  await bus.flush()
  return service
}
