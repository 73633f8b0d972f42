import { setTimeout as delay } from 'node:timers/promises'
import type { Bus, Subscription } from '@qunxin/bus'
import { DEAD_AFTER_MS, deliveryConfirm, subjects } from '@qunxin/contracts'
import { every, type Logger } from '@qunxin/runtime'
import { NodeStream } from './node-stream.ts'

const LOOK_EVERY_MS = 250
/** A look this late says that we stood still. */
const LATE_MS = 1_000
/** So long nothing of a stream was confirmed until the node is told how far it goes; then twice as long each time. */
const STUCK_MS = 500
const LONGEST_STUCK_MS = 4_000
/** Less than Redis remembers a gateway for: whoever is left out of the routes finds its stream broken. */
const KEEP_MS = 10_000
/** A node that comes back later than that has long been catching up by itself. */
const FORGET_MS = 3_600_000

export interface DeliveryMetrics {
  published(bytes: number): void
  again(deliveries: number): void
  gaveUp(deliveries: number): void
}

export interface NodeStreamsOptions {
  bus: Pick<Bus, 'connected' | 'publish' | 'subscribe' | 'onReconnect'>
  instance: string
  /** Of unconfirmed deliveries, in bytes: of one node, and of all. */
  limits: { node: number; all: number }
  /** Deliveries that a node which is silent, or leaves, has not confirmed: each once. */
  redirect(node: string, deliveries: readonly Uint8Array[]): void
  /** Something sent to a node so long ago was given up, and the node is gone: nobody knows whom it reached. */
  lost(agoMs: number): void
  metrics: DeliveryMetrics
  logger: Logger
}

interface Entry {
  stream: NodeStream
  heardAt: number
  /** Since when nothing more was confirmed, how far it was then, and how long until the node is told of it. */
  stuck: { since: number; oldest: number; untilMs: number }
  /** The number up to which it was redirected. */
  redirected: number
  /** The newest one that was given up and what the node has not gone beyond, and since when. */
  gaveUp?: { last: number; since: number }
  broken: boolean
}

/**
 * Publishes to gateways, and sees to it that what is lost on the way does not stay lost (docs/adr/0011). A node says what it
 * has and asks for what it misses; when it says nothing, it is told how far its stream goes, which costs a few bytes.
 */
export class NodeStreams {
  readonly #options: NodeStreamsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #subscription: Subscription
  readonly #looking: { stop(): void }
  #bytes = 0
  #stopped = false
  #lookedAt = performance.now()

  constructor(options: NodeStreamsOptions) {
    this.#options = options
    const { bus, instance } = options
    this.#subscription = bus.subscribe(subjects.messageConfirm(instance), ({ data }) => this.#confirmed(data))
    bus.onReconnect(() => {
      this.forgive()
      for (const entry of this.#entries.values()) if (entry.stream.unconfirmed > 0) this.#mark(entry)
    })
    this.#looking = every(LOOK_EVERY_MS, () => this.#look())
  }

  /** Nodes that must not be left out of anything: their streams are whole. */
  get nodes(): string[] {
    return [...this.#entries].flatMap(([node, { broken }]) => (broken ? [] : [node]))
  }

  get unconfirmed(): { deliveries: number; bytes: number } {
    let deliveries = 0
    for (const { stream } of this.#entries.values()) deliveries += stream.unconfirmed
    return { deliveries, bytes: this.#bytes }
  }

  publish(node: string, payload: Uint8Array) {
    const { bus, metrics } = this.#options
    const entry = this.#entryOf(node)
    // What it finds missing when it comes back, it reads from the log.
    if (entry.broken) return this.#options.redirect(node, [payload])
    this.#change(entry, () => entry.stream.keep(payload))
    this.#keepWithin(entry)
    if (!bus.connected) return
    bus.publish(subjects.gatewayDeliver(node), payload)
    metrics.published(payload.length)
  }

  heard(node: string): void {
    const entry = this.#entryOf(node)
    const now = performance.now()
    const wasSilent = now - entry.heardAt > DEAD_AFTER_MS
    entry.heardAt = now
    entry.broken = false
    if (wasSilent) this.#mark(entry)
  }

  /** It will take nothing more. */
  left(node: string): void {
    const entry = this.#entries.get(node)
    if (!entry) return
    this.#redirect(entry)
    this.#change(entry, () => entry.stream.break())
    this.#entries.delete(node)
  }

  /** We have heard nobody for a while and it was our doing: that is no sign of anybody's death. */
  forgive(now = performance.now()): void {
    for (const entry of this.#entries.values()) if (!entry.broken) entry.heardAt = now
  }

  /** Resolves when every node that can be heard has confirmed everything, and what others have not is redirected. */
  async settled(): Promise<void> {
    const alive = ({ heardAt }: Entry) => performance.now() - heardAt < DEAD_AFTER_MS
    const isOpen = (entry: Entry) =>
      entry.stream.unconfirmed > 0 && (alive(entry) || entry.redirected < entry.stream.last)
    while (!this.#stopped && [...this.#entries.values()].some(isOpen)) await delay(10)
  }

  stop(): void {
    this.#stopped = true
    this.#looking.stop()
    this.#subscription.unsubscribe()
  }

  #entryOf(node: string): Entry {
    let entry = this.#entries.get(node)
    if (!entry) {
      const now = performance.now()
      const stream = new NodeStream(node, this.#options.instance)
      const stuck = { since: now, oldest: stream.oldest, untilMs: STUCK_MS }
      entry = { stream, heardAt: now, stuck, redirected: 0, broken: false }
      this.#entries.set(node, entry)
    }
    return entry
  }

  #confirmed(data: Uint8Array): void {
    const { node, confirmed, again } = deliveryConfirm.parse(JSON.parse(Buffer.from(data).toString()))
    // Of one that has left, or has not been heard of yet, nothing is kept.
    const entry = this.#entries.get(node)
    if (!entry) return
    this.heard(node)
    this.#change(entry, () => entry.stream.confirm(confirmed))
    if (entry.gaveUp && confirmed > entry.gaveUp.last) delete entry.gaveUp
    if (!again) return
    const payloads = entry.stream.behind(confirmed)
    for (const payload of payloads) this.#options.bus.publish(subjects.gatewayDeliver(node), payload)
    this.#options.metrics.again(payloads.length - 1)
  }

  #look() {
    const now = performance.now()
    const late = now - this.#lookedAt - LOOK_EVERY_MS
    this.#lookedAt = now
    // While NATS is away nobody can be heard, which says nothing of them.
    if (late > LATE_MS || !this.#options.bus.connected) return this.forgive(now)
    for (const [node, entry] of this.#entries) {
      const silent = now - entry.heardAt
      if (silent > FORGET_MS) this.#entries.delete(node)
      else if (silent > KEEP_MS) this.#break(entry)
      else {
        if (silent > DEAD_AFTER_MS) this.#redirect(entry)
        this.#nudge(entry, now)
      }
    }
  }

  /** Tells the node how far its stream goes when it has confirmed nothing for a while. */
  #nudge(entry: Entry, now: number): void {
    const { stream, stuck } = entry
    if (stream.unconfirmed === 0 || stream.oldest !== stuck.oldest) {
      entry.stuck = { since: now, oldest: stream.oldest, untilMs: STUCK_MS }
    } else if (now - stuck.since >= stuck.untilMs) {
      stuck.since = now
      stuck.untilMs = Math.min(2 * stuck.untilMs, LONGEST_STUCK_MS)
      this.#mark(entry)
    }
  }

  #mark({ stream }: Entry): void {
    if (this.#options.bus.connected) this.#options.bus.publish(subjects.gatewayDeliver(stream.node), stream.mark())
  }

  #redirect(entry: Entry): void {
    const { stream, gaveUp } = entry
    if (gaveUp) this.#options.lost(performance.now() - gaveUp.since)
    delete entry.gaveUp
    const deliveries = stream.newerThan(entry.redirected)
    if (deliveries.length === 0) return
    entry.redirected = stream.last
    this.#options.redirect(stream.node, deliveries)
  }

  #break(entry: Entry): void {
    if (entry.broken) return
    this.#redirect(entry)
    this.#gaveUp(entry, entry.stream.unconfirmed, 'a gateway was silent too long')
    this.#change(entry, () => entry.stream.break())
    entry.broken = true
  }

  #keepWithin(entry: Entry): void {
    const { node, all } = this.#options.limits
    if (entry.stream.bytes > node) this.#shrink(entry, node)
    while (this.#bytes > all) {
      const largest = [...this.#entries.values()].reduce((a, b) => (b.stream.bytes > a.stream.bytes ? b : a))
      this.#shrink(largest, largest.stream.bytes - (this.#bytes - all))
    }
  }

  #shrink(entry: Entry, bytes: number): void {
    const before = entry.stream.unconfirmed
    this.#change(entry, () => entry.stream.shrink(Math.max(0, bytes)))
    const { oldest, unconfirmed } = entry.stream
    entry.gaveUp = { last: oldest - 1, since: entry.gaveUp?.since ?? performance.now() }
    this.#gaveUp(entry, before - unconfirmed, 'too much is unconfirmed')
  }

  #gaveUp({ stream }: Entry, deliveries: number, why: string): void {
    if (deliveries === 0) return
    this.#options.metrics.gaveUp(deliveries)
    this.#options.logger.warn({ node: stream.node, deliveries, why }, 'deliveries were given up')
  }

  #change({ stream }: Entry, change: () => void): void {
    const before = stream.bytes
    change()
    this.#bytes += stream.bytes - before
  }
}
