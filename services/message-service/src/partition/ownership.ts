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
import { every, type Logger, untilAvailable } from '@qunxin/runtime'
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
  /** Listens for a partition; its sends count only from {@link take} on. */
  own(partition: number): void
  take(partitions: readonly number[]): void
  /** Listens no more, and finishes what it has taken. */
  silence(partition: number): void
  release(partition: number): void
}

/** Which partitions are ours, from the live announcements of all instances. For speed only: nothing relies on there being one owner. */
export class Ownership {
  readonly #options: OwnershipOptions
  readonly #live: Live
  readonly #epoch = Date.now()
  readonly #heardSince = new Map<string, number>()
  #subscription: Subscription | undefined
  #announcing: { stop(): void } | undefined
  #echoAt = performance.now()
  /** Ours, but not taken yet: somebody else may still be deciding what is sent there. */
  readonly #gained: number[] = []
  /** Who goes, and has not been told yet that we have taken over. */
  #relieving: string | undefined
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
    // What came before this has come, our own announcement too.
    await untilAvailable('NATS to know that we are here', () => bus.flush(), { logger, signal })
    this.#announcing = every(ANNOUNCE_EVERY_MS, () => {
      // While NATS is away nobody can be heard, which says nothing of them.
      const isCutOff = performance.now() - this.#echoAt >= CUT_OFF_MS
      if ((bus.connected && this.#live.expire()) || isCutOff) this.#options.tenures.shaken()
      // The dead refuse nothing, and who was only taken for dead takes nothing before it has said that it lives.
      this.#take()
      this.#announce()
    })
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
    this.#announcing?.stop()
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
      if (said.data.relieves === this.#relieving) this.#take()
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
    if (relieves === instance) this.#silence(other)
    if (leaving) {
      // Who only listens so far says that it is there all the same.
      if (this.#phase === 'serving') this.#relieving = other
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

  /** Until it hears of us, the other serves on. */
  async #relieve(leaver: string): Promise<void> {
    const heard = await this.#options.bus.flush().then(
      () => true,
      () => false,
    )
    if (heard && this.#phase === 'serving') this.#announce({ relieves: leaver })
  }

  /**
   * Our announcement has come back: whoever served what we gained has heard it too, before anything that comes from now on, and
   * let go. Before that both would decide, and one could refuse for good what the other stores.
   */
  #take(): void {
    this.#relieving = undefined
    this.#options.take(this.#gained.splice(0))
  }

  /** It serves what falls to it now. */
  #silence(successor: string): void {
    if (this.#phase !== 'leaving') return
    const { partitions, tenures, silence } = this.#options
    const others = this.#live.names()
    for (let partition = 0; partition < partitions; partition++)
      if (tenures.has(partition) && ownerOf(partition, others) === successor) silence(partition)
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
        this.#gained.push(partition)
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
