import { type Bus, Live } from '@qunxin/bus'
import { messageInstance, ownerOf, subjects } from '@qunxin/contracts'
import type { Logger, Readiness } from '@qunxin/runtime'

export interface MessageInstancesOptions {
  bus: Pick<Bus, 'subscribe' | 'connected' | 'onReconnect'>
  partitions: number
  readiness: Readiness
  logger: Logger
}

/** Which message-service instances live, as they say themselves. */
export class MessageInstances {
  readonly #options: MessageInstancesOptions
  readonly #live = new Live(() => this.#changed())
  /** Their partitions are others' already, but what they have taken is still to be sent out. */
  readonly #leaving = new Live()
  readonly #callbacks: (() => void)[] = []
  readonly #looking: { stop(): void }[]

  constructor(options: MessageInstancesOptions) {
    this.#options = options
    options.bus.subscribe(subjects.messageInstances, (message) => this.#heard(message.json()))
    this.#looking = [this.#live, this.#leaving].map((known) => known.watch(options.bus))
  }

  get live(): ReadonlySet<string> {
    return new Set(this.#live.names())
  }

  /** Those that may send a message out: the living ones, and for a moment those that leave. */
  get sending(): ReadonlySet<string> {
    return new Set([...this.#live.names(), ...this.#leaving.names()])
  }

  /** Who owns a partition, as far as we have heard. */
  ownerOf(partition: number): string | undefined {
    return ownerOf(partition, this.#live.names())
  }

  /** An instance came or went. */
  onChanged(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  stop(): void {
    for (const looking of this.#looking) looking.stop()
  }

  #heard(announcement: unknown): void {
    const { instance, partitions, leaving } = messageInstance.parse(announcement)
    if (leaving) {
      this.#leaving.heard(instance)
      this.#live.left(instance)
    } else this.#live.heard(instance)
    this.#compare(instance, partitions)
  }

  #changed(): void {
    for (const callback of this.#callbacks) callback()
  }

  /** Two processes that count partitions differently would send one conversation to two owners. */
  #compare(instance: string, partitions: number) {
    const { readiness, logger } = this.#options
    if (partitions === this.#options.partitions) return readiness.met('partitions')
    const why = `${instance} has PARTITIONS=${partitions}, this process ${this.#options.partitions}`
    if (readiness.faults.partitions !== why) logger.error(why)
    readiness.unmet('partitions', why)
  }
}
