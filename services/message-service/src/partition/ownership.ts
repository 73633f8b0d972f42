import { setTimeout as delay } from 'node:timers/promises'
import { type Bus, Live, type Subscription } from '@qunxin/bus'
import {
  ANNOUNCE_EVERY_MS,
  DEAD_AFTER_MS,
  type MessageInstance,
  messageInstance,
  ownerOf,
  subjects,
} from '@qunxin/contracts'
import { type Logger, untilAvailable } from '@qunxin/runtime'
import type { Tenures } from './tenures.ts'

/** Longer than one interval: whoever lives has been heard of by then. */
const LISTEN_FIRST_MS = ANNOUNCE_EVERY_MS + 100
/** Of a successor that does not say that it relieves us, the second announcement was certainly made after it took over. */
const ANNOUNCEMENTS_TO_TRUST = 2
const HANDOVER_LIMIT_MS = 1_500
/** Our own announcements come back to us at once. Without one for so long the others may soon give us up. */
const CUT_OFF_MS = DEAD_AFTER_MS - ANNOUNCE_EVERY_MS

export interface OwnershipOptions {
  bus: Bus
  instance: string
  partitions: number
  tenures: Tenures
  /** The oldest message of ours that may not have been told (ms of the log). */
  untoldSince(): number
  logger: Logger
  own(partition: number): void
  release(partition: number): void
}

/** Which partitions are ours, from the live announcements of all instances. For speed only: nothing relies on there being one owner. */
export class Ownership {
  readonly #options: OwnershipOptions
  readonly #live: Live
  readonly #epoch = Date.now()
  readonly #heardSince = new Map<string, number>()
  #subscription: Subscription | undefined
  #timer: NodeJS.Timeout | undefined
  #echoAt = performance.now()
  #phase: 'listening' | 'serving' | 'leaving' = 'listening'

  constructor(options: OwnershipOptions) {
    this.#options = options
    this.#live = new Live(() => this.#update())
  }

  /** Listens who is there, takes its share, and only then says so: the others let go when they hear of us. */
  async start(signal?: AbortSignal): Promise<void> {
    const { bus, logger } = this.#options
    this.#subscription = bus.subscribe(subjects.messageInstances, ({ data }) => this.#hear(data))
    await delay(LISTEN_FIRST_MS, undefined, signal ? { signal } : undefined)
    this.#phase = 'serving'
    this.#update()
    // A connection that breaks answers no flush.
    await untilAvailable('NATS to know what is ours', () => bus.flush(), { logger, signal })
    this.#announce()
    this.#timer = setInterval(() => {
      // While NATS is away nobody can be heard, which says nothing of them.
      const isCutOff = performance.now() - this.#echoAt >= CUT_OFF_MS
      if ((bus.connected && this.#live.expire()) || isCutOff) this.#options.tenures.shaken()
      this.#announce()
    }, ANNOUNCE_EVERY_MS)
    this.#timer.unref()
  }

  /** We stood still or were cut off: nobody's silence counts, and the others may have given us up. */
  forgive(): void {
    this.#live.forgive()
    this.#options.tenures.shaken()
    if (this.#phase === 'serving') this.#announce()
  }

  /** Says that we go, and waits for the others to have taken over; until then we go on serving. */
  async leave(): Promise<void> {
    const { tenures, untoldSince } = this.#options
    clearInterval(this.#timer)
    if (this.#phase === 'serving') this.#announce({ leaving: true, ...tenures.handOver(untoldSince()) })
    this.#phase = 'leaving'
    this.#heardSince.clear()
    const deadline = performance.now() + HANDOVER_LIMIT_MS
    const taken = () => this.#live.names().every((name) => (this.#heardSince.get(name) ?? 0) >= ANNOUNCEMENTS_TO_TRUST)
    while (!taken() && performance.now() < deadline) await delay(20)
    this.#subscription?.unsubscribe()
  }

  #hear(data: Uint8Array): void {
    const { instance, partitions, tenures, logger } = this.#options
    const said = messageInstance.safeParse(JSON.parse(Buffer.from(data).toString()))
    if (!said.success) return
    if (said.data.instance === instance) {
      this.#echoAt = performance.now()
      return
    }
    if (said.data.partitions !== partitions) {
      logger.error(
        { instance: said.data.instance, theirs: said.data.partitions, ours: partitions },
        'another number of partitions',
      )
      return
    }
    const { instance: other, leaving, relieves, handsOver } = said.data
    if (leaving) {
      this.#live.left(other)
      void this.#relieve(other)
    } else {
      // What is said between two announcements is no sign of how much time has passed.
      const regular = relieves === undefined && handsOver === undefined
      const heard = (this.#heardSince.get(other) ?? 0) + (regular ? 1 : 0)
      this.#heardSince.set(other, relieves === instance ? ANNOUNCEMENTS_TO_TRUST : heard)
      this.#live.heard(other)
    }
    tenures.handedOver(said.data)
  }

  /** As long as both serve, each finds its messages stored by the other, and looks them up. */
  async #relieve(leaver: string): Promise<void> {
    const heard = await this.#options.bus.flush().then(
      () => true,
      () => false,
    )
    if (heard && this.#phase === 'serving') this.#announce({ relieves: leaver })
  }

  #announce(extra: Partial<MessageInstance> = {}): void {
    const { bus, instance, partitions } = this.#options
    if (!bus.connected) return
    bus.publish(subjects.messageInstances, JSON.stringify({ instance, epoch: this.#epoch, partitions, ...extra }))
  }

  #update(): void {
    if (this.#phase !== 'serving') return
    const { instance, partitions, tenures, untoldSince, own, release } = this.#options
    const instances = [...this.#live.names(), instance]
    const lost: number[] = []
    for (let partition = 0; partition < partitions; partition++) {
      const ours = ownerOf(partition, instances) === instance
      if (ours === tenures.has(partition)) continue
      if (ours) {
        tenures.begin(partition)
        own(partition)
      } else {
        release(partition)
        lost.push(partition)
      }
    }
    const word = tenures.handOver(untoldSince(), lost)
    for (const partition of lost) tenures.end(partition)
    if (word.handsOver) this.#announce(word)
  }
}
