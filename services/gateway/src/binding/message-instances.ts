import type { Bus } from '@qunxin/bus'
import { DEAD_AFTER_MS, messageInstance, subjects } from '@qunxin/contracts'
import type { Logger, Readiness } from '@qunxin/runtime'

const LOOK_EVERY_MS = 250

export interface MessageInstancesOptions {
  bus: Pick<Bus, 'subscribe'>
  partitions: number
  readiness: Readiness
  logger: Logger
}

/** Which message-service instances live, as they say themselves. */
export class MessageInstances {
  readonly #options: MessageInstancesOptions
  readonly #heardAt = new Map<string, number>()
  readonly #callbacks: (() => void)[] = []
  readonly #looking: NodeJS.Timeout

  constructor(options: MessageInstancesOptions) {
    this.#options = options
    options.bus.subscribe(subjects.messageInstances, (message) => this.#heard(message.json()))
    this.#looking = setInterval(() => this.#bury(), LOOK_EVERY_MS).unref()
  }

  get live(): ReadonlySet<string> {
    return new Set(this.#heardAt.keys())
  }

  /** An instance came or went. */
  onChanged(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  stop(): void {
    clearInterval(this.#looking)
  }

  #heard(announcement: unknown): void {
    const { instance, partitions, leaving } = messageInstance.parse(announcement)
    const known = this.#heardAt.has(instance)
    if (leaving) this.#heardAt.delete(instance)
    else this.#heardAt.set(instance, performance.now())
    if (known === leaving) this.#changed()
    this.#compare(instance, partitions)
  }

  #bury(): void {
    const limit = performance.now() - DEAD_AFTER_MS
    const dead = [...this.#heardAt].filter(([, at]) => at < limit)
    for (const [instance] of dead) this.#heardAt.delete(instance)
    if (dead.length > 0) this.#changed()
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
